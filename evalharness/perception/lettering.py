"""Lines of text: glyph-like pieces of one ink, of like height, side by side on one line."""

from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from evalharness.perception.geometry import Array, Mask
from evalharness.types import Box, Finding

SIDE = 512
LOOKS = ((36, 22.0, 0), (16, 22.0, 1), (16, 40.0, 1))
"""How a letter differs from what is around it: side of the square around a pixel whose mean is its surroundings, where
the image's longest side is 512; lightness of 255 by which it differs; and letters that a line must have more than else.
Narrow surroundings free letters from hair and edges that they touch, but see more in hatching."""
SMALLEST, TALLEST = 7, 46
"""A glyph's height in pixels, from and to."""
LEAST = 4
"""Glyphs that make a line at all; hatching and strands of hair make lines of four and seldom longer ones, ..."""
TELLING = 4.5
"""... so that a line's strength is 0.5 between four glyphs and five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyph:
    """A piece of ink: its box in pixels, the median grey of its pixels, and the share of the box that they fill."""

    left: int
    top: int
    right: int
    bottom: int
    ink: float
    fill: float

    @property
    def tall(self) -> int:
        """Its height."""
        return self.bottom - self.top

    @property
    def wide(self) -> int:
        """Its width."""
        return self.right - self.left


Line = list[Glyph]


def find_text(image: Image.Image) -> Finding:
    """The longest line of text; lines of fewer than five letters, slanted and joined-up ones are not told."""
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    grey = np.asarray(image.convert("L").resize(size, Image.Resampling.BICUBIC), dtype=np.float32)
    apart = {around: grey - ndimage.uniform_filter(grey, around) for around in {one[0] for one in LOOKS}}
    found = [(len(line) - more, line) for around, step, more in LOOKS for line in _lines(grey, apart[around], step)]
    count, best = max(found, key=lambda one: one[0], default=(0, []))
    strength = float(1.0 / (1.0 + np.exp((TELLING - count) / 0.5)))
    box = _around(best, 1.0 / scale) if strength >= 0.5 else None
    note = f"{len(best)} letters in a line" if best else "no letters in a line"
    return Finding(name="text", strength=strength, absence_counts=False, box=box, note=note)


def _lines(grey: NDArray[np.float32], apart: NDArray[np.float32], step: float) -> list[Line]:
    return [line for ink in (apart > step, apart < -step) for line in lines(glyphs(ink, grey))]


def glyphs(ink: Mask, grey: NDArray[np.float32]) -> list[Glyph]:
    """The pieces of a mask that have a letter's size and form, from left to right; what the frame cuts is none."""
    parts, _ = ndimage.label(ink, np.ones((3, 3)))
    height, width = ink.shape
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(parts), 1):
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        if not (SMALLEST <= tall <= TALLEST and 0.12 * tall <= wide <= 1.7 * tall):
            continue
        if rows.start == 0 or columns.start == 0 or rows.stop == height or columns.stop == width:
            continue
        piece = parts[rows, columns] == number
        fill = np.count_nonzero(piece) / piece.size
        # a full box is a window or a tooth; only narrow ones are an I
        if fill >= 0.2 and (fill <= 0.93 or wide <= 0.4 * tall):
            shade = float(np.median(grey[rows, columns][piece]))
            box = {"left": columns.start, "top": rows.start, "right": columns.stop, "bottom": rows.stop}
            found.append(Glyph(**box, ink=shade, fill=fill))
    return sorted(found, key=lambda one: (one.left, one.top))


def lines(free: list[Glyph]) -> list[Line]:
    """Chains of neighbours, each glyph in one chain, those that look like letters; `free` is sorted by `left`."""
    free, found = list(free), []
    while free:
        line = [free.pop(0)]
        while following := _following(free, line):
            line.append(following)
            free.remove(following)
        if len(line) >= LEAST and _letters(line):
            found.append(line)
    return found


def _following(free: list[Glyph], line: Line) -> Glyph | None:
    """The first glyph right of a line's last, on the same base line, of like height and ink."""
    tall, base = median(one.tall for one in line), median(one.bottom for one in line)
    last = line[-1]
    for one in free:
        gap = one.left - last.right
        if gap > tall:
            return None
        if gap < -0.25 * tall or not 0.5 * tall < one.tall < 2.0 * tall:
            continue
        if abs(one.bottom - base) < 0.35 * tall and abs(one.ink - last.ink) < 40.0:
            return one
    return None


def _letters(line: Line) -> bool:
    """Letters differ in width and form; windows, teeth and hatching do not."""
    wide: Array = np.array([one.wide for one in line], dtype=np.float64)
    return float(np.std([one.fill for one in line])) > 0.04 and float(np.std(wide) / np.mean(wide)) > 0.08


def _around(line: Line, scale: float) -> Box:
    left, top = min(one.left for one in line) * scale, min(one.top for one in line) * scale
    right, bottom = max(one.right for one in line) * scale, max(one.bottom for one in line) * scale
    return Box(x=left, y=top, width=right - left, height=bottom - top)
