"""Animal ears: a small network on what stands out above the hair line of a found head."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from evalharness.perception.colors import distance
from evalharness.perception.geometry import Array, HeadFrame, box_of
from evalharness.perception.hair import HairMask
from evalharness.perception.weights import with_weights
from evalharness.types import Finding

WEIGHTS = Path(__file__).parent / "data" / "ears.safetensors"
SHA256 = "821afffc434bab251b7fac6a58d3299ff927855b8a1a7f7b9cb16799c9e8b9e2"
COLUMNS, ROWS, CELL, TOP = 48, 36, 0.075, -2.7
"""The view's cells are squares of 0.075 head units; it reaches 1.8 to both sides and from -2.7 down to the eyes."""
STEPS = 2
"""Samples a side of each cell."""
MIDDLE = float(np.log(0.8 / 0.2))
"""The logit at which ears are as likely as not: of hard drawings of other seeds without ears 0.14 are beyond 0 and 0.03
beyond this."""
ROOT = slice(14, 20)
"""The view's rows in which ears begin, 1.65 to 1.2 head units above the eyes."""
HIDDEN = 0.5
"""Share of these rows outside the image from which nobody can say whether there are ears."""
CROWN = (slice(20, 29), slice(12, 36))
"""The view's cells between brows and crown, 1.2 to 0.5 units above the eyes and 0.9 to both sides: full of hair."""
TORN = 0.22
"""Mean step of the mask from cell to cell there from which hair is strands of ink and its outline no head's: drawings
with and without ears have at most 0.20, manga in ink up to 0.31."""
FAR = 60.0
"""CIELAB distance from the hair's colour from which a pixel is as unlike it as can be."""


def find_ears(lab: Array, hair: HairMask) -> Finding | None:
    """How surely animal ears stand on a head; `lab` is the view in which `hair` was found.

    None where the frame cuts the head off below the ears' place, and where hair in ink has no outline. The network
    learned on drawings, with ahoge, bows, hats, buns and spiky hair among those without ears.
    """
    view = crown_view(lab, hair, hair.frame)
    if view[3, ROOT].mean() > HIDDEN or np.abs(np.diff(view[0][CROWN], axis=1)).mean() > TORN:
        return None
    strength = float(np.mean([_answer(one) for one in (view, view[:, :, ::-1])]))
    box = box_of(hair.frame, (-1.2, 1.2), (-2.1, -1.2)) if strength >= 0.5 else None
    note = f"the net for ears: {strength:.2f}"
    return Finding(name="animal_ears", strength=strength, absence_counts=False, box=box, note=note)


def crown_view(lab: Array, hair: HairMask, frame: HeadFrame) -> Array:
    """The head from the eyes upwards, upright: (4, ROWS, COLUMNS).

    The planes are the share of hair, lightness, likeness to the hair's colour and the share outside the image, in 0..1.
    """
    across = ((np.arange(COLUMNS * STEPS) + 0.5) / STEPS - COLUMNS / 2) * CELL
    down = (np.arange(ROWS * STEPS) + 0.5) / STEPS * CELL + TOP
    x, y = np.meshgrid(across, down)
    places = frame.to_image(np.stack((x.ravel(), y.ravel()), axis=1)).T[::-1] - 0.5
    height, width = lab.shape[:2]
    outside = (places[0] < -0.5) | (places[1] < -0.5) | (places[0] > height - 0.5) | (places[1] > width - 0.5)
    unlike = np.minimum(distance(lab, hair.color) / FAR, 1.0)
    planes = (hair.mask.astype(np.float64), lab[..., 0] / 100.0, 1.0 - unlike)
    seen = [ndimage.map_coordinates(plane, places, order=1, mode="nearest") * ~outside for plane in planes]
    samples = np.stack([*seen, outside.astype(np.float64)]).reshape(4, ROWS, STEPS, COLUMNS, STEPS)
    return np.asarray(samples.mean(axis=(2, 4)))


def _answer(view: Array) -> float:
    import torch

    with torch.inference_mode():
        logit = _net()(torch.from_numpy(np.ascontiguousarray(view))[None].float())
    return float((logit - MIDDLE).sigmoid())


@cache
def _net() -> Any:
    """The net with its weights, once a process; raises PerceptionError where the file is another than was measured."""
    from evalharness.perception.ear_net import EarNet

    return with_weights(EarNet(), WEIGHTS, SHA256)
