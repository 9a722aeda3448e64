"""Intervals of a mean when prompts are the sample and seeds are repeats.

`weigh` condenses values into evidence, which answers two questions: where the truth may lie, and how surprising the
values would be on the wrong side of a threshold. Both come from the same distribution, so they never contradict.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalharness.stats.evidence import Balance, Means, Nothing, Shares
from evalharness.types import Estimate

Floats = NDArray[np.float64]
# Wrong verdicts stay at 5 % where the true correlation is up to 0.5. The price of that caution: 24 passes of 24 images
# in 6 prompts do not show a share of 0.8. With 0.25 and 5 prompts they would, and 9 % of verdicts could be wrong.
SUPPOSED_CORRELATION = 0.5
"""How alike images of one prompt are supposed to be (intracluster correlation) before they tell."""
SUPPOSED_PROMPTS = 3.0
"""As how many prompts that supposition counts; prompts count by how much their images differ, fully at half passes."""
SUPPOSED_FAILURES = 3.0
"""Complete failures (or passes) that partial ones may hide: as many can be missed at 95 % (the rule of three)."""
MOSTLY = 0.5
"""Share of values at 0 or 1 from which the rest counts as partial passes."""
ROUNDING = 1e-9


class Evidence(Protocol):
    """What the values say about the true mean."""

    @property
    def mean(self) -> float | None:
        """The mean of the prompts' means."""
        ...

    def bounds(self, level: float) -> tuple[float, float] | None:
        """The two-sided interval; None where the values cannot tell how far off they may be."""
        ...

    def doubt_above(self, threshold: float) -> float:
        """p-value against 'the truth is at most the threshold': small = it is above. One-sided."""
        ...

    def doubt_below(self, threshold: float) -> float:
        """p-value against 'the truth is at least the threshold': small = it is below. One-sided."""
        ...


def clustered_interval(
    values: ArrayLike, clusters: Sequence[Any] | NDArray[Any], level: float = 0.95, *, unscored: int = 0
) -> Estimate:
    """Mean of values (n,) with its two-sided interval; clusters (n,) name each value's prompt.

    Values in 0..1 that are mostly 0 or 1 have the interval of a share among effective images, others Student's t over
    prompt means.
    Raises ValueError for a level outside 0..1, lengths that differ, or values that are not finite.
    """
    return estimate(weigh(values, clusters), level, (np.size(values), unscored, len(np.unique(clusters))))


def estimate(evidence: Evidence, level: float, counts: tuple[int, int, int]) -> Estimate:
    """Evidence as an Estimate; counts are scored, unscored and prompts."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}; a confidence level lies between 0 and 1, such as 0.95.")
    low, high = evidence.bounds(level) or (None, None)
    scored, unscored, prompts = counts
    return Estimate(
        mean=evidence.mean, low=low, high=high, level=level, scored=scored, unscored=unscored, prompts=prompts
    )


def weigh(values: ArrayLike, clusters: Sequence[Any] | NDArray[Any], *, signed: bool = False) -> Evidence:
    """The evidence of values (n,) in clusters (n,); `signed` where they are differences, so that 0 is a middle."""
    numbers, codes = _checked(values, clusters)
    if not numbers.size:
        return Nothing()
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=numbers) / sizes
    if not signed and _like_shares(numbers):
        return shares(numbers, codes)
    if _equal(numbers):
        return _alike(float(numbers[0]), codes)
    return _student(numbers, means)


def shares(numbers: Floats, codes: NDArray[np.intp]) -> Shares:
    """Values in 0..1 of prompts `codes` (both (n,)) as a share among independent images.

    Korn and Graubard (Survey Methodology 24, 1998) put images / design effect in Clopper and Pearson's interval. The
    design effect is 1 + (images per prompt - 1) x correlation, times the variance of one image as a part of what
    pass/fail of the same mean would have: scores that fail partly vary less. One prompt alone is worth one image.
    """
    sizes = np.bincount(codes)
    means = np.bincount(codes, weights=numbers) / sizes
    share = float(means.mean())
    if len(means) == 1:
        return Shares(mean=share, images=1.0)
    binary = share * (1.0 - share)
    partial = float((np.bincount(codes, weights=numbers * (1.0 - numbers)) / sizes).mean())
    part = 1.0 - partial / (binary + SUPPOSED_FAILURES / numbers.size)
    alike = correlation(means, numbers.size / len(means), binary * part, 4.0 * (binary - partial))
    clustering = 1.0 + (numbers.size / len(means) - 1.0) * alike
    # Images that are all alike move the mean by a whole prompt at a time.
    step = alike + (1.0 - alike) / clustering
    return Shares(mean=share, images=numbers.size / clustering / part, step=step)


def correlation(means: Floats, per_prompt: float, variance: float, variety: float) -> float:
    """How alike images of one prompt are, 0..1, from prompt means (m,) of `per_prompt` images with this variance.

    The variance of prompt means is variance / per_prompt x (1 + (per_prompt - 1) x correlation). What is seen of it is
    drawn to SUPPOSED_CORRELATION, the more the less images vary (`variety` is 1 at half passes, 0 where all are equal):
    where all pass, nothing tells whether it was by luck of each image or of each prompt.
    """
    told = (len(means) - 1) * max(variety, 0.0)
    if not told or per_prompt == 1.0:
        return SUPPOSED_CORRELATION
    seen = (float(means.var(ddof=1)) * per_prompt / variance - 1.0) / (per_prompt - 1.0)
    drawn = told * min(max(seen, -1.0), 1.0) + SUPPOSED_PROMPTS * SUPPOSED_CORRELATION
    return max(drawn / (told + SUPPOSED_PROMPTS), 0.0)


def _student(numbers: Floats, means: Floats) -> Evidence:
    prompts = len(means)
    if prompts == 1:
        return Nothing(mean=float(means[0]))
    error = float(means.std(ddof=1)) / prompts**0.5
    # Equal prompt means are luck, not certainty: at the least, the images vary.
    error = float(numbers.std(ddof=1)) / len(numbers) ** 0.5 if _equal(means) else error
    return Means(mean=float(means.mean()), error=error, degrees=prompts - 1)


def _like_shares(numbers: Floats) -> bool:
    """Values in 0..1 of which at least half are exactly 0 or 1: passes and failures, some of them partial.

    Rare failures hide in a small spread: for scores that are mostly 1 with a true mean of 0.95, Student's t promotes a
    subject that is no better than asked in 9 to 16 % of simulations instead of 5 %. No variable in 0..1 varies more
    than a share of the same mean (Hoeffding, JASA 58, 1963), so the share's interval is the cautious one.
    """
    inside = ((numbers >= 0.0) & (numbers <= 1.0)).all()
    return bool(inside and np.isin(numbers, (0.0, 1.0)).mean() >= MOSTLY)


def _equal(numbers: Floats) -> bool:
    """Equal but for rounding."""
    return float(np.ptp(numbers)) <= ROUNDING * max(float(np.abs(numbers).max()), 1.0)


def _alike(value: float, codes: NDArray[np.intp]) -> Evidence:
    """All values are equal: no spread to learn from, unless they are pass/fail differences."""
    if min(abs(value), abs(abs(value) - 1.0)) <= ROUNDING:
        return Balance(mean=float(round(value)), images=shares(np.zeros(codes.size), codes).images)
    return Nothing(mean=value)


def _checked(values: ArrayLike, clusters: Sequence[Any] | NDArray[Any]) -> tuple[Floats, NDArray[np.intp]]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.shape != np.shape(clusters) or numbers.ndim != 1:
        raise ValueError(f"{numbers.shape} values in {np.shape(clusters)} clusters; each value has one cluster.")
    if not np.isfinite(numbers).all():
        raise ValueError("a value is not finite; unscored cells are counted, not averaged.")
    return numbers, np.unique(np.asarray(clusters), return_inverse=True)[1]
