"""Every metric of every subject and strength: its mean, and its paired difference to the no-LoRA baseline."""

from collections.abc import Iterator

import numpy as np

from evalharness.stats.intervals import clustered_interval
from evalharness.stats.paired import pair
from evalharness.stats.table import Column, Mask, Table
from evalharness.types import BASELINE, Delta, Estimate, Summary

LEVEL = 0.95


def summarise(table: Table, level: float = LEVEL) -> tuple[Summary, ...]:
    """One summary per subject, strength and metric, in the order of the cells and the table's metrics."""
    return tuple(
        Summary(subject=subject, strength=strength, metric=metric, estimate=mean_of(table.rows(mask, metric), level))
        for subject, strength, mask in _groups(table)
        for metric in table.values
    )


def deltas_to_baseline(table: Table, level: float = LEVEL) -> tuple[Delta, ...]:
    """One paired delta per subject but the baseline, strength and metric; none where the baseline has no cells."""
    base = table.subjects == BASELINE
    if not base.any():
        return ()
    return tuple(
        Delta(
            subject=subject,
            strength=strength,
            against=BASELINE,
            metric=metric,
            estimate=pair(table.rows(mask, metric), table.rows(base, metric)).estimate(level),
        )
        for subject, strength, mask in _groups(table)
        if subject != BASELINE
        for metric in table.values
    )


def mean_of(column: Column, level: float = LEVEL) -> Estimate:
    """The mean of a column's scored values with its interval, clustered by prompt."""
    scored = np.isfinite(column.values)
    unscored = int(np.count_nonzero(~scored))
    return clustered_interval(column.values[scored], column.prompts[scored], level, unscored=unscored)


def _groups(table: Table) -> Iterator[tuple[str, float, Mask]]:
    for subject, strength in dict.fromkeys((cell.subject, cell.strength) for cell in table.cells):
        yield subject, strength, (table.subjects == subject) & (table.strengths == strength)
