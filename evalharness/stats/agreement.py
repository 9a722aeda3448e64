"""How far two judges agree, one of them a person: recall, precision, F1, kappa, each with a bootstrap interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Codes = NDArray[np.int64]
Measure = Callable[[Codes, Codes], float]
ROUNDS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A measure with its interval over `n` images; None where the images cannot tell (no image, no positive)."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


def recall(truth: Codes, said: Codes) -> float:
    """The share of the true ones (1) that are said; NaN without any."""
    return _share(truth & said, truth)


def precision(truth: Codes, said: Codes) -> float:
    """The share of those said (1) that are true; NaN where nothing is said."""
    return _share(truth & said, said)


def f1(truth: Codes, said: Codes) -> float:
    """The harmonic mean of recall and precision; NaN where nothing is true and nothing said."""
    total = _count(truth) + _count(said)
    return 2.0 * _count(truth & said) / total if total else float("nan")


def accuracy(truth: Codes, said: Codes) -> float:
    """The share of equal answers."""
    return float(np.mean(truth == said))


def macro_f1(truth: Codes, said: Codes) -> float:
    """The mean F1 over the classes that occur in the truth, so that rare ones count as much as common ones."""
    classes = np.unique(truth)
    return float(np.mean([f1((truth == k).astype(np.int64), (said == k).astype(np.int64)) for k in classes]))


def quadratic_kappa(truth: Codes, said: Codes) -> float:
    """Cohen's kappa of ordered grades, disagreement weighted by its square; 1 = equal, 0 = chance.

    J. Cohen, Weighted kappa, Psychological Bulletin 70 (1968). NaN where both judges give one and the same grade.
    """
    observed = float(np.mean((truth - said) ** 2))
    expected = float(np.mean((truth[:, None] - said[None, :]) ** 2))
    return 1.0 - observed / expected if expected > 0.0 else float("nan")


def agree(
    measure: Measure, truth: ArrayLike, said: ArrayLike, rng: np.random.Generator, level: float = 0.95
) -> Agreement:
    """A measure of two judges' answers (n,) with its percentile bootstrap interval over images.

    Resamples that leave the measure undefined are drawn again in effect: they are left out. The interval is that of
    images like these; of few images it is too narrow rather than too wide.
    """
    true, answered = np.asarray(truth, dtype=np.int64), np.asarray(said, dtype=np.int64)
    count = len(true)
    value = float(measure(true, answered)) if count else float("nan")
    if np.isnan(value):
        return Agreement(value=None, n=count)
    drawn = rng.integers(count, size=(ROUNDS, count))
    values = np.array([measure(true[rows], answered[rows]) for rows in drawn])
    low, high = np.nanquantile(values, ((1.0 - level) / 2.0, (1.0 + level) / 2.0))
    return Agreement(value=value, n=count, low=float(low), high=float(high))


def rate(seconds: Sequence[float], rng: np.random.Generator, level: float = 0.95) -> Agreement:
    """Images a second from each image's seconds, with its bootstrap interval."""
    taken = np.asarray(seconds, dtype=np.float64)
    if not len(taken):
        return Agreement(value=None, n=0)
    means = taken[rng.integers(len(taken), size=(ROUNDS, len(taken)))].mean(axis=1)
    slow, fast = np.quantile(means, ((1.0 + level) / 2.0, (1.0 - level) / 2.0))
    return Agreement(value=float(1.0 / taken.mean()), n=len(taken), low=float(1.0 / slow), high=float(1.0 / fast))


def _share(part: Codes, whole: Codes) -> float:
    total = _count(whole)
    return _count(part) / total if total else float("nan")


def _count(answers: Codes) -> int:
    return int(np.count_nonzero(answers))
