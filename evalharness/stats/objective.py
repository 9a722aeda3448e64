"""What 'best' means: a weighted mean of metrics, compared on what all entrants were scored on."""

from collections.abc import Mapping, Sequence

import numpy as np

from evalharness.stats.table import Codes, Floats, Table
from evalharness.types import MetricInfo

# An entrant scored on less than this share of what the best-scored one has would shrink the common ground for all.
LEAST_SCORED = 0.5


def signed_weights(objective: Mapping[str, float], metrics: Mapping[str, MetricInfo]) -> Floats:
    """One weight per metric of the objective, negative where lower values are better."""
    return np.array([weight if metrics[name].higher_is_better else -weight for name, weight in objective.items()])


def draws_of(table: Table, subjects: Sequence[str], metrics: Sequence[str]) -> tuple[Floats, Codes]:
    """All scores as (subjects, metrics, draws), NaN = unscored, and each draw's prompt (draws,).

    A draw is a pair code at a strength: what two subjects have in common when only their weights differ.
    """
    rank = {subject: index for index, subject in enumerate(subjects)}
    rows = np.array([row for row, cell in enumerate(table.cells) if cell.subject in rank], dtype=np.intp)
    draws, codes = np.unique(np.column_stack((table.pairs[rows], table.strengths[rows])), axis=0, return_inverse=True)
    who = np.array([rank[table.cells[row].subject] for row in rows], dtype=np.intp)
    scores = np.full((len(subjects), len(metrics), len(draws)), np.nan)
    prompts = np.zeros(len(draws), dtype=np.intp)
    prompts[codes.ravel()] = table.prompts[rows]
    for index, metric in enumerate(metrics):
        scores[who, index, codes.ravel()] = table.values[metric][rows]
    return scores, prompts


def combine(scores: Floats, weights: Floats) -> Floats:
    """The objective (subjects, draws) of scores (subjects, metrics, draws): sum(w v) / sum(abs(w)) in each draw.

    A metric enters a draw only where every comparable subject is scored on it, so that all are measured by the same
    yardstick. Subjects with too few scores are not comparable: their row is NaN, as are draws without common metric.
    """
    counts = np.isfinite(scores).sum(axis=(1, 2))
    comparable = (counts > 0) & (counts >= LEAST_SCORED * counts.max(initial=0))
    common = np.isfinite(scores[comparable]).all(axis=0) if comparable.any() else np.zeros(scores.shape[1:], dtype=bool)
    shares = np.abs(weights) @ common
    totals = np.einsum("k,skd->sd", weights, np.where(common, np.nan_to_num(scores), 0.0))
    values = np.full(totals.shape, np.nan)
    np.divide(totals, shares, out=values, where=(shares > 0.0) & comparable[:, None])
    return values
