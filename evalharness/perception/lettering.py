"""Text on a picture: where a small net of our own sees letters."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from evalharness.perception.geometry import Mask
from evalharness.perception.weights import with_weights
from evalharness.types import Box, Finding

WEIGHTS = Path(__file__).parent / "data" / "letters.safetensors"
SHA256 = "08d66a801875a5aac385284c60991ac255858129e3023df94cbaa31df1f54085"
SIDE = 256
"""Longest side in pixels of the picture that the net sees."""
CELL = 8
"""Pixels of that picture to the side of a cell of the answer."""
MIDDLE = 0.25
"""The logit at which a line of letters is as likely as not; on drawings that chose nothing, 108 of 110 with text have
more and none of 150 without."""

Cells = NDArray[np.float32]


def find_text(image: Image.Image) -> Finding:
    """How surely there are letters, and the box of the likeliest line; the net learned on drawings.

    Letters below about 7 pixels of 256 cannot be told, half-clear ones not surely; a row of equal shapes can pass for
    some.
    """
    cells, whole = seen_cells(image)
    strength = float(1.0 / (1.0 + np.exp(-np.clip(whole - MIDDLE, -30.0, 30.0))))
    box = _around(_largest(cells > MIDDLE, cells), max(image.size) / SIDE * CELL) if strength >= 0.5 else None
    note = f"the net for letters: {strength:.2f}"
    return Finding(name="text", strength=strength, absence_counts=False, box=box, note=note)


def seen_cells(image: Image.Image) -> tuple[Cells, float]:
    """The net's logits of letters, per cell (rows x columns) and of the whole.

    Its second plane, half-clear letters, is no finding: where it finds 0.87 of drawn watermarks, 4 of 48 real images
    without any seem to have one.
    """
    import torch

    from evalharness.perception.letter_net import whole

    scale = SIDE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = np.asarray(image.convert("L").resize(size, Image.Resampling.BICUBIC))
    rows, columns = (-(-length // CELL) for length in small.shape)
    padded = np.pad(small, [(0, -length % (2 * CELL)) for length in small.shape], mode="edge")
    with torch.inference_mode():
        logits = _net()(torch.from_numpy(padded)[None, None].float() / 255.0)[:, :, :rows, :columns]
        return np.asarray(logits[0, 0].numpy()), float(whole(logits)[0, 0])


def _largest(likely: Mask, cells: Cells) -> Mask:
    """The cells of one line: the likeliest of the groups that likely cells make with those one cell away."""
    groups, count = ndimage.label(ndimage.binary_dilation(likely, np.ones((1, 3))), np.ones((3, 3)))
    if not count:
        return likely
    sums = ndimage.sum_labels(np.maximum(cells, 0.0) * likely, groups, range(1, count + 1))
    return np.asarray(likely & (groups == 1 + int(np.argmax(sums))))


def _around(area: Mask, scale: float) -> Box | None:
    """The box of cells, in the image's pixels; None without any."""
    rows, columns = (np.flatnonzero(area.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    height, width = rows[-1] + 1 - rows[0], columns[-1] + 1 - columns[0]
    x, y, width, height = (float(count * scale) for count in (columns[0], rows[0], width, height))
    return Box(x=x, y=y, width=width, height=height)


@cache
def _net() -> Any:
    """The net with its weights, once a process; raises PerceptionError where the file is another than was measured."""
    from evalharness.perception.letter_net import LetterNet

    return with_weights(LetterNet(), WEIGHTS, SHA256)
