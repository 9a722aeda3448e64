"""Two subjects on equal draws, of one run or of two: every metric's paired difference, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evalharness.errors import InputError
from evalharness.sides import Side, beside, obstacles
from evalharness.stats.paired import pair
from evalharness.stats.summary import mean_of
from evalharness.stats.table import Table, tabulate
from evalharness.types import Cell, Estimate, MetricInfo

LEVEL = 0.95
"""Confidence of a mean's interval, and of the intervals of all differences together."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Every metric's difference, and why the sides may not be comparable.

    `level` is the confidence of each difference's interval. `other_seeds`: no draw is common, so that seeds were
    paired within prompts.
    """

    differences: tuple[Difference, ...]
    obstacles: tuple[str, ...]
    level: float
    other_seeds: bool


def compare(ours: Side, theirs: Side, *, force: bool = False, among: int = 1) -> Comparison:
    """Every metric that both runs measured; raises InputError where the sides are not comparable, unless forced.

    Draws are equal by their pair_key; forced, by prompt, setting and seed, whatever made the images. The intervals
    of the differences hold together: each is at 1 - 0.05 / metrics (Bonferroni), so that subjects which are equal
    in everything are called better or worse in anything with at most 5 % probability. `among` such comparisons that are
    read together share those 5 %.
    """
    reasons = obstacles(ours, theirs)
    if reasons and not force:
        raise InputError(f"these cannot be compared: {'; '.join(reasons)}. --force compares them all the same.")
    metrics = {name: info for name, info in ours.run.metrics.items() if name in theirs.run.metrics}
    table, other_seeds = _beside(ours, theirs, list(metrics), by_key=not reasons)
    level = 1.0 - (1.0 - LEVEL) / max(len(metrics) * among, 1)
    return Comparison(
        differences=tuple(_difference(table, info, level) for info in metrics.values()),
        obstacles=reasons,
        level=level,
        other_seeds=other_seeds,
    )


def _beside(ours: Side, theirs: Side, metrics: Sequence[str], *, by_key: bool) -> tuple[Table, bool]:
    """Both sides in one table, under names of their own, and whether their seeds are others."""
    (left, left_scores), (right, right_scores) = ours.under(OURS), theirs.under(THEIRS)
    if not by_key:
        left, right = _by_seed(left), _by_seed(right)
    right, other_seeds = beside(left, right)
    return tabulate([*left, *right], {**left_scores, **right_scores}, metrics), other_seeds


def _by_seed(cells: Sequence[Cell]) -> Sequence[Cell]:
    return [replace(cell, pair_key=f"{cell.prompt.id}/{cell.setting}/{cell.seed}") for cell in cells]


def _difference(table: Table, info: MetricInfo, level: float) -> Difference:
    left, right = (table.rows(table.subjects == name, info.name) for name in (OURS, THEIRS))
    paired = pair(left, right).estimate(level)
    return Difference(
        metric=info, ours=mean_of(left, LEVEL), theirs=mean_of(right, LEVEL), paired=paired, says=_says(paired, info)
    )


def _says(paired: Estimate, info: MetricInfo) -> Says:
    if not paired.scored:
        return "no pairs"
    if paired.low is None or paired.high is None or paired.low <= 0.0 <= paired.high:
        return "open"
    return "better" if (paired.low > 0.0) == info.higher_is_better else "worse"
