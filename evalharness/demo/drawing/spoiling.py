"""What is done to a finished picture's detail: it is taken away."""

import numpy as np
from PIL import Image, ImageFilter

from evalharness.demo.drawing.figure import chance
from evalharness.demo.look import Look


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
