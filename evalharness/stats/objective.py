"""What 'best' means: a weighted mean of metrics, compared on what all entrants were scored on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalharness.stats.table import Codes, Floats, Mask, Table
from evalharness.types import MetricInfo

# An entrant of whose images less than this share is scored, compared with the best-scored one, would shrink the common
# ground for all.
LEAST_SCORED = 0.5
SCALES: Mapping[str, float] = {"": 1.0, "deltaE00": 120.0}
"""By unit, the largest difference that two values can have: shares lie in 0..1, no two sRGB colours differ by more."""

Arm = tuple[str, float]
"""A subject at a strength: what can be best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Scores (arms, metrics, draws), NaN = unscored or not made; `made` (arms, draws); each draw's prompt (draws,).

    A draw is a pair code: what two arms have in common when only weights and strength differ.
    """

    scores: Floats
    made: Mask
    prompts: Codes


def signed_weights(objective: Mapping[str, float], metrics: Mapping[str, MetricInfo]) -> Floats:
    """One weight per metric of the objective, negative where lower values are better."""
    return np.array([weight if metrics[name].higher_is_better else -weight for name, weight in objective.items()])


def largest_difference(objective: Mapping[str, float], metrics: Mapping[str, MetricInfo]) -> float | None:
    """By how much the objective of two images can differ; None where a metric's unit does not say."""
    scales = [SCALES.get(metrics[name].unit) for name in objective]
    known = [scale for scale in scales if scale is not None]
    if len(known) < len(scales):
        return None
    weights = np.array(list(objective.values()))
    return float(weights @ np.array(known) / weights.sum())


def draws_of(table: Table, arms: Sequence[Arm], metrics: Sequence[str]) -> Draws:
    """The scores of the arms' cells, draw by draw."""
    rank = {arm: index for index, arm in enumerate(arms)}
    owners = [rank.get((cell.subject, cell.strength)) for cell in table.cells]
    rows = np.array([row for row, owner in enumerate(owners) if owner is not None], dtype=np.intp)
    who = np.array([owner for owner in owners if owner is not None], dtype=np.intp)
    draws, codes = np.unique(table.pairs[rows], return_inverse=True)
    scores = np.full((len(arms), len(metrics), len(draws)), np.nan)
    made = np.zeros((len(arms), len(draws)), dtype=bool)
    prompts = np.zeros(len(draws), dtype=np.intp)
    made[who, codes], prompts[codes] = True, table.prompts[rows]
    for index, metric in enumerate(metrics):
        scores[who, index, codes] = table.values[metric][rows]
    return Draws(scores=scores, made=made, prompts=prompts)


def combine(draws: Draws, weights: Floats) -> Floats:
    """The objective (arms, draws): sum(w v) / sum(abs(w)) in each draw.

    A metric enters a draw only where every comparable arm that made it is scored on it, so that all are measured by
    the same yardstick. Arms with too few scores are not comparable: their row is NaN, as are draws without common
    metric and draws that an arm has not made.
    """
    scored = np.isfinite(draws.scores)
    shares = scored.sum(axis=(1, 2)) / np.maximum(draws.made.sum(axis=1), 1)
    comparable = (shares > 0.0) & (shares >= LEAST_SCORED * np.max(shares, initial=0.0))
    absent = ~draws.made | ~comparable[:, None]
    common = (scored | absent[:, None, :]).all(axis=0) & ~absent.all(axis=0)
    totals = np.einsum("k,skd->sd", weights, np.where(common & scored, np.nan_to_num(draws.scores), 0.0))
    values = np.full(totals.shape, np.nan)
    entering = np.abs(weights) @ common
    np.divide(totals, entering, out=values, where=(entering > 0.0) & ~absent)
    return values
