"""Many checks in one verdict: Holm's step-down procedure."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float], alpha: float = 0.05) -> tuple[bool, ...]:
    """Which hypotheses are rejected with at most `alpha` probability of any false rejection in the family.

    The smallest p-value is held against alpha / n, the next against alpha / (n - 1), and so on to the first that is
    larger. S. Holm, Scandinavian Journal of Statistics 6 (1979). Needs no independence.
    """
    rejected = [False] * len(p_values)
    for rank, index in enumerate(np.argsort(np.asarray(p_values), kind="stable")):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return tuple(rejected)
