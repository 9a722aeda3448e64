"""Brows and upper lids as geometry: the two pairs of dark lines over the eyes that fit best together."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from evalharness.perception.geometry import PER_UNIT, Array, column_of, row_of

ALONG = np.linspace(0.18, 0.72, 12)
"""Where a line is looked at: distances from the head's axis, in head units."""
BESIDE = 0.13
"""Distance above and below a line at which it must have ended."""
APART = 0.14
"""Least distance of a brow's middle from the upper lid's."""
SKEWS = (0.0, -0.04, 0.04, -0.08, 0.08, -0.12, 0.12, -0.16, 0.16)
"""Slopes tried, the likeliest first."""
THICK = 0.28
"""What is thicker than this is no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOfLines:
    """Two mirrored lines in head units: `height` of their middles over the eyes' line.

    `slope` > 0: inner ends lower; `bow` is how much higher the middle is than the ends; `contrast` is their CIELAB
    lightness contrast; `left` and `right` are their points.
    """

    height: float
    slope: float
    bow: float
    contrast: float
    left: Array
    right: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class UpperFace:
    """What lies over the eyes; `skew` is how much lower the right side lies a head unit than the frame says."""

    brows: PairOfLines
    lids: PairOfLines
    skew: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """Lines to try: `heights` (n, 12) along them, `shapes` (n, 3) as middle, slope, bow."""

    heights: Array
    shapes: Array


def read_upper_face(lightness: Array, drawn: Array) -> UpperFace:
    """The brow and lid lines of an upright crop whose contrasts together are largest.

    `lightness` is CIELAB L*, `drawn` the distance to skin or hair, both (height, width) of a crop.
    """
    lines = thin_dark_lines(lightness)
    skew = _skew(lines)
    lines, drawn = (_skewed(values, skew) for values in (lines, np.minimum(drawn, 40.0)))
    brows, lids = _families()
    brow_scores = _contrast(lines, brows.heights) - 0.1 * _beside(drawn, brows.heights, (-1, 1))
    # over an upper lid lies skin or hair; over a line inside the eye lies the eye
    lid_scores = _contrast(lines, lids.heights) - 0.25 * _beside(drawn, lids.heights, (-1,))
    below = _best_below(lids.shapes[:, 0], lid_scores)(brows.shapes[:, 0] + APART)
    best = int(np.argmax(brow_scores + 0.7 * below))
    fits = lids.shapes[:, 0] >= brows.shapes[best, 0] + APART
    lid = int(np.argmax(np.where(fits, lid_scores, -np.inf)))
    return UpperFace(brows=_pair(brows, best, brow_scores, skew), lids=_pair(lids, lid, lid_scores, skew), skew=skew)


def _skew(lines: Array) -> float:
    """The skew of the eyes' region against its own mirror image, as a slope: the finder's eyes are a little off."""
    window = (slice(row_of(-0.75), row_of(0.15)), slice(column_of(-0.85), column_of(0.85)))

    def balance(slope: float) -> float:
        region = ndimage.gaussian_filter(_skewed(lines, slope)[window], 0.7)
        return float(np.minimum(region, region[:, ::-1]).sum())

    return max(SKEWS, key=balance)


def _skewed(values: Array, slope: float) -> Array:
    """Every column moved up by its x times `slope`."""
    rows, columns = np.indices(values.shape)
    shifts = np.round((columns - column_of(0.0)) * slope).astype(np.intp)
    return np.asarray(values[np.clip(rows + shifts, 0, len(values) - 1), columns])


def _best_below(middles: Array, scores: Array) -> Callable[[Array], Array]:
    """For heights: the best score of all lines at or below them, 0 where there is none."""
    order = np.argsort(middles)
    best = np.append(np.maximum.accumulate(scores[order][::-1])[::-1], 0.0)
    return lambda heights: np.asarray(best[np.searchsorted(middles[order], heights)])


def thin_dark_lines(lightness: Array) -> Array:
    """How much darker a pixel is than what lies above and below it (a black top-hat along the columns)."""
    size = round(THICK * PER_UNIT)
    smooth = ndimage.gaussian_filter(lightness, 0.5)
    return np.asarray(ndimage.grey_closing(smooth, size=(size, 1)) - smooth)


@cache
def _families() -> tuple[_Family, _Family]:
    brows = _family(np.arange(-1.12, -0.2, 0.035), np.arange(-0.6, 0.61, 0.1), np.arange(0.0, 0.25, 0.06))
    lids = _family(np.arange(-0.6, 0.1, 0.035), np.arange(-0.4, 0.41, 0.1), np.arange(0.0, 0.5, 0.08))
    return brows, lids


def _family(middles: Array, slopes: Array, bows: Array) -> _Family:
    shapes = np.array([(middle, slope, bow) for middle in middles for slope in slopes for bow in bows])
    t = np.linspace(-1.0, 1.0, len(ALONG))
    return _Family(heights=shapes[:, :1] - shapes[:, 1:2] * t / 2 + shapes[:, 2:] * t**2, shapes=shapes)


def _contrast(lines: Array, heights: Array) -> Array:
    """For every line (n, 12): its contrast on both sides of the face, less what continues above and below it."""
    rows = np.round((heights + 1.5) * PER_UNIT).astype(np.intp)
    left, right = (_one_side(lines, rows, sign) for sign in (-1, 1))
    return (left + right) / 2.0


def _one_side(lines: Array, rows: NDArray[np.intp], sign: int) -> Array:
    columns = np.array([column_of(sign * x) for x in ALONG])[None, :]
    reach = round(BESIDE * PER_UNIT)

    def at(shift: int) -> Array:
        return np.asarray(lines[np.clip(rows + shift, 0, len(lines) - 1), columns])

    on = at(0)
    # a line that is there only part of the way is another line crossing
    even = np.minimum(on, 1.3 * np.median(on, axis=1, keepdims=True))
    return np.asarray(even.mean(axis=1) - 0.3 * (at(-reach) + at(reach)).mean(axis=1))


def _beside(drawn: Array, heights: Array, sides: tuple[int, ...]) -> Array:
    """For every line (n, 12): the mean of `drawn` 0.17 head units above (-1) or below (1) it, on both eyes."""
    rows = np.round((heights + 1.5) * PER_UNIT).astype(np.intp)
    columns = [np.array([column_of(sign * x) for x in ALONG])[None, :] for sign in (-1, 1)]
    shifts = [round(side * 0.17 * PER_UNIT) for side in sides]
    places = [(np.clip(rows + shift, 0, len(drawn) - 1), column) for shift in shifts for column in columns]
    return np.asarray(np.mean([drawn[place].mean(axis=1) for place in places], axis=0))


def _pair(family: _Family, best: int, scores: Array, skew: float) -> PairOfLines:
    left, right = (np.stack((sign * ALONG, family.heights[best] + skew * sign * ALONG), axis=1) for sign in (-1, 1))
    middle, slope, bow = (float(value) for value in family.shapes[best])
    return PairOfLines(height=-middle, slope=slope, bow=bow, contrast=float(scores[best]), left=left, right=right)
