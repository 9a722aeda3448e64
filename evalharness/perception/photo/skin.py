"""How much fine detail the skin of a photographed face has: pores and grain, or the smoothness of an airbrush."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from evalharness.types import Point

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Numbers of the face mesh's points around the face."""
SIDE = 160
"""Pixels that a face's width is reduced to, so that detail of one size is compared; a smaller face shows none."""
FINE = 2.0
"""Standard deviation in these pixels of the blur that takes fine detail away: some hundredth of the face's width."""
STEEP = 0.03
"""Change of brightness a pixel, as a share of it, from which there is an edge: a nostril, a fold, a strand of hair."""
LEAST = 500
"""Pixels of skin below which nothing is said."""
Array = NDArray[np.float64]


def skin_texture(image: Image.Image, points: Sequence[Point], parts: Sequence[Sequence[Point]]) -> float | str:
    """Fine detail of the skin in percent of its brightness, or why it cannot be told, in words.

    The median absolute deviation (times 1.4826, a standard deviation of noise) of the luma less its blurred self, over
    the face without its parts (outlines in pixels), its rim and its edges. Grain of the film or of a sampler counts as
    skin does: it tells of pictures of one kind beside each other.
    """
    oval = [points[number] for number in OVAL]
    left, top = min(x for x, _ in oval), min(y for _, y in oval)
    width, height = max(x for x, _ in oval) - left, max(y for _, y in oval) - top
    if width < SIDE:
        return f"the face is {width:.0f} pixels wide; fine detail is told from {SIDE} on"
    scale = SIDE / width
    size = (SIDE, max(1, round(height * scale)))
    face = image.convert("L").resize(size, Image.Resampling.LANCZOS, box=_inside(image, left, top, width, height))
    luma: Array = np.asarray(face, dtype=np.float64)
    skin = _polygon(size, oval, (left, top), scale)
    skin = ndimage.binary_erosion(skin, iterations=round(0.06 * SIDE))
    for part in parts:
        skin &= ~ndimage.binary_dilation(_polygon(size, part, (left, top), scale), iterations=round(0.05 * SIDE))
    skin &= ~_edges(luma)
    if int(skin.sum()) < LEAST:
        return "hardly any skin of the face is free of parts and edges"
    fine = (luma - ndimage.gaussian_filter(luma, FINE))[skin]
    spread = 1.4826 * float(np.median(np.abs(fine - np.median(fine))))
    return 100.0 * spread / max(1.0, float(np.median(luma[skin])))


def _inside(
    image: Image.Image, left: float, top: float, width: float, height: float
) -> tuple[float, float, float, float]:
    """The face's box; what lies beyond the frame is cut, as a box of resize must lie inside."""
    right, bottom = min(float(image.width), left + width), min(float(image.height), top + height)
    return max(0.0, left), max(0.0, top), right, bottom


def _polygon(size: tuple[int, int], outline: Sequence[Point], origin: Point, scale: float) -> NDArray[np.bool_]:
    shown = Image.new("1", size)
    line = [((x - origin[0]) * scale, (y - origin[1]) * scale) for x, y in outline]
    ImageDraw.Draw(shown).polygon(line, fill=1)
    return np.asarray(shown, dtype=bool)


def _edges(luma: Array) -> NDArray[np.bool_]:
    """Where brightness changes steeply, with the surroundings that the blur smears it over."""
    smooth = ndimage.gaussian_filter(luma, FINE)
    steep = np.hypot(*np.gradient(smooth)) > STEEP * np.maximum(smooth, 16.0)
    return np.asarray(ndimage.binary_dilation(steep, iterations=round(2 * FINE)))
