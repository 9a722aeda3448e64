"""The strength that a LoRA needs: where its objective is highest. Overtrained LoRAs need little, undertrained much."""

import math
from collections.abc import Sequence

import numpy as np

from evalharness.stats.objective import Arm
from evalharness.stats.table import Floats
from evalharness.types import STRENGTH_NEEDED, Check, Estimate, Outcome, Rule


def is_about_strength(rule: Rule) -> bool:
    """Whether the rule limits the strength needed instead of a metric."""
    return rule.metric == STRENGTH_NEEDED


def best_strength(strengths: Sequence[float], values: Floats) -> float | None:
    """Where the objective (strengths, draws) is highest; None for one strength, or without a common draw.

    Means are compared on the draws that all strengths have; equal means: the lower strength.
    """
    common = np.isfinite(values).all(axis=0)
    if len(strengths) < 2 or not common.any():
        return None
    means = values[:, common].mean(axis=1)
    return float(min(s for s, mean in zip(strengths, means, strict=True) if mean >= np.max(means) - 1e-9))


def check_strength(rule: Rule, arm: Arm, strengths: Sequence[float], values: Floats) -> Check:
    """Whether the best strength of the arm's subject keeps the limits; values are its objective (strengths, draws).

    It is the best of those that were measured, and has no interval.
    """
    needed = best_strength(strengths, values)
    low = -math.inf if rule.at_least is None else rule.at_least
    high = math.inf if rule.at_most is None else rule.at_most
    if needed is None:
        outcome = Outcome.INCONCLUSIVE
        reason = f"{arm[0]} was measured at one strength only, so nobody knows which one it needs"
    else:
        outcome = Outcome.PASS if low <= needed <= high else Outcome.FAIL
        limits = [f"at least {low:g}"] * (rule.at_least is not None) + [f"at most {high:g}"] * (
            rule.at_most is not None
        )
        reason = f"{arm[0]} is best at strength {needed:g}, {' and '.join(limits)} asked"
    scored = int(np.isfinite(values).all(axis=0).sum())
    estimate = Estimate(mean=needed, low=None, high=None, level=0.95, scored=scored, unscored=0, prompts=0)
    return Check(rule=rule, outcome=outcome, estimate=estimate, reason=reason)


def _asked(rule: Rule) -> str:
    """The limits in words."""
    limits = (("at least", rule.at_least), ("at most", rule.at_most))
    return " and ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
