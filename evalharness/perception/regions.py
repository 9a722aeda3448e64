"""The regions whose colours are reported: hair, eyes, skin and background."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from evalharness.perception.colors import distance, region_color
from evalharness.perception.geometry import Array, Crop, Mask, crop_coordinates
from evalharness.perception.hair import HairMask
from evalharness.types import Color

EYE = (0.46, 0.05)
"""Where an eye's iris is expected, in head units (mirrored for the other eye)."""
IRIS = 0.32
"""Width of an iris in head units."""
CLEAR = 20.0
"""Pixels across from which an iris shows its colour; under half of that it is a blend of lashes, shine and skin."""


def region_colors(small: Array, hair: HairMask | None, crop: Crop | None) -> tuple[Color, ...]:
    """Colours of all regions that can be told: `small` is the view in which `hair` was found, `crop` the main face's.

    Shares are of the view for hair and background, of the crop for skin and eyes.
    """
    found = [region_color(small, border(small.shape), "background")]
    if hair is not None:
        found.append(region_color(small, hair.mask, "hair"))
    if crop is not None:
        x, y = crop_coordinates()
        skin = region_color(crop.lab, (np.abs(x) < 0.6) & (y > 0.15) & (y < 0.7), "skin")
        found += [skin, _eye_color(crop, x, y, skin)]
    return tuple(color for color in found if color is not None)


def border(shape: tuple[int, ...]) -> Mask:
    """The upper three quarters of the image's edge, 1/16 of its width deep: background, mostly."""
    mask = np.zeros(shape[:2], dtype=bool)
    height, width = mask.shape
    depth = max(2, width // 16)
    mask[:depth] = mask[:, :depth] = mask[:, -depth:] = True
    mask[int(0.75 * height) :] = False
    return mask


def _eye_color(crop: Crop, x: Array, y: Array, skin: Color | None) -> Color | None:
    """The irises' colour; its confidence falls where they are drawn so small that lashes and shine blend into them."""
    color = region_color(crop.lab, _irises(crop.lab, x, y, skin), "eyes")
    if color is None:
        return None
    clear = min(1.0, (IRIS * crop.frame.unit / CLEAR) ** 2)
    return replace(color, confidence=color.confidence * clear)


def _irises(lab: Array, x: Array, y: Array, skin: Color | None) -> Mask:
    """Pixels of both irises: neither skin, nor white, nor the dark of pupil and lashes, nor blends at their edges."""
    near = np.hypot(np.abs(x) - EYE[0], y - EYE[1]) < 0.24
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    dark = lab[..., 0] < 22
    colored = ~((lab[..., 0] > 75) & (chroma < 14))
    if skin is not None:
        colored &= distance(lab, np.array(skin.lab)) > 16
    inner = ndimage.binary_erosion(near & colored, iterations=2) & ~ndimage.binary_dilation(dark)
    return np.asarray(inner)
