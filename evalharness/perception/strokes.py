"""What is drawn on a face: how far every pixel of an upright crop is from skin and from hair."""

from dataclasses import dataclass

import numpy as np

from evalharness.perception.colors import chroma_mode, distance
from evalharness.perception.geometry import Array, Crop

DRAWN = 12.0
"""Distance from skin (and hair) from which a pixel counts as drawn upon it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strokes:
    """An upright crop with its skin colour; `off_skin` and `drawn` are CIELAB distances, shape (height, width).

    `drawn` is the distance to skin or hair, whichever is nearer: lines and features without the fringe's area.
    """

    crop: Crop
    skin: Array
    off_skin: Array
    drawn: Array


def read_strokes(crop: Crop, hair: Array | None) -> Strokes:
    """Measure a crop against the typical colour of its cheeks and, if known, the hair's."""
    cheeks = crop.window(crop.lab, (-0.6, 0.6), (0.2, 0.75)).reshape(-1, 3)
    skin = chroma_mode(cheeks)[0]
    off_skin = distance(crop.lab, skin)
    drawn = off_skin if hair is None else np.minimum(off_skin, distance(crop.lab, hair, 0.7))
    return Strokes(crop=crop, skin=skin, off_skin=off_skin, drawn=drawn)
