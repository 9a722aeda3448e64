"""Metrics that could be judged less often for one subject than for the others on the same draws."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from evalharness.stats.holm import holm
from evalharness.stats.intervals import weigh
from evalharness.stats.table import Floats, Table
from evalharness.types import BASELINE, PROMOTED, Gap, MetricInfo

ALPHA = 0.05
Found = tuple[float, Gap]


def find_gaps(table: Table, metrics: Mapping[str, MetricInfo], alpha: float = ALPHA) -> tuple[Gap, ...]:
    """The subjects whose unscored images are more than the others', and not by chance, metric by metric.

    In each draw 'scored' (1 or 0) is compared with its mean over the other subjects at that draw and strength; prompts
    are the clusters, and all comparisons of the run are corrected by Holm. The baseline is neither judged nor counted.
    """
    names = [name for name in dict.fromkeys(table.subjects.tolist()) if name not in (BASELINE, PROMOTED)]
    found = [one for metric in metrics for one in _metric_gaps(table, metric, names)] if len(names) > 1 else []
    kept = holm([p for p, _ in found], alpha)
    return tuple(gap for (_, gap), keep in zip(found, kept, strict=True) if keep)


def _metric_gaps(table: Table, metric: str, names: Sequence[str]) -> Iterator[Found]:
    """Each subject's one-sided p-value with what would be said of it; nothing where no image is unscored."""
    scored = np.isfinite(table.values[metric]).astype(np.float64)
    ours = np.isin(table.subjects, names)
    if scored[ours].all():
        return
    # a draw at a strength, as one code
    draws = np.unique(np.column_stack((table.pairs, table.strengths)), axis=0, return_inverse=True)[1].ravel()
    counts, sums = np.bincount(draws, weights=ours), np.bincount(draws, weights=scored * ours)
    for name in names:
        rows = (table.subjects == name) & (counts[draws] > 1)
        if rows.any():
            others = (sums[draws[rows]] - scored[rows]) / (counts[draws[rows]] - 1)
            yield _gap(name, metric, scored[rows], others, table.prompts[rows])


def _gap(name: str, metric: str, scored: Floats, others: Floats, prompts: np.ndarray) -> Found:
    evidence = weigh(scored - others, prompts, signed=True)
    p = evidence.doubt_below(0.0)
    unscored, share = int(np.count_nonzero(scored == 0.0)), 1.0 - float(others.mean())
    counted = f"{unscored} of {len(scored)} images of {name}"
    said = (
        f"{metric} could not be judged in {counted}, but in {100.0 * share:.0f} % of the others': its mean stands on "
        "other images than theirs"
    )
    return p, Gap(subject=name, metric=metric, unscored=unscored, images=len(scored), others=share, reason=said)
