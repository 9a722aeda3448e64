"""Text on a picture: a watermark, a signature, a caption or an address, in several places and sizes."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evalharness.demo.drawing.canvas import Box
from evalharness.demo.drawing.figure import chance
from evalharness.demo.look import Look

TEXTS = (
    "SAMPLE", "art by mika", "(c) Studio North", "www.images.example", "Mika 2024", "DO NOT REPOST", "@hanako_draws",
    "Episode 12", "I did not see it coming!", "PREVIEW ONLY", "mika k.", "to be continued",
)  # fmt: skip
HEIGHTS = (0.045, 0.11)
"""The letters' size as a share of the image's side, from and to."""
PLACES = ((0.03, 0.03), (0.97, 0.03), (0.03, 0.97), (0.97, 0.97), (0.5, 0.97), (0.5, 0.03), (0.5, 0.8))
"""Where the text stands, as shares of the room that it leaves."""


def lettered(image: Image.Image, look: Look) -> tuple[Image.Image, Box]:
    """The picture with a line of text by the look's seed, and the text's box in its pixels."""
    random, side = chance(look.seed, "text"), image.width
    text = TEXTS[int(random.integers(len(TEXTS)))]
    size = _fitting(text, side, random)
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text)
    across, down = PLACES[int(random.integers(len(PLACES)))]
    room = np.array((side - (right - left), side - (bottom - top)))
    x, y = room * (across, down)
    light, opacity = bool(random.random() < 0.5), random.uniform(0.6, 1.0)
    ink, edge = ((250, 250, 250), (20, 20, 24)) if light else ((20, 20, 24), (250, 250, 250))
    # letters of a colour like what lies behind them are outlined, as captions are
    outline = max(1, round(size / 14)) if random.random() < 0.6 or _alike(image, light) else 0
    layer = image.copy()
    ImageDraw.Draw(layer).text((x - left, y - top), text, ink, font, stroke_width=outline, stroke_fill=edge)
    box = (int(x), int(y), int(np.ceil(x + right - left)), int(np.ceil(y + bottom - top)))
    return Image.blend(image, layer, opacity), box


def _fitting(text: str, side: int, random: np.random.Generator) -> float:
    """A size at which the text fits into nine tenths of the width."""
    size = side * random.uniform(*HEIGHTS)
    left, _, right, _ = ImageFont.load_default(size).getbbox(text)
    return float(size * min(1.0, 0.9 * side / (right - left)))


def _alike(image: Image.Image, light: bool) -> bool:
    """Whether light (or dark) letters would hardly show on the picture."""
    typical = float(np.median(np.asarray(image.convert("L"))))
    return typical > 150 if light else typical < 100
