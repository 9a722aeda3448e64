"""A coarse picture of the picture: what is left of it from afar, to be compared with other images of a run."""

import numpy as np
from PIL import Image
from skimage.color import rgb2lab

SIDE = 8
"""Cells on each side. One holds an eye or a tail's end; moved lines and textures leave it as it is."""


def layout_of(image: Image.Image) -> tuple[int, ...]:
    """The image's 8 x 8 cells in reading order, each as CIELAB L, a, b (D65) rounded to integers: 192 numbers.

    A cell is the mean sRGB of the pixels whose centres lie in it. Coded values and not linear light: they are nearly
    even to the eye, so that a cell moves in step with the area that changed (in linear light dark hair on a bright
    ground would hardly count), and resizing, which works on them too, keeps them.
    """
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    lab = rgb2lab(np.asarray(small, dtype=np.float64) / 255.0)
    return tuple(int(value) for value in np.rint(lab).ravel())
