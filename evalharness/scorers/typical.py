"""The colour that references have in common, and how far they themselves lie from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from evalharness.types import Color, Lab


@dataclass(frozen=True, slots=True, kw_only=True)
class Typical:
    """The references' weighted median Lab, and each one's CIEDE2000 from it, ascending."""

    middle: Lab
    distances: tuple[float, ...]

    @property
    def spread(self) -> float:
        """The distance within which nine in ten references lie."""
        return float(np.quantile(self.distances, 0.9))

    def drift(self, lab: Lab) -> float:
        """CIEDE2000 of a colour from the references' middle."""
        return float(difference(np.array(self.middle), np.array(lab)))

    def further(self, drift: float) -> str:
        """In words: the share of references that lie at least as far out."""
        share = float(np.mean(np.array(self.distances) >= drift))
        return f"{share:.0%} of the references lie further out" if share else "further out than every reference"


def typical_color(colors: Sequence[Color]) -> Typical:
    """What one or more reference colours have in common; each counts by its confidence."""
    labs = np.array([color.lab for color in colors])
    weights = np.array([color.confidence for color in colors])
    light, red, yellow = (weighted_median(labs[:, channel], weights) for channel in range(3))
    middle = (light, red, yellow)
    distances = difference(np.broadcast_to(np.array(middle), labs.shape), labs)
    return Typical(middle=middle, distances=tuple(sorted(float(value) for value in distances)))


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """The value with half of the weight on each side; the mean of both neighbours where it falls between two."""
    order = np.argsort(values, kind="stable")
    ranked, reached = values[order], np.cumsum(weights[order])
    # half of the weight is rarely hit exactly in floating point
    half, close = reached[-1] / 2.0, 1e-9 * reached[-1]
    low = int(np.searchsorted(reached, half - close, side="left"))
    high = int(np.searchsorted(reached, half + close, side="right"))
    return float((ranked[low] + ranked[min(high, len(ranked) - 1)]) / 2.0)


def difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIEDE2000 of Lab arrays (..., 3); Sharma, Wu and Dalal 2005."""
    return np.asarray(deltaE_ciede2000(first, second), dtype=np.float64)
