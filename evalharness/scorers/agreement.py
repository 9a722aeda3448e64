"""How far the parts of a face agree: divergences of their emotion distributions, and the emotion they make together.

Source: J. Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37 (1991), also for the
generalised divergence of more than two distributions.
"""

import math
from collections.abc import Mapping, Sequence

Emotions = Mapping[str, float]
# An emotion that a reader rules out entirely must not outvote all other parts in a product.
FLOOR = 0.01


def entropy(emotions: Emotions) -> float:
    """Shannon entropy in bits."""
    return -sum(share * math.log2(share) for share in emotions.values() if share > 0.0)


def mixture(parts: Sequence[Emotions], weights: Sequence[float] | None = None) -> dict[str, float]:
    """The weighted mean of distributions (equal weights by default) over all emotions that any of them names."""
    weights = weights or [1.0] * len(parts)
    names = sorted({name for part in parts for name in part})
    shares = {n: sum(w * part.get(n, 0.0) for w, part in zip(weights, parts, strict=True)) for n in names}
    return _normalised(shares)


def agreement(parts: Sequence[Emotions]) -> float:
    """1 - Jensen-Shannon divergence of two or more distributions, as a share of the largest possible: 0..1.

    For two parts that is base 2 exactly; for n parts the divergence in bits is divided by log2(n).
    """
    inside = sum(entropy(part) for part in parts) / len(parts)
    divergence = entropy(mixture(parts)) - inside
    return min(max(1.0 - divergence / math.log2(len(parts)), 0.0), 1.0)


def seen_together(parts: Sequence[Emotions], weights: Sequence[float]) -> dict[str, float]:
    """The emotion that the parts make together: their product, each to the power of its weight, normalised."""
    names = sorted({name for part in parts for name in part})
    logs = {
        n: sum(w * math.log(_floored(p, n, len(names))) for w, p in zip(weights, parts, strict=True)) for n in names
    }
    top = max(logs.values())
    return _normalised({name: math.exp(value - top) for name, value in logs.items()})


def _floored(part: Emotions, name: str, count: int) -> float:
    return (1.0 - FLOOR) * part.get(name, 0.0) + FLOOR / count


def _normalised(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}
