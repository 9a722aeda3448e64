"""Colours in CIELAB: the typical colour of a region, robust to shading, lines and highlights."""

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.color import rgb2lab

from evalharness.perception.geometry import Array, Mask
from evalharness.types import Color, Lab

BIN = 2.0
"""Width of a histogram bin of the a*b* plane."""
REACH = 5.0
"""Chroma distance within which a pixel belongs to the mode."""
STEPS = 4
"""Steps in which a mode found in a histogram follows the pixels around it."""
DEEP = 3.0
"""Pixels at least this far from a mask's edge count fully."""
ENOUGH = 12
"""Pixels a region must have before its colour means anything."""


def to_lab(image: Image.Image) -> Array:
    """An RGB image as CIELAB (D65), float64, shape (height, width, 3)."""
    lab: Array = rgb2lab(np.asarray(image.convert("RGB"), dtype=np.float64) / 255.0)
    return lab


def chroma_mode(pixels: Array, weights: Array | None = None) -> tuple[Array, Mask]:
    """The mode of the a*b* plane of Lab pixels (n, 3) with the median lightness there, and which pixels belong to it.

    The histogram is smoothed by 1.5 bins and its peak then follows the pixels around it (mean shift, Fukunaga and
    Hostetler 1975), so that the mode is not a matter of bin edges. `weights` (n,) say how much each pixel counts.
    """
    counted = np.ones(len(pixels)) if weights is None else weights
    edges = np.arange(-110.0, 110.0 + BIN, BIN)
    counts, _, _ = np.histogram2d(pixels[:, 1], pixels[:, 2], bins=(edges, edges), weights=counted)
    row, column = np.unravel_index(np.argmax(ndimage.gaussian_filter(counts, 1.5)), counts.shape)
    peak = np.array((edges[row], edges[column])) + BIN / 2
    for _ in range(STEPS):
        near = np.hypot(*(pixels[:, 1:] - peak).T) < REACH
        if not counted[near].sum() > 0:
            return np.median(pixels, axis=0), np.ones(len(pixels), dtype=bool)
        peak = np.average(pixels[near, 1:], axis=0, weights=counted[near])
    near = np.hypot(*(pixels[:, 1:] - peak).T) < REACH
    # the most frequent lightness jumps between light and shade when an image gets a little darker; the median moves
    return np.median(pixels[near], axis=0), near


def as_lab(color: Array) -> Lab:
    """Three numbers as plain floats."""
    lightness, a, b = (float(value) for value in color)
    return lightness, a, b


def region_color(lab: Array, mask: Mask, region: str) -> Color | None:
    """The typical colour of a masked region of an image; None where fewer than 12 pixels show it.

    Pixels deep inside the mask count fully, those at its edge a third: there the mask is least sure, and lines blend.
    """
    pixels = lab[mask]
    if len(pixels) < ENOUGH:
        return None
    sure = np.minimum(ndimage.distance_transform_edt(mask)[mask] / DEEP, 1.0)
    color, near = chroma_mode(pixels, sure)
    confidence = float(np.average(near, weights=sure) * min(1.0, len(pixels) / (4 * ENOUGH)))
    share = float(near.sum() / mask.size)
    return Color(region=region, lab=as_lab(color), share=share, confidence=confidence)  # type: ignore[arg-type]


def distance(lab: Array, color: Array, lightness: float = 1.0) -> Array:
    """Euclidean CIELAB distance (CIE 1976) of every pixel to a colour, lightness weighted by `lightness`."""
    return np.asarray(np.sqrt((((lab - color) * (lightness, 1.0, 1.0)) ** 2).sum(axis=-1)))
