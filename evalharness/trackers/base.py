"""What a tracker is: told once of each judged subject, in words and numbers that any logger can show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One judged subject.

    `metrics` are finite numbers by names such as `faces/strength_0.5`. `order` counts the run's subjects from 1.
    `verdict` is PROMOTE, REJECT or INCONCLUSIVE, and `best` the sentence about all subjects so far. `images` are files
    by captions, the same draws for every subject.
    """

    subject: str
    identity: str
    epoch: int | None
    step: int | None
    order: int
    metrics: Mapping[str, float]
    verdict: str
    reason: str
    best: str
    report: Path
    images: Mapping[str, Path]

    @property
    def at(self) -> int:
        """Where it stands on an axis of integers: its step, else its epoch, else its place in the run."""
        return next(number for number in (self.step, self.epoch, self.order) if number is not None)


class Tracker(Protocol):
    """Logs entries. Constructed as `Tracker(run, suite, options)`: the run's folder, the suite's name, its options.

    May raise anything: the run goes on without it.
    """

    def log(self, entry: Entry) -> None:
        """Write one entry; the same one may come again after a run was stopped."""
        ...

    def close(self) -> None:
        """Write what is left, and end."""
        ...
