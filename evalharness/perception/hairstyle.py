"""Which hairstyle a hair mask shows: a small network on the mask's coarse shape around the head.

It sees shapes alone, no colours and no pixels, so that what it learned on drawings of the demo's world has a chance to
hold elsewhere; its figures there are in the file of its weights. bench/fit_hairstyle.py made it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from evalharness.perception.geometry import Array, HeadFrame, Mask

STYLES = ("down", "twin_tails", "ponytail", "side_ponytail")
SIDES = ("left", "right", "none")
COLUMNS, ROWS = 13, 12
CELL = 0.42
TOP = -2.2
"""The grid's cells are squares of 0.42 head units; it reaches 2.7 to both sides and from -2.2 down to 2.8."""
STEPS = 4
"""Samples a side of each cell."""
ZONE, SOFT, FLOOR = 0.08, 0.03, 0.3
"""A difference of shares from which hair hangs on a side, how gradually, and how little that can count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Styled:
    """Distributions over hairstyles and over the sides of the image at which gathered hair hangs."""

    styles: Mapping[str, float]
    sides: Mapping[str, float]


def hairstyle(mask: Mask, frame: HeadFrame, face: bool) -> Styled:
    """What a hair mask in a head's frame shows; `face` = the frame came from a face, else from the hair alone.

    The mean over the shape and its mirror image, so that a mirrored shape has exactly the mirrored sides.
    """
    grid = shape_grid(mask, frame)
    own, other = (_probabilities(one, face) for one in (grid, grid[:, ::-1]))
    count = len(STYLES)
    styles = (own[:count] + other[:count]) / 2
    sides = (own[count:] + other[count:][[1, 0, 2]]) / 2
    return Styled(
        styles={name: float(share) for name, share in zip(STYLES, styles, strict=True)},
        sides={name: float(share) for name, share in zip(SIDES, sides, strict=True)},
    )


def agreed(sides: Mapping[str, float], left: float, right: float) -> dict[str, float]:
    """The network's sides, weighed with the shares of the mask beyond the head on each side, as independent witnesses.

    The shares never count more than about 4 : 1; in profile and on backgrounds of the hair's colour they mislead.
    """
    leans = {"left": left - right, "right": right - left}
    heavier = {name: float(1.0 / (1.0 + np.exp((ZONE - lean) / SOFT))) for name, lean in leans.items()}
    heavier["none"] = max(1.0 - sum(heavier.values()), 0.0)
    weighed = {name: share * (heavier[name] + FLOOR) for name, share in sides.items()}
    return {name: share / sum(weighed.values()) for name, share in weighed.items()}


def shape_grid(mask: Mask, frame: HeadFrame) -> Array:
    """The mask's share of each cell, and the cell's share outside the image: (ROWS, COLUMNS, 2), upright."""
    across = ((np.arange(COLUMNS * STEPS) + 0.5) / STEPS - COLUMNS / 2) * CELL
    down = (np.arange(ROWS * STEPS) + 0.5) / STEPS * CELL + TOP
    x, y = np.meshgrid(across, down)
    places = np.floor(frame.to_image(np.stack((x.ravel(), y.ravel()), axis=1))).astype(int)
    height, width = mask.shape
    column, row = places.T
    outside = (column < 0) | (column >= width) | (row < 0) | (row >= height)
    hit = mask[row.clip(0, height - 1), column.clip(0, width - 1)] & ~outside
    return np.stack([_cells(one) for one in (hit, outside)], axis=-1)


def _cells(samples: Mask) -> Array:
    return np.asarray(samples.reshape(ROWS, STEPS, COLUMNS, STEPS).mean(axis=(1, 3)))


def _probabilities(grid: Array, face: bool) -> Array:
    weights = _weights()
    values = np.append(grid.ravel(), float(face))
    hidden = np.maximum(weights["hidden"] @ values + weights["hidden_bias"], 0.0)
    scores = weights["out"] @ hidden + weights["out_bias"]
    return np.concatenate([_softmax(scores[: len(STYLES)]), _softmax(scores[len(STYLES) :])])


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - np.max(scores))
    return np.asarray(powers / powers.sum())


@cache
def _weights() -> Mapping[str, Array]:
    text = files("evalharness.perception").joinpath("hairstyle.json").read_text(encoding="utf-8")
    return {name: np.array(values) for name, values in json.loads(text)["weights"].items()}
