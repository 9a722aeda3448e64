"""The mouth as geometry: its stroke in the lower face, how wide, how open, and which way its corners go."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from evalharness.perception.geometry import LEFT, PER_UNIT, TOP, Array, Mask, column_of, row_of
from evalharness.perception.strokes import DRAWN, Strokes

REACH_X, REACH_Y = 0.46, 0.36
"""Half the size of the window around the mouth's expected place, in head units."""
LEAST = 60.0
"""CIELAB contrast summed over a mouth's pixels below which it is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MouthShape:
    """A mouth in head units. `corners` > 0: the ends are higher than the middle (a smile).

    `width` and `height` are of the stroke with what it encloses, `filled` its share of that box, `top` and `bottom`
    the bows of its upper and lower edge (as `corners`), `wave` what a W has and an arc lacks; `light` and `red`
    compare its inside with the skin in CIELAB L* and a*. `line` is its middle line, `strength` its contrast.
    """

    width: float
    height: float
    filled: float
    corners: float
    top: float
    bottom: float
    wave: float
    light: float
    red: float
    strength: float
    line: Array


def read_mouth(strokes: Strokes, middle: tuple[float, float]) -> MouthShape | None:
    """The mouth's shape near `middle` (head units); None where no stroke is there."""
    x, y = (middle[0] - REACH_X, middle[0] + REACH_X), (middle[1] - REACH_Y, middle[1] + REACH_Y)
    left, top = column_of(max(x[0], LEFT)), row_of(max(y[0], TOP))
    drawn = strokes.crop.window(strokes.off_skin, x, y)
    lab = strokes.crop.window(strokes.crop.lab, x, y)
    mask = _mouth_pixels(drawn, (middle[0] - LEFT) * PER_UNIT - left, (middle[1] - TOP) * PER_UNIT - top)
    if mask is None:
        return None
    return _shape(mask, drawn, lab - strokes.skin, (left, top))


def residue(strokes: Strokes, middle: tuple[float, float]) -> float:
    """What is drawn at the mouth's place at most (98th percentile of the distance from skin): near 0 on bare skin."""
    x, y = (middle[0] - 0.25, middle[0] + 0.25), (middle[1] - 0.15, middle[1] + 0.15)
    place = strokes.crop.window(strokes.off_skin, x, y)
    return float(np.percentile(place, 98)) if place.size else float("inf")


def _mouth_pixels(drawn: Array, column: float, row: float) -> Mask | None:
    """The mouth's stroke with what it encloses: a strong one first, a faint one only where there is no other."""
    for least in (max(DRAWN, 0.3 * float(np.max(drawn))), DRAWN):
        best = _nearest_stroke(drawn, drawn > least, column, row)
        if best is not None:
            # soft edges of a strong stroke are not part of its shape
            return np.asarray(ndimage.binary_fill_holes(best & (drawn > 0.3 * float(np.max(drawn[best])))))
    return None


def _nearest_stroke(drawn: Array, mask: Mask, column: float, row: float) -> Mask | None:
    """The piece with the most contrast near the expected place that is no jaw, collar or nose."""
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    best, most = None, LEAST
    for number in range(1, count + 1):
        piece = parts == number
        rows, columns = np.nonzero(piece)
        inside = rows.max() < len(drawn) - 1 and columns.min() > 0 and columns.max() < drawn.shape[1] - 1
        away = np.hypot((columns.mean() - column) / PER_UNIT, 1.3 * (rows.mean() - row) / PER_UNIT)
        weight = float(drawn[piece].sum() * np.exp(-((away / 0.22) ** 2)))
        if inside and weight > most:
            best, most = piece, weight
    return best


def _shape(mask: Mask, drawn: Array, off: Array, corner: tuple[int, int]) -> MouthShape:
    rows, columns = np.nonzero(mask)
    across = np.unique(columns)
    weight = np.where(mask, drawn, 0.0)[:, across]
    heights = np.arange(len(mask))[:, None]
    middle = (weight * heights).sum(axis=0) / weight.sum(axis=0)
    upper = np.array([rows[columns == column].min() for column in across], dtype=float)
    lower = np.array([rows[columns == column].max() for column in across], dtype=float)
    width, height = float(np.ptp(columns) + 1), float(np.ptp(rows) + 1)
    center = ndimage.binary_erosion(mask, iterations=2) if height > 0.2 * PER_UNIT else mask
    inside = off[center] if center.any() else off[mask]
    line = np.stack((across + corner[0], middle + corner[1]), axis=1) / PER_UNIT + (LEFT, TOP)
    return MouthShape(
        width=width / PER_UNIT,
        height=height / PER_UNIT,
        filled=float(mask.sum() / (width * height)),
        corners=bow(middle),
        top=bow(upper),
        bottom=bow(lower),
        wave=wave(middle),
        light=float(np.median(inside[:, 0])),
        red=float(np.median(inside[:, 1])),
        strength=float(drawn[mask].mean()),
        line=line[:: max(1, len(line) // 8)],
    )


def bow(heights: Array) -> float:
    """How much lower the middle of a line is than its ends, in head units: the parabola through it (rows grow down)."""
    if len(heights) < 4:
        return 0.0
    x = np.linspace(-1.0, 1.0, len(heights))
    return float(-np.polynomial.polynomial.polyfit(x, heights, 2)[2]) / PER_UNIT


def wave(heights: Array) -> float:
    """The size of a W in a line: its part along the fourth Legendre polynomial, in head units."""
    if len(heights) < 6:
        return 0.0
    x = np.linspace(-1.0, 1.0, len(heights))
    return float(np.polynomial.legendre.legfit(x, heights, 4)[4]) / PER_UNIT
