"""Two subjects on equal draws, of one run or of two: every metric's paired difference, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evalharness.errors import InputError
from evalharness.sides import Side, obstacles
from evalharness.stats.paired import pair
from evalharness.stats.summary import mean_of
from evalharness.stats.table import Column
from evalharness.types import Cell, Estimate, MetricInfo

LEVEL = 0.95
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
