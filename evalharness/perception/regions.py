"""The regions whose colours are reported: hair, eyes, skin and background."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from evalharness.perception.colors import ENOUGH, as_lab, chroma_mode, distance, region_color
from evalharness.perception.geometry import Array, Crop, Mask, crop_coordinates
from evalharness.perception.hair import HairMask
from evalharness.types import Color

EYE = (0.46, 0.05)
"""Where an eye's iris is expected, in head units (mirrored for the other eye)."""
IRIS = 0.32
"""Width of an iris in head units."""
CLEAR = 20.0
"""Pixels across from which an iris shows its colour; under half of that it is a blend of lashes, shine and skin."""

CROWN = (1.1, 1.35, 0.1)
"""The head's outline as an ellipse, in head units: half its width, half its height, how far its middle is below the
eyes."""
BROWS = -0.45
NOT_SKIN = (8.0, 20.0)
"""CIELAB distances from skin at which a pixel above the brows begins to count as hair, and counts fully."""


def region_colors(small: Array, hair: HairMask | None, crop: Crop | None) -> tuple[Color, ...]:
    """Colours of all regions that can be told: `small` is the view in which `hair` was found, `crop` the main face's.

    Shares are of the view for hair and background, of the crop for skin and eyes.
    """
    found = [region_color(small, border(small.shape), "background")]
    skin = None
    if crop is not None:
        x, y = crop_coordinates()
        skin = region_color(crop.lab, (np.abs(x) < 0.6) & (y > 0.15) & (y < 0.7), "skin")
        found += [skin, _eye_color(crop, x, y, skin)]
    if hair is not None:
        crown = None if skin is None else crown_color(small, hair, np.array(skin.lab))
        found.append(crown or region_color(small, hair.mask, "hair"))
    return tuple(color for color in found if color is not None)


def crown_color(lab: Array, hair: HairMask, skin: Array) -> Color | None:
    """The hair's colour inside the head's outline above the brows: there it is hair by place and not by colour.

    None where there is little but skin.
    No pixel is in or out by a threshold on its colour: as a picture's colours shift, a mask takes in a wall or loses a
    strand, and its colour jumps.
    """
    x, y = hair.frame.coordinates(lab.shape)
    wide, tall, low = CROWN
    head = (np.hypot(x / wide, (y - low) / tall) < 1.0) & (y < BROWS)
    near, full = NOT_SKIN
    pixels = lab[head]
    weights = np.clip((distance(pixels, skin) - near) / (full - near), 0.0, 1.0)
    if np.sum(weights > 0) < 2 * ENOUGH:
        return None
    _, chosen = chroma_mode(pixels, weights)
    typical, counted = pixels[chosen], weights[chosen]
    order = np.argsort(typical[:, 0], kind="stable")
    middle = order[int(np.searchsorted(np.cumsum(counted[order]), counted.sum() / 2))]
    a, b = np.average(typical[:, 1:], axis=0, weights=counted)
    confidence = float(np.average(chosen, weights=weights) * min(1.0, len(pixels) / (4 * ENOUGH)))
    color = as_lab(np.array((typical[middle, 0], a, b)))
    return Color(region="hair", lab=color, share=float(chosen.sum() / head.size), confidence=confidence)


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
