"""Lettering over pictures, opaque or half clear, once or repeated, and the cells where it can be seen."""

import io
from pathlib import Path

import numpy as np
from finder.pictures import Banks
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from reader.face import Rng, around, between
from scipy import ndimage

from marks.grounds import SIDE, Tone, draw_ground, softened
from marks.letters import line_of_letters

CELL = 8
CELLS = SIDE // CELL
OPAQUE, CLEAR, PLAIN = 0.5, 0.6, 0.75
"""Opacity from which letters are text, up to which they are a watermark, and from which they are none."""
OPEN = 255
"""What nobody should say."""
CHANGED = 9
"""Steps of 255 that a letter must change the picture by to be seen."""
Cells = NDArray[np.uint8]


Layers = tuple[Image.Image, Image.Image]
"""Ink, and the area that the lines of letters fill; 0 to 255."""


def empty_layer(side: int) -> Layers:
    """An ink layer and an area layer without anything."""
    return Image.new("L", (side, side)), Image.new("L", (side, side))


def _put(layers: Layers, stencil: Tone, x: float, y: float) -> None:
    letters = Image.fromarray(stencil)
    layers[0].paste(255, (round(x), round(y)), letters)
    ImageDraw.Draw(layers[1]).rectangle((x, y, x + letters.width, y + letters.height), fill=255)


def _size(rng: Rng, low: float, high: float) -> float:
    return SIDE * float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _fitted(stencil: Tone, most: float) -> Tone:
    if stencil.shape[1] <= most:
        return stencil
    ratio = most / stencil.shape[1]
    size = (round(most), max(4, round(stencil.shape[0] * ratio)))
    return np.asarray(Image.fromarray(stencil).resize(size, Image.Resampling.BOX))


def somewhere(rng: Rng, unseen: bool) -> Layers:
    """One to four lines anywhere, mostly level."""
    layers = empty_layer(SIDE)
    size, several = _size(rng, 0.035, 0.13), rng.random() >= 0.7
    count = int(rng.integers(2, 5)) if several else 1
    lines = [_fitted(line_of_letters(rng, size, unseen), 0.92 * SIDE) for _ in range(count)]
    wide, tall = max(line.shape[1] for line in lines), sum(line.shape[0] + 3 for line in lines)
    x, y = rng.random() * max(SIDE - wide, 1), rng.random() * max(SIDE - tall, 1)
    if rng.random() < 0.45:
        x, y = _edged(rng, wide, tall)
    for line in lines:
        _put(layers, line, x, y)
        y += line.shape[0] + 3
    turn = around(rng, 0, 8) if rng.random() < 0.2 else 0.0
    return _turned(layers, turn, (x + wide / 2, y - tall / 2))


def _edged(rng: Rng, wide: float, tall: float) -> tuple[float, float]:
    """A place along the frame: corners and the middles of the upper and lower edge."""
    gap = between(rng, 0.01, 0.06) * SIDE
    x = (gap, SIDE - wide - gap, (SIDE - wide) / 2)[int(rng.integers(3))]
    return x, (gap if rng.random() < 0.3 else SIDE - tall - gap)


def _turned(layers: Layers, turn: float, middle: tuple[float, float] | None = None) -> Layers:
    if not turn:
        return layers
    ink, area = (one.rotate(turn, Image.Resampling.BICUBIC, center=middle) for one in layers)
    return ink, area


def repeated(rng: Rng, unseen: bool) -> Layers:
    """The same letters over the whole picture, in rows that are turned or level."""
    size = _size(rng, 0.04, 0.12)
    stencil = _fitted(line_of_letters(rng, size, unseen), 0.8 * SIDE)
    tall, wide = stencil.shape
    across, down = wide + between(rng, 0.04, 0.3) * SIDE, tall + between(rng, 0.04, 0.25) * SIDE
    layers, slip = empty_layer(2 * SIDE), between(rng, 0, 1)
    for row in range(int(2 * SIDE / down) + 1):
        for column in range(-1, int(2 * SIDE / across) + 1):
            _put(layers, stencil, (column + slip * row % 1) * across, row * down)
    turn = 0.0 if rng.random() < 0.15 else between(rng, -50, 50)
    box = (SIDE // 2, SIDE // 2, SIDE // 2 + SIDE, SIDE // 2 + SIDE)
    ink, area = (one.crop(box) for one in _turned(layers, turn))
    return ink, area


def across(rng: Rng, unseen: bool) -> Layers:
    """Large letters once through the picture."""
    layers = empty_layer(SIDE)
    stencil = _fitted(line_of_letters(rng, _size(rng, 0.09, 0.24), unseen), 0.95 * SIDE)
    tall, wide = stencil.shape
    x, y = (SIDE - wide) * rng.random(), (SIDE - tall) * between(rng, 0.15, 0.85)
    _put(layers, stencil, x, y)
    return _turned(layers, 0.0 if rng.random() < 0.25 else between(rng, -45, 45), (x + wide / 2, y + tall / 2))


def sign(rng: Rng, unseen: bool) -> Layers:
    """A round, square or ring-shaped emblem with letters beside or below it."""
    ink, area = empty_layer(SIDE)
    size = _size(rng, 0.04, 0.1)
    stencil = _fitted(line_of_letters(rng, size, unseen), 0.75 * SIDE)
    tall = size * between(rng, 1.2, 2.2)
    wide = tall + 0.3 * size + stencil.shape[1]
    x, y = (
        _edged(rng, wide, tall) if rng.random() < 0.7 else (rng.random() * (SIDE - wide), rng.random() * (SIDE - tall))
    )
    pen, box = ImageDraw.Draw(ink), (x, y, x + tall, y + tall)
    form = int(rng.integers(4))
    if form < 2:
        pen.ellipse(box, 255 if form else None, 255, max(1, round(tall / 10)))
    elif form == 2:
        pen.rounded_rectangle(box, tall / 4, 255)
    if form in (1, 2):
        hole = between(rng, 0.25, 0.4) * tall
        pen.ellipse((x + hole, y + hole, x + tall - hole, y + tall - hole), 0)
    _put((ink, area), stencil, x + tall + 0.3 * size, y + (tall - stencil.shape[0]) / 2)
    return ink, area


MANNERS = (somewhere, repeated, across, sign)
TEXT_SHARES, MARK_SHARES = (0.82, 0.02, 0.1, 0.06), (0.22, 0.34, 0.26, 0.18)


def draw_picture(banks: Banks, rng: Rng, unseen: bool = False) -> tuple[Tone, Cells]:
    """A grey picture and, per cell, letters (plane 0) and half-clear letters (plane 1): 1, 0 or OPEN (2 x 32 x 32)."""
    tone, cells = softened(draw_ground(banks, rng), rng), np.zeros((2, CELLS, CELLS), dtype=np.uint8)
    kind = rng.random()
    if kind < 0.34:
        return worn(tone, rng), cells
    clear = kind > 0.66
    shares = MARK_SHARES if clear else TEXT_SHARES
    ink, area = MANNERS[int(rng.choice(len(MANNERS), p=shares))](rng, unseen)
    opacity = between(rng, 0.16, CLEAR) if clear else between(rng, 0.6, 1.0)
    after, contrast = _inked(tone, np.asarray(ink), opacity, rng)
    changed = ndimage.maximum_filter(np.abs(after - tone), 11) if after is not tone else np.zeros_like(after)
    shows = _pooled((changed >= CHANGED).astype(np.float32)) > 0.3
    share = _pooled(np.asarray(area, dtype=np.float32) / 255.0)
    there = np.where((share > 0.5) & shows, 1, np.where(share > 0.03, OPEN, 0))
    cells[0] = np.where(there == 1, 1 if opacity >= OPAQUE else OPEN, there)
    half = 1 if clear else 0 if opacity > PLAIN and contrast > 110 else OPEN
    cells[1] = np.where(there == 1, half, np.where(half == 0, 0, there))
    return worn(np.clip(after, 0, 255).astype(np.uint8), rng), cells


def _inked(tone: Tone, ink: Tone, opacity: float, rng: Rng) -> tuple[NDArray[np.float32], float]:
    """The picture with the letters on it, sometimes outlined or with a shadow, and their contrast to what was there."""
    values, under = tone.astype(np.float32), tone[ink > 127]
    shade = float(rng.choice((0.0, 255.0))) if rng.random() < 0.75 else between(rng, 0, 255)
    if under.size and np.percentile(np.abs(shade - under.astype(np.float32)), 40) < 55:
        shade = 255.0 if np.median(under) < 128 else 0.0
    contrast = float(np.median(np.abs(shade - under.astype(np.float32)))) if under.size else 0.0
    cover = ink.astype(np.float32) / 255.0
    dressed = rng.random()
    if dressed < (0.4 if opacity > CLEAR else 0.15):
        edge = 255.0 - shade
        wide = int(rng.choice((3, 3, 5)))
        round_ = ndimage.grey_dilation(cover, footprint=np.hypot(*np.mgrid[-2:3, -2:3]) <= wide / 2 + 0.2)
        if dressed < 0.07:
            round_ = ndimage.gaussian_filter(np.roll(round_, (1, 1), (0, 1)), 1.0)
        values = values + (edge - values) * round_ * opacity
        contrast = 255.0
    return values + (shade - values) * cover * opacity, contrast


def _pooled(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(plane.reshape(CELLS, CELL, CELLS, CELL).mean(axis=(1, 3)))


def worn(tone: Tone, rng: Rng) -> Tone:
    """Blur, few tones, noise and JPEG, so mild that letters stay to be seen."""
    image = Image.fromarray(tone)
    values = np.asarray(image, dtype=np.float32)
    if rng.random() < 0.2:
        values = ndimage.gaussian_filter(values, between(rng, 0.2, 0.8))
    if rng.random() < 0.4:
        values = 255.0 * (np.clip(values, 0, 255) / 255.0) ** float(np.exp(around(rng, 0, 0.25)))
    if rng.random() < 0.25:
        values = values + rng.normal(0, between(rng, 0.5, 5), values.shape)
    tone = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        file = io.BytesIO()
        Image.fromarray(tone).save(file, "JPEG", quality=int(rng.integers(50, 95)))
        tone = np.asarray(Image.open(file))
    return tone


def draw_pictures(place: Path, banks: Banks, seed: int, count: int, unseen: bool = False) -> None:
    """Draw `count` pictures into a file; picture i depends on the banks and on (seed, i) alone."""
    made = [draw_picture(banks, np.random.default_rng((seed, number)), unseen) for number in range(count)]
    half = place.with_suffix(".half.npz")
    np.savez(half, pictures=np.stack([tone for tone, _ in made]), cells=np.stack([cells for _, cells in made]))
    half.rename(place)
