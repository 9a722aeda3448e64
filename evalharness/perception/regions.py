"""The regions whose colours are reported: hair, eyes, skin and background."""

import numpy as np

from evalharness.perception.colors import distance, region_color
from evalharness.perception.geometry import Array, Crop, Mask, crop_coordinates
from evalharness.perception.hair import HairMask
from evalharness.types import Color

EYE = (0.46, 0.05)
"""Where an eye's iris is expected, in head units (mirrored for the other eye)."""


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
        found += [skin, region_color(crop.lab, _irises(crop.lab, x, y, skin), "eyes")]
    return tuple(color for color in found if color is not None)


def border(shape: tuple[int, ...]) -> Mask:
    """The upper three quarters of the image's edge, 1/16 of its width deep: background, mostly."""
    mask = np.zeros(shape[:2], dtype=bool)
    height, width = mask.shape
    depth = max(2, width // 16)
    mask[:depth] = mask[:, :depth] = mask[:, -depth:] = True
    mask[int(0.75 * height) :] = False
    return mask


def _irises(lab: Array, x: Array, y: Array, skin: Color | None) -> Mask:
    """Pixels of both irises: neither skin, nor white, nor the dark of pupil and lashes."""
    near = np.hypot(np.abs(x) - EYE[0], y - EYE[1]) < 0.24
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    colored = (lab[..., 0] > 22) & ~((lab[..., 0] > 75) & (chroma < 14))
    if skin is not None:
        colored &= distance(lab, np.array(skin.lab)) > 16
    return np.asarray(near & colored)
