"""Pictures without a letter: the face finder's heads and clutter, and the demo's drawings, in grey."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from finder import clutter, pictures
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Tone = NDArray[np.uint8]
SIDE = 256
KINDS = (pictures.one_head, pictures.group, pictures.empty, pictures.page, pictures.demo)
SHARES = (0.32, 0.07, 0.09, 0.12, 0.4)
ROWED = 0.15
"""Share of pictures with a row of equal shapes."""


@contextmanager
def without_letters() -> Iterator[None]:
    """Clutter that has no letters among its things."""
    all_things = clutter.THINGS
    clutter.THINGS = tuple(thing for thing in all_things if thing is not clutter._text)
    try:
        yield
    finally:
        clutter.THINGS = all_things


def draw_ground(banks: pictures.Banks, rng: np.random.Generator) -> Tone:
    """One picture, 256 x 256; the demo's drawings whole in half of the cases."""
    tone = _ground(banks, rng)
    return with_row(tone, rng) if rng.random() < ROWED else tone


def _ground(banks: pictures.Banks, rng: np.random.Generator) -> Tone:
    kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
    if kind is pictures.demo and rng.random() < 0.6:
        tone = banks.demo.grey[int(rng.integers(len(banks.demo.grey)))]
        return tone if rng.random() < 0.5 else tone[:, ::-1]
    with without_letters():
        return np.asarray(kind(banks, rng, SIDE, SIDE).grey)


def with_row(tone: Tone, rng: np.random.Generator) -> Tone:
    """A row or a grid of equal bars, boxes, discs or strokes, as windows, teeth, buttons and fences are: no letters."""
    image = Image.fromarray(tone)
    pen, form = ImageDraw.Draw(image), int(rng.integers(4))
    high = float(np.exp(rng.uniform(np.log(6), np.log(40))))
    wide = high * float(np.exp(rng.uniform(np.log(0.12), np.log(1.6))))
    step = max(wide * rng.uniform(1.15, 2.2), wide + 2.0)
    count, rows = int(rng.integers(4, 16)), int(rng.choice((1, 1, 1, 2, 4)))
    x, y = rng.random() * max(SIDE - count * step, 10.0), rng.random() * max(SIDE - 1.4 * rows * high, 10.0)
    shade = int(rng.choice((0, 255, int(rng.integers(256)))))
    slope, lean = rng.normal(0.0, 0.06), rng.uniform(-0.6, 0.6) * wide
    for number in range(count * rows):
        left = x + number % count * step
        top = y + number // count * 1.4 * high + slope * (left - x)
        box = (left, top, left + wide, top + high)
        if form == 0:
            pen.rectangle(box, shade)
        elif form == 1:
            pen.rectangle(box, None, shade, max(1, round(min(wide, high) / 6)))
        elif form == 2:
            pen.ellipse(box, shade)
        else:
            pen.line((left, top, left + lean, top + high), shade, max(1, round(wide / 5)))
    return np.asarray(image)


def softened(tone: Tone, rng: np.random.Generator) -> Tone:
    """The picture with few pixels, as small ones are that were made larger."""
    if rng.random() < 0.75:
        return tone
    side = int(SIDE * rng.uniform(0.4, 0.9))
    small = Image.fromarray(tone).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
