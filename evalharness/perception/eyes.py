"""An eye as geometry: its lids, how open it is, how much of it is white and how much dark."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from evalharness.perception.geometry import PER_UNIT, TOP, Array, Mask
from evalharness.perception.strokes import DRAWN, Strokes

HALF = 0.3
"""Half the width of the window looked at, in head units."""
LEAST = 0.06
"""Share of the window that must be drawn on for an eye to be there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeShape:
    """An eye in head units: `opening` is its height, `area` its drawn area.

    `white` and `dark` are shares of that area: lighter than skin, and far darker; `strength` is the mean CIELAB
    distance from skin.
    """

    opening: float
    area: float
    white: float
    dark: float
    strength: float


def read_eye(strokes: Strokes, center: tuple[float, float], side: int, lid: float) -> EyeShape | None:
    """The eye at `center` (head units) under an upper lid at height `lid`; None where nothing is drawn.

    `side` is -1 at the image's left, +1 at its right.
    """
    x, y = (center[0] - HALF, center[0] + HALF), (max(lid - 0.05, TOP), center[1] + 0.36)
    off = strokes.crop.window(strokes.off_skin, x, y)
    lab = strokes.crop.window(strokes.crop.lab, x, y)
    if min(off.shape) < 4:
        return None
    mask = ndimage.binary_closing(off > DRAWN)
    if mask.mean() < LEAST:
        return None
    return _shape(mask, off, lab - strokes.skin, y[0], side)


def _shape(mask: Mask, off: Array, lab: Array, top: float, side: int) -> EyeShape:
    light = lab[..., 0]
    area = float(mask.sum())
    rows = np.flatnonzero(mask[:, mask.shape[1] // 3 : -(mask.shape[1] // 3)].any(axis=1))
    height = float(np.ptp(rows) + 1) if len(rows) else 0.0
    return EyeShape(
        opening=height / PER_UNIT,
        white=float((mask & (light > -4.0)).sum() / area),
        dark=float((mask & (light < -30.0)).sum() / area),
        area=area / PER_UNIT**2,
        strength=float(off[mask].mean()),
    )
