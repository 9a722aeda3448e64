"""Things that should perhaps not be there: rope, animal ears, blur, spoilt tones; strengths in 0..1."""

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage.measure import blur_effect

from evalharness.perception.geometry import Array, HeadFrame, Mask, box_of
from evalharness.perception.hair import HairMask
from evalharness.types import Finding

NAMES = (
    "rope", "animal_ears", "blur", "missing_eyes", "blank_eyes", "doubled_eyes", "doubled_mouth", "burnt", "washed_out",
    "text",
)  # fmt: skip
"""All that offline perception looks for; the faults of eyes and mouth are face_faults.py's, text is lettering.py's."""


ROPE = 1.9
EARS = 0.1
BLUR = 0.46
BURNT = 0.7
WASHED_OUT = 43.0
"""Where the strengths are 0.5; from drawn looks with and without faults at 128 pixels, after an autoencoder."""

COLORED = 40
"""Steps of 255 between a pixel's channels from which it has a colour that can burn."""
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


def find_ears(found: HairMask) -> Finding:
    """Ears: on both sides the hair's upper edge rises again, beside the middle of the head where it should fall."""
    x, y = found.frame.coordinates(found.mask.shape)
    # a ponytail or a loose strand over the middle raises one side only
    crown = max(_upper_edge(found.mask, sign * x, y, (0.3, 0.45)) for sign in (-1, 1))
    rise = min(crown - _upper_edge(found.mask, sign * x, y, (0.6, 1.0)) for sign in (-1, 1))
    strength = logistic(rise, EARS, 0.05)
    box = box_of(found.frame, (-1.2, 1.2), (-2.1, -1.2)) if strength >= 0.5 else None
    note = f"the hair rises by {rise:+.2f} of half a face on both sides"
    return Finding(name="animal_ears", strength=strength, absence_counts=False, box=box, note=note)


def _upper_edge(mask: Mask, x: Array, y: Array, between: tuple[float, float]) -> float:
    """The height (head units, negative is up) of the mask's upper edge between two x."""
    band = y[mask & (x > between[0]) & (x < between[1]) & (y > -2.3) & (y < -0.7)]
    return float(np.percentile(band, 8)) if len(band) > 3 else -0.7


def find_blur(image: Image.Image) -> Finding:
    """How much the picture loses when it is blurred again (Crete et al. 2007): little, if it was blurred before."""
    grey = np.asarray(image.convert("L"), dtype=np.float64) / 255.0
    effect = float(blur_effect(grey, h_size=11))
    return Finding(
        name="blur", strength=logistic(effect, BLUR, 0.02), absence_counts=False, note=f"blur {effect:.2f} of 1"
    )


def find_washed_out(lab: Array) -> Finding:
    """How little lies between the dark and the light of a picture."""
    dark, light = np.percentile(lab[..., 0], (2, 98))
    reach = float(light - dark)
    note = f"lightness spans {reach:.0f} of 100 (washed out below {WASHED_OUT:.0f})"
    strength = logistic(-reach, -WASHED_OUT, 2.0)
    return Finding(name="washed_out", strength=strength, absence_counts=False, note=note)


def find_burnt(image: Image.Image) -> Finding | None:
    """The share of coloured pixels with a channel at its end, as too much guidance leaves them; None without colour."""
    small = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.int64)
    high, low = small.max(axis=2), small.min(axis=2)
    colored = high - low >= COLORED
    if colored.mean() < 0.05:
        return None
    clipped = float(((high >= 250) | (low <= 5))[colored].mean())
    note = f"{clipped:.0%} of the coloured pixels are as vivid as can be"
    return Finding(name="burnt", strength=logistic(clipped, BURNT, 0.05), absence_counts=False, note=note)
