"""Things that should perhaps not be there: rope, blur, flatness, spoilt tones; strengths in 0..1."""

import numpy as np
from PIL import Image, ImageFilter
from scipy import ndimage
from skimage.measure import blur_effect

from evalharness.perception.geometry import Array, HeadFrame, Mask
from evalharness.types import Finding

NAMES = (
    "rope", "animal_ears", "blur", "missing_eyes", "blank_eyes", "doubled_eyes", "doubled_mouth", "burnt", "washed_out",
    "text", "low_detail", "cut_face",
)  # fmt: skip
"""All that offline perception looks for; faults of eyes and mouth are face_faults.py's, ears are ears.py's, text is
lettering.py's, cut faces are cut_face.py's."""


ROPE = 1.9
BLUR = 0.46
BURNT = 0.055
WASHED_OUT = 43.0
"""Where the strengths are 0.5; from drawn looks with and without faults at 128 pixels, after an autoencoder."""

COLORED = 40
"""Steps of 255 between a pixel's channels from which it has a colour that can burn."""
SPARE = 0.15
FLAT = 0.17
"""Share of fine lines in all edges below which a picture is flat: drawings have 0.27 to 0.45, blotches 0.03 to 0.12."""
FINE, EDGE, FLAT_SIDE = 12.0, 6.0, 256
"""Steps of 255 that make a fine line and an edge, where the longest side is `FLAT_SIDE` pixels."""
SIDE = 192


def logistic(value: float, middle: float, width: float) -> float:
    """A strength in 0..1 that is 0.5 at `middle` and 0.73 one `width` above it."""
    return float(1.0 / (1.0 + np.exp(-np.clip((value - middle) / width, -30, 30))))


def find_rope(lab: Array, frame: HeadFrame | None, hair: Mask | None) -> Finding:
    """Tan bands crossing the body: how quickly lightness changes downwards in and beside what is tan there.

    Plain tan cloth has the colour but not the bands; striped cloth has bands but not the colour.
    """
    body = _body(lab, frame)
    bands = tan_bands(lab, body, hair)
    note = f"tan bands {bands:.1f} (rope from {ROPE})"
    return Finding(name="rope", strength=logistic(bands, ROPE, 0.15), absence_counts=False, note=note)


def tan_bands(lab: Array, body: Mask, hair: Mask | None) -> float:
    """Mean step of lightness from row to row (at most 12) over the body, counted where tan is within two pixels."""
    hue, chroma = np.rad2deg(np.arctan2(lab[..., 2], lab[..., 1])), np.hypot(lab[..., 1], lab[..., 2])
    tan = (np.abs(hue - 72.0) < 28.0) & (chroma > 14.0) & (chroma < 60.0)
    if hair is not None:
        tan &= ~hair
    steps = np.abs(np.gradient(ndimage.gaussian_filter(lab[..., 0], 0.5), axis=0))
    counted = np.minimum(steps, 12.0) * ndimage.binary_dilation(tan, iterations=2)
    return float(counted[body].mean()) if body.any() else 0.0


def _body(lab: Array, frame: HeadFrame | None) -> Mask:
    if frame is None:
        mask = np.zeros(lab.shape[:2], dtype=bool)
        height, width = lab.shape[:2]
        mask[int(0.66 * height) :, int(0.22 * width) : int(0.78 * width)] = True
        return mask
    x, y = frame.coordinates(lab.shape)
    return np.asarray((np.abs(x) < 1.3) & (y > 1.4) & (y < 2.8))


def find_blur(image: Image.Image) -> Finding:
    """How much the picture loses when it is blurred again (Crete et al. 2007): little, if it was blurred before."""
    grey = np.asarray(image.convert("L"), dtype=np.float64) / 255.0
    effect = float(blur_effect(grey, h_size=11))
    return Finding(
        name="blur", strength=logistic(effect, BLUR, 0.02), absence_counts=False, note=f"blur {effect:.2f} of 1"
    )


def find_low_detail(image: Image.Image, blur: Finding) -> Finding:
    """How few of the edges are fine: lines, strands and glints that a median of 5 x 5 pixels takes away.

    Flat blotches have hard edges and nothing fine. A blurred picture has nothing fine either: that is another fault.
    """
    scale = FLAT_SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    small = image.convert("L").resize(size, Image.Resampling.BOX)
    # pillow's median takes a quarter of scipy's time
    grey, smooth = (np.asarray(one, dtype=np.float32) for one in (small, small.filter(ImageFilter.MedianFilter(5))))
    fine = float((np.abs(grey - smooth) > FINE).mean())
    edges = float((np.hypot(ndimage.sobel(grey, 0), ndimage.sobel(grey, 1)) / 8.0 > EDGE).mean())
    share = fine / (edges + 0.01)
    strength = logistic(-np.log(share + 0.001), -np.log(FLAT), 0.15) * (1.0 - blur.strength)
    note = f"fine lines are {share:.2f} of the edges (low detail below {FLAT})"
    return Finding(name="low_detail", strength=strength, absence_counts=False, note=note)


def find_washed_out(lab: Array) -> Finding:
    """How little lies between the dark and the light of a picture."""
    dark, light = np.percentile(lab[..., 0], (2, 98))
    reach = float(light - dark)
    note = f"lightness spans {reach:.0f} of 100 (washed out below {WASHED_OUT:.0f})"
    strength = logistic(-reach, -WASHED_OUT, 2.0)
    return Finding(name="washed_out", strength=strength, absence_counts=False, note=note)


def find_burnt(image: Image.Image) -> Finding | None:
    """The share of coloured pixels with two channels at an end, as too much guidance leaves them; None without colour.

    One channel at its end is no sign: light skin and vivid cloth have it in sound pictures. Where little is coloured it
    is compared with a `SPARE` share of the picture.
    """
    small = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.int64)
    colored = np.ptp(small, axis=2) >= COLORED
    if colored.mean() < 0.05:
        return None
    ends = ((small >= 250) | (small <= 5)).sum(axis=2) >= 2
    clipped = float((ends & colored).mean() / max(colored.mean(), SPARE))
    note = f"{clipped:.0%} of the coloured pixels are as vivid as can be"
    return Finding(name="burnt", strength=logistic(clipped, BURNT, 0.01), absence_counts=False, note=note)
