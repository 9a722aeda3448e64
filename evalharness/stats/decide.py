"""How many times the images that are there would decide a check that is open, if what was measured stays as it is."""

from statistics import NormalDist

from evalharness.stats.settle import FARTHEST
from evalharness.types import Check, Estimate

UNIT = NormalDist()


def times_needed(check: Check, checks: int) -> float | None:
    """The factor (> 1) by which a check's images must grow; None where even FARTHEST times as many would not do.

    An interval shrinks with the root of the images. It must leave out the limit: as it stands for a pass, and widened
    by Holm's correction for the first of so many `checks` for a failure. Normal quantiles stand for Student's.
    """
    estimate, rule = check.estimate, check.rule
    if estimate.scored < rule.minimum_scored:
        return max(rule.minimum_scored / estimate.scored, 1.0) if estimate.scored else None
    limits = [limit for limit in (rule.at_least, rule.at_most) if limit is not None]
    factors = [_factor(estimate, limit, _kept(estimate, limit, limit == rule.at_least), checks) for limit in limits]
    known = [factor for factor in factors if factor is not None]
    if len(known) < len(factors) or not known or max(known) > 1.0 + FARTHEST:
        return None
    return max(1.0, *known)


def _kept(estimate: Estimate, limit: float, from_below: bool) -> bool:
    """Whether the mean is on the right side of its limit."""
    return estimate.mean is not None and (estimate.mean >= limit if from_below else estimate.mean <= limit)


def _factor(estimate: Estimate, limit: float, kept: bool, checks: int) -> float | None:
    if estimate.mean is None or estimate.low is None or estimate.high is None or estimate.mean == limit:
        return None
    half = estimate.mean - estimate.low if estimate.mean > limit else estimate.high - estimate.mean
    alpha = (1.0 - estimate.level) / 2.0
    widened = 1.0 if kept else UNIT.inv_cdf(1.0 - alpha / max(checks, 1)) / UNIT.inv_cdf(1.0 - alpha)
    return (half * widened / abs(estimate.mean - limit)) ** 2
