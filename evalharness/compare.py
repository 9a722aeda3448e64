"""Two subjects on equal draws, of one run or of two: every metric's paired difference, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evalharness.errors import InputError
from evalharness.sides import Side, obstacles
from evalharness.stats.paired import pair
from evalharness.stats.summary import mean_of
from evalharness.stats.table import Table, tabulate
from evalharness.types import Estimate, MetricInfo

LEVEL = 0.95
OURS, THEIRS = "/ours", "/theirs"
Says = Literal["better", "worse", "open", "no pairs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of both sides, and their difference `ours - theirs` over equal draws, each with its interval."""

    metric: MetricInfo
    ours: Estimate
    theirs: Estimate
    paired: Estimate
    says: Says


def compare(ours: Side, theirs: Side, *, force: bool = False) -> tuple[Difference, ...]:
    """Every metric that both runs measured; raises InputError where the sides are not comparable, unless forced.

    Draws are equal by their pair_key; forced, by prompt, setting and seed, whatever made the images.
    """
    reasons = obstacles(ours, theirs)
    if reasons and not force:
        raise InputError(f"these cannot be compared: {'; '.join(reasons)}. --force compares them all the same.")
    metrics = {name: info for name, info in ours.run.metrics.items() if name in theirs.run.metrics}
    table = _beside(ours, theirs, list(metrics), by_key=not reasons)
    return tuple(_difference(table, info) for info in metrics.values())


def _beside(ours: Side, theirs: Side, metrics: Sequence[str], *, by_key: bool) -> Table:
    """Both sides in one table, under names of their own."""
    (left, left_scores), (right, right_scores) = ours.under(OURS), theirs.under(THEIRS)
    cells = [*left, *right]
    if not by_key:
        cells = [replace(cell, pair_key=f"{cell.prompt.id}/{cell.setting}/{cell.seed}") for cell in cells]
    return tabulate(cells, {**left_scores, **right_scores}, metrics)


def _difference(table: Table, info: MetricInfo) -> Difference:
    left, right = (table.rows(table.subjects == name, info.name) for name in (OURS, THEIRS))
    paired = pair(left, right).estimate(LEVEL)
    return Difference(
        metric=info, ours=mean_of(left, LEVEL), theirs=mean_of(right, LEVEL), paired=paired, says=_says(paired, info)
    )


def _says(paired: Estimate, info: MetricInfo) -> Says:
    if not paired.scored:
        return "no pairs"
    if paired.low is None or paired.high is None or paired.low <= 0.0 <= paired.high:
        return "open"
    return "better" if (paired.low > 0.0) == info.higher_is_better else "worse"
