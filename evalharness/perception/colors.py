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
ENOUGH = 12
"""Pixels a region must have before its colour means anything."""


def to_lab(image: Image.Image) -> Array:
    """An RGB image as CIELAB (D65), float64, shape (height, width, 3)."""
    lab: Array = rgb2lab(np.asarray(image.convert("RGB"), dtype=np.float64) / 255.0)
    return lab


def chroma_mode(pixels: Array) -> tuple[Array, Mask]:
    """The mode of the a*b* plane of Lab pixels (n, 3) at its most frequent lightness, and which pixels belong to it.

    The histogram is smoothed by 1.5 bins, so that the mode of few pixels is not a matter of bin edges.
    """
    edges = np.arange(-110.0, 110.0 + BIN, BIN)
    counts, _, _ = np.histogram2d(pixels[:, 1], pixels[:, 2], bins=(edges, edges))
    row, column = np.unravel_index(np.argmax(ndimage.gaussian_filter(counts, 1.5)), counts.shape)
    peak = np.array((edges[row], edges[column])) + BIN / 2
    near = np.hypot(*(pixels[:, 1:] - peak).T) < REACH
    if not near.any():
        return np.median(pixels, axis=0), np.ones(len(pixels), dtype=bool)
    return _at_typical_lightness(pixels[near]), near


def _at_typical_lightness(pixels: Array) -> Array:
    """The median of the pixels around the most frequent lightness: shade and shine lie away from it."""
    counts, edges = np.histogram(pixels[:, 0], bins=np.arange(0.0, 102.0, 2.0))
    peak = edges[int(np.argmax(ndimage.gaussian_filter(counts.astype(np.float64), 1.5)))] + 1.0
    near = np.abs(pixels[:, 0] - peak) < REACH
    return np.asarray(np.median(pixels[near] if near.any() else pixels, axis=0))


def as_lab(color: Array) -> Lab:
    """Three numbers as plain floats."""
    lightness, a, b = (float(value) for value in color)
    return lightness, a, b


def region_color(lab: Array, mask: Mask, region: str) -> Color | None:
    """The typical colour of a masked region of an image; None where fewer than 12 pixels show it."""
    pixels = lab[mask]
    if len(pixels) < ENOUGH:
        return None
    color, near = chroma_mode(pixels)
    confidence = float(near.mean() * min(1.0, len(pixels) / (4 * ENOUGH)))
    share = float(near.sum() / mask.size)
    return Color(region=region, lab=as_lab(color), share=share, confidence=confidence)  # type: ignore[arg-type]


def distance(lab: Array, color: Array, lightness: float = 1.0) -> Array:
    """Euclidean CIELAB distance (CIE 1976) of every pixel to a colour, lightness weighted by `lightness`."""
    return np.asarray(np.sqrt((((lab - color) * (lightness, 1.0, 1.0)) ** 2).sum(axis=-1)))
