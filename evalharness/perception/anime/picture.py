"""A picture as the numbers that a model was taught with, by its entry in the table of models."""

import numpy as np
from PIL import Image

from evalharness.models.table import Input
from evalharness.perception.anime.session import Numbers

RESAMPLE = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
STRIDE = 32
"""Detectors halve a picture five times."""


def numbers_of(image: Image.Image, told: Input) -> Numbers:
    """An RGB image as a batch of one: float32 (1, height, width, 3) or (1, 3, height, width)."""
    seen: Numbers = np.asarray(_sized(image, told), dtype=np.float32) / np.float32(told.divide)
    if told.order == "BGR":
        seen = seen[..., ::-1]
    mean, std = np.array(told.mean, dtype=np.float32), np.array(told.std, dtype=np.float32)
    seen = np.asarray((seen - mean) / std, dtype=np.float32)
    if told.layout == "NCHW":
        seen = seen.transpose(2, 0, 1)
    return np.ascontiguousarray(seen[np.newaxis], dtype=np.float32)


def _sized(image: Image.Image, told: Input) -> Image.Image:
    size = longest(image.size, told.size) if told.fit == "longest" else (told.size, told.size)
    if told.fit == "crop":
        return cropped(image, told)
    shown = squared(image) if told.fit == "pad" else image
    return shown if shown.size == size else shown.resize(size, RESAMPLE[told.resample])


def cropped(image: Image.Image, told: Input) -> Image.Image:
    """The square in the middle, after the shortest side was brought to the model's size; as open_clip does it."""
    shortest, wanted = min(image.size), told.shortest or told.size
    width, height = (wanted if side == shortest else int(wanted * side / shortest) for side in image.size)
    shown = image if image.size == (width, height) else image.resize((width, height), RESAMPLE[told.resample])
    left, top = round((width - told.size) / 2.0), round((height - told.size) / 2.0)
    return shown.crop((left, top, left + told.size, top + told.size))


def squared(image: Image.Image) -> Image.Image:
    """The image in the middle of a white square."""
    side = max(image.size)
    if image.size == (side, side):
        return image
    square = Image.new("RGB", (side, side), "white")
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def longest(size: tuple[int, int], most: int) -> tuple[int, int]:
    """Width and height, reduced to a longest side of at most `most`, then up to multiples of the stride."""
    factor = min(1.0, most / max(size))
    width, height = (max(STRIDE, STRIDE * -(-round(side * factor) // STRIDE)) for side in size)
    return width, height
