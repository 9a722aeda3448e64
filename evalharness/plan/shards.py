"""One plan in n parts of about equal size, for n processes or machines: who makes which cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evalharness.errors import ConfigError
from evalharness.plan.cells import Plan
from evalharness.suite import Suite
from evalharness.types import BASELINE, Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Part `number` (from 1) of `of` parts."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of}"

    @property
    def folder(self) -> str:
        """The name of its folder inside the run's."""
        return f"shard-{self.number}-of-{self.of}"


def read_shard(text: str) -> Shard:
    """'2/3' as the second of three; raises ConfigError for anything else."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    shard = Shard(number=int(found[1]), of=int(found[2])) if found else None
    if shard is None or not 1 <= shard.number <= shard.of:
        raise ConfigError(f"--shard '{text}' is no part of a whole; write i/n with i from 1 to n, such as 1/3.")
    return shard


def parts(plan: Plan, suite: Suite, count: int, batch_size: int) -> tuple[tuple[Cell, ...], ...]:
    """The cells of each of `count` shards; together they are the plan's, each once and in its order.

    The plan is cut into stretches of equal length between batches, so that a shard makes the very batches that one
    run makes, and loads few LoRAs: at most `count` - 1 of all are loaded twice. (To keep each LoRA in one shard would
    leave shards idle where their number does not divide that of the LoRAs.) All cells of the baseline are in the first
    shard, which can therefore prove its LoRAs itself. Raises ConfigError where a shard would have nothing to do, and
    for a suite with a budget.
    """
    if suite.budget is not None:
        raise ConfigError(
            f"suite '{suite.name}' has a budget, which decides by the images of all subjects what is made next, and "
            "a shard has only its own; run it whole, or with suite.budget=all."
        )
    batches = [cells for _, cells in plan.batches(plan.cells, batch_size)]
    base = sum(cell.subject == BASELINE for cell in plan.cells)
    first = max(float(base), len(plan.cells) / count)
    others = (len(plan.cells) - first) / max(count - 1, 1)
    found: list[list[Cell]] = [[] for _ in range(count)]
    begun = 0
    for batch in batches:
        middle = begun + len(batch) / 2
        place = 0 if middle <= first else min(1 + int((middle - first) / others), count - 1)
        found[place] += batch
        begun += len(batch)
    if not all(found):
        raise ConfigError(_too_many(count, batches, batch_size))
    return tuple(tuple(cells) for cells in found)


def _too_many(count: int, batches: Sequence[Sequence[Cell]], batch_size: int) -> str:
    return (
        f"{count} shards are too many: the plan has {len(batches)} batches of at most {batch_size} images, and those "
        "without LoRA stay together; give fewer shards, or a smaller backend.batch_size."
    )
