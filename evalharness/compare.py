"""Two subjects on equal draws, of one run or of two: every metric's paired difference, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from evalharness.errors import InputError, unknown
from evalharness.record import load_run
from evalharness.stats.paired import pair
from evalharness.stats.summary import mean_of
from evalharness.stats.table import Column
from evalharness.types import Cell, Estimate, FinishedRun, MetricInfo

LEVEL = 0.95
Says = Literal["better", "worse", "open", "no pairs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A subject of a run at one strength."""

    run: FinishedRun
    subject: str
    strength: float

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Its cells."""
        return tuple(c for c in self.run.cells if c.subject == self.subject and c.strength == self.strength)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of both sides, and their difference `ours - theirs` over equal draws, each with its interval."""

    metric: MetricInfo
    ours: Estimate
    theirs: Estimate
    paired: Estimate
    says: Says


def read_side(text: str, strength: float | None = None) -> Side:
    """`runs/demo:sakichan-000008`, or a run's folder for its leader; `strength` where it was measured at several.

    Raises InputError for an unknown run, subject or strength, and for a run without leader or a choice not made.
    """
    folder, _, subject = text.rpartition(":")
    if not folder or Path(text).is_dir():
        folder, subject = text, ""
    run = load_run(Path(folder))
    name = subject or run.judgement.selection.leader
    names = list(dict.fromkeys(cell.subject for cell in run.cells))
    if name is None:
        raise InputError(f"'{folder}' has no leader; name one of its subjects, such as {folder}:{names[-1]}.")
    if name not in names:
        raise InputError(f"'{folder}' has an {unknown('subject', name, names)}")
    return Side(run=run, subject=name, strength=_strength(run, name, strength))


def _strength(run: FinishedRun, subject: str, asked: float | None) -> float:
    known = sorted({cell.strength for cell in run.cells if cell.subject == subject})
    if len(known) == 1 and (asked is None or known == [0.0]):
        return known[0]  # the baseline has no strength to choose
    listed = ", ".join(f"{one:g}" for one in known)
    if asked is None:
        raise InputError(f"'{subject}' was measured at strengths {listed}; choose one with --strength.")
    if asked not in known:
        raise InputError(f"'{subject}' was not measured at strength {asked:g}; known are {listed}.")
    return asked


def obstacles(ours: Side, theirs: Side) -> tuple[str, ...]:
    """Why the numbers of two sides cannot be compared, in words; empty where they can."""
    found = [
        f"{words} differ{_where(ours.run.record.get(group), theirs.run.record.get(group))}"
        for group, words in (("maker", "the image makers"), ("perception", "the perceivers"))
        if ours.run.record.get(group) != theirs.run.record.get(group)
    ]
    if _questions(ours) != _questions(theirs):
        found.append("the prompts or what is expected of them differ")
    shared = ours.run.metrics.keys() & theirs.run.metrics.keys()
    changed = sorted(name for name in shared if ours.run.metrics[name] != theirs.run.metrics[name])
    if changed:
        found.append(f"other versions measured {', '.join(changed)}")
    return tuple(found)


def _where(ours: object, theirs: object) -> str:
    if not (isinstance(ours, Mapping) and isinstance(theirs, Mapping)):
        return ""
    return f" in {', '.join(sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)))}"


def _questions(side: Side) -> set[tuple[str, str, str]]:
    return {(cell.prompt.id, cell.prompt.text, repr(cell.prompt.expect)) for cell in side.cells}


def compare(ours: Side, theirs: Side, *, force: bool = False) -> tuple[Difference, ...]:
    """Every metric that both runs measured; raises InputError where the sides are not comparable, unless forced.

    Draws are equal by their pair_key; forced, by prompt, setting and seed, whatever made the images.
    """
    reasons = obstacles(ours, theirs)
    if reasons and not force:
        raise InputError(f"these cannot be compared: {'; '.join(reasons)}. --force compares them all the same.")
    metrics = [info for name, info in ours.run.metrics.items() if name in theirs.run.metrics]
    return tuple(_difference(ours, theirs, info, by_key=not reasons) for info in metrics)


def _difference(ours: Side, theirs: Side, info: MetricInfo, *, by_key: bool) -> Difference:
    codes: dict[str, int] = {}
    left, right = (_column(side, info.name, codes, by_key=by_key) for side in (ours, theirs))
    paired = pair(left, right).estimate(LEVEL)
    return Difference(
        metric=info, ours=mean_of(left, LEVEL), theirs=mean_of(right, LEVEL), paired=paired, says=_says(paired, info)
    )


def _column(side: Side, metric: str, codes: dict[str, int], *, by_key: bool) -> Column:
    """The metric of a side's cells; equal draws and prompts have equal codes on both sides."""
    cells = side.cells
    draws = [cell.pair_key if by_key else f"{cell.prompt.id}/{cell.setting}/{cell.seed}" for cell in cells]
    values = [_value(side, cell, metric) for cell in cells]
    return Column(
        pairs=_coded(draws, codes),
        prompts=_coded([f"prompt {c.prompt.id}" for c in cells], codes),
        values=_array(values),
    )


def _coded(names: Sequence[str], codes: dict[str, int]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.array([codes.setdefault(name, len(codes)) for name in names], dtype=np.intp)


def _array(values: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _value(side: Side, cell: Cell, metric: str) -> float | None:
    return next((score.value for score in side.run.scores.get(cell.key, ()) if score.metric == metric), None)


def _says(paired: Estimate, info: MetricInfo) -> Says:
    if not paired.scored:
        return "no pairs"
    if paired.low is None or paired.high is None or paired.low <= 0.0 <= paired.high:
        return "open"
    return "better" if (paired.low > 0.0) == info.higher_is_better else "worse"
