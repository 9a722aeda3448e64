"""A watermark over a finished picture: half-clear letters all over it, across it, at its edge, or beside a sign."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evalharness.demo.drawing.figure import chance
from evalharness.demo.look import Look

MARKS = (
    "SAMPLE", "PREVIEW", "studio north", "images.example", "DRAFT", "@hanako_draws", "stockpic", "(c) 2024", "mika",
    "DO NOT USE", "art id 4087213", "www.mika-art.example", "Hanako K. 2023", "do not repost", "twintail studio",
    "members only", "@kei", "Aoi",
)  # fmt: skip
OPACITY = (0.16, 0.55)
"""How much of the letters' ink shows, from and to: less can hardly be seen, more is plain text."""
SHOWS = 24.0
"""Steps of 255 by which the letters change most of what is below them, or nobody would see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """How a mark is written: letters `lean` to the right, are `wide` times as wide and `heavy` pixels heavier."""

    text: str
    lean: float
    wide: float
    heavy: int

    def written(self, size: float) -> Image.Image:
        """The letters as ink of 255, cut to their line."""
        font = ImageFont.load_default(size)
        left, top, right, bottom = font.getbbox(self.text, stroke_width=self.heavy)
        width, height = int(np.ceil(right - left)) + 2, int(np.ceil(bottom - top)) + 2
        line = Image.new("L", (width, height))
        ImageDraw.Draw(line).text((1 - left, 1 - top), self.text, 255, font, stroke_width=self.heavy)
        out = (round(self.wide * (width + self.lean * height)), height)
        steps = (1.0 / self.wide, self.lean, -self.lean * height, 0.0, 1.0, 0.0)
        return line.transform(out, Image.Transform.AFFINE, steps, Image.Resampling.BICUBIC)

    def fitting(self, size: float, most: float) -> Image.Image:
        """The same, at most so many pixels wide."""
        ink = self.written(size)
        return ink if ink.width <= most else self.written(size * most / ink.width)


def watermarked(image: Image.Image, look: Look) -> Image.Image:
    """The picture under half-clear letters by the look's seed."""
    random = chance(look.seed, "watermark")
    manner = MANNERS[int(random.integers(len(MANNERS)))]
    stencil = manner(_hand(random), image.width, random)
    # white on white is no watermark that anyone could see: the ink that stands out from more of what lies below
    below = np.asarray(image.convert("L"), dtype=np.float64)[np.asarray(stencil) > 127]
    apart = {ink: float(np.percentile(np.abs(ink - below), 40)) for ink in (0.0, 255.0)}
    shade = max(apart, key=lambda ink: apart[ink] + random.uniform(0, 60))
    opacity = min(max(random.uniform(*OPACITY), SHOWS / max(apart[shade], 1.0)), OPACITY[1])
    return Image.composite(Image.new("RGB", image.size, (int(shade),) * 3), image, stencil.point(lambda v: v * opacity))


def _hand(random: np.random.Generator) -> Hand:
    """Any mark, mostly in upright letters of the font's own width."""
    text = MARKS[int(random.integers(len(MARKS)))]
    lean = random.uniform(0.1, 0.35) if random.random() < 0.3 else 0.0
    wide = random.uniform(0.8, 1.3) if random.random() < 0.5 else 1.0
    return Hand(text=text, lean=lean, wide=wide, heavy=int(random.random() < 0.2))


def _repeated(hand: Hand, side: int, random: np.random.Generator) -> Image.Image:
    """Rows of the text over the whole picture, each moved by a part of a text; mostly turned."""
    ink = hand.written(side * random.uniform(0.045, 0.1))
    wide, step = ink.width + side * random.uniform(0.05, 0.2), ink.height * random.uniform(1.5, 3.5)
    layer, slip = Image.new("L", (2 * side, 2 * side)), random.uniform(0.0, 1.0)
    for row in range(int(2 * side / step) + 1):
        for column in range(-1, int(2 * side / wide) + 1):
            layer.paste(ink, (round((column + row * slip % 1) * wide), round(row * step)))
    turn = random.uniform(12, 50) * random.choice((-1, 1)) if random.random() < 0.85 else 0.0
    turned = layer.rotate(turn, Image.Resampling.BICUBIC)
    return turned.crop((side // 2, side // 2, side // 2 + side, side // 2 + side))


def _across(hand: Hand, side: int, random: np.random.Generator) -> Image.Image:
    """The text once, large, through the picture."""
    ink = hand.fitting(side * random.uniform(0.1, 0.2), 0.85 * side)
    layer = Image.new("L", (side, side))
    place = (round((side - ink.width) / 2), round((side - ink.height) * random.uniform(0.25, 0.75)))
    layer.paste(ink, place)
    return layer.rotate(random.uniform(-40, 40), Image.Resampling.BICUBIC)


def _signed(hand: Hand, side: int, random: np.random.Generator) -> Image.Image:
    """A small line at the edge, as artists sign and sites put their address: in a corner or in the middle."""
    ink = hand.fitting(side * random.uniform(0.045, 0.075), 0.6 * side)
    layer = Image.new("L", (side, side))
    layer.paste(ink, _at_edge(ink.width, ink.height, side, random))
    return layer


def _cornered(hand: Hand, side: int, random: np.random.Generator) -> Image.Image:
    """A round sign, filled or a ring, with the text beside it."""
    size = side * random.uniform(0.05, 0.075)
    ink = hand.fitting(size, 0.6 * side)
    tall = 1.6 * size
    x, y = _at_edge(1.2 * tall + ink.width, max(tall, ink.height), side, random)
    layer = Image.new("L", (side, side))
    pen = ImageDraw.Draw(layer)
    ring = random.random() < 0.4
    pen.ellipse((x, y, x + tall, y + tall), None if ring else 255, 255, max(1, round(tall / 9)))
    font = ImageFont.load_default(size)
    pen.text((x + tall / 2, y + tall / 2), hand.text[:1].upper(), 255 if ring else 0, font, anchor="mm")
    layer.paste(ink, (round(x + 1.2 * tall), round(y + (tall - ink.height) / 2)))
    return layer


def _at_edge(wide: float, tall: float, side: int, random: np.random.Generator) -> tuple[int, int]:
    """Where a thing of this size stands: in a corner, or in the middle above or below."""
    gap = side * random.uniform(0.015, 0.06)
    x = (gap, side - wide - gap, (side - wide) / 2)[int(random.integers(3))]
    y = gap if random.random() < 0.3 else side - tall - gap
    return round(x), round(y)


MANNERS = (_repeated, _across, _signed, _cornered)
