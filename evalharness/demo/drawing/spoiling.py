"""What is done to a finished picture: a watermark laid over it, and its detail taken away."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from evalharness.demo.drawing.figure import chance
from evalharness.demo.look import Look

MARKS = (
    "SAMPLE", "PREVIEW", "studio north", "images.example", "DRAFT", "@hanako_draws", "stockpic", "(c) 2024", "mika",
    "DO NOT USE",
)  # fmt: skip
OPACITY = (0.22, 0.55)
"""How much of the letters' ink shows, from and to: less can hardly be seen, more is plain text."""
CORNERS = ((0.04, 0.04), (0.96, 0.04), (0.04, 0.96), (0.96, 0.96))


def watermarked(image: Image.Image, look: Look) -> Image.Image:
    """The picture under half-clear letters by the look's seed: all over it, once across it, or in a corner."""
    random, side = chance(look.seed, "watermark"), image.width
    text = MARKS[int(random.integers(len(MARKS)))]
    manner = int(random.integers(3))
    stencil = (_repeated, _across, _cornered)[manner](text, side, random)
    # white on white is no watermark that anyone could see: the ink that stands out from more of what lies below
    below = np.asarray(image.convert("L"), dtype=np.float64)[np.asarray(stencil) > 127]
    shade = max((0.0, 255.0), key=lambda ink: float(np.percentile(np.abs(ink - below), 40)) + random.uniform(0, 60))
    opacity = random.uniform(*OPACITY)
    return Image.composite(Image.new("RGB", image.size, (int(shade),) * 3), image, stencil.point(lambda v: v * opacity))


def _repeated(text: str, side: int, random: np.random.Generator) -> Image.Image:
    """Rows of the text over the whole picture, each moved by half a text, turned."""
    size = side * random.uniform(0.05, 0.1)
    font = ImageFont.load_default(size)
    wide = font.getlength(text) + side * random.uniform(0.06, 0.14)
    step = size * random.uniform(1.8, 3.0)
    layer = Image.new("L", (2 * side, 2 * side))
    pen = ImageDraw.Draw(layer)
    for row in range(int(2 * side / step) + 1):
        for column in range(-1, int(2 * side / wide) + 1):
            pen.text(((column + row % 2 / 2) * wide, row * step), text, 255, font)
    turned = layer.rotate(random.uniform(15, 40) * random.choice((-1, 1)), Image.Resampling.BICUBIC)
    return turned.crop((side // 2, side // 2, side // 2 + side, side // 2 + side))


def _across(text: str, side: int, random: np.random.Generator) -> Image.Image:
    """The text once, large, through the middle."""
    size = 0.2 * side
    font = ImageFont.load_default(size * min(1.0, 0.85 * side / ImageFont.load_default(size).getlength(text)))
    layer = Image.new("L", (side, side))
    middle = (side / 2, side * random.uniform(0.35, 0.65))
    ImageDraw.Draw(layer).text(middle, text, 255, font, anchor="mm")
    return layer.rotate(random.uniform(-35, 35), Image.Resampling.BICUBIC)


def _cornered(text: str, side: int, random: np.random.Generator) -> Image.Image:
    """A round sign with the text beside it, in a corner."""
    size = side * random.uniform(0.05, 0.075)
    font = ImageFont.load_default(size)
    tall, wide = 1.6 * size, 1.9 * size + font.getlength(text)
    across, down = CORNERS[int(random.integers(len(CORNERS)))]
    x, y = (side - wide) * across, (side - tall) * down
    layer = Image.new("L", (side, side))
    pen = ImageDraw.Draw(layer)
    pen.ellipse((x, y, x + tall, y + tall), 255)
    pen.text((x + tall / 2, y + tall / 2), text[:1].upper(), 0, font, anchor="mm")
    pen.text((x + 1.9 * size, y + tall / 2), text, 255, font, anchor="lm")
    return layer


def simplified(image: Image.Image, look: Look) -> Image.Image:
    """The picture as flat blotches with hard edges: lines, strands and irises are gone, and nothing is blurred."""
    random, side = chance(look.seed, "low detail"), image.width
    scale = side / 256
    # blotches do not follow the outlines exactly
    small = image.resize((round(side / scale), round(side / scale)), Image.Resampling.BOX)
    flat = small
    for size in (5, 7, int(random.choice((7, 9, 11)))):
        flat = flat.filter(ImageFilter.ModeFilter(size)) if size < 6 else flat.filter(ImageFilter.MedianFilter(size))
    tones = 255.0 / int(random.integers(5, 9))
    values = np.rint(np.asarray(flat, dtype=np.float64) / tones) * tones
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
