"""What the network of hairstyles sees: an upright crop of head and shoulders, small and in colour."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evalharness.perception.geometry import HeadFrame

SIDE = 64
"""Pixels of the crop's sides."""
HALF, MIDDLE = 2.5, 0.3
"""Half of the crop's side in head units, and how far its middle lies below the eyes' line."""
FINER = 2
"""Samples a side of each pixel: lines must not fall between them."""
PLACE, SHARE = (0.5, 0.47), 0.22
"""Where a head is guessed in a picture whose face is not seen, and half of its width, in shares of the shorter side."""


def guessed_frame(size: tuple[int, int]) -> HeadFrame:
    """A bust in the middle of a picture of `size` (width, height); of an upright one, in its upper square."""
    short = min(size)
    return HeadFrame(origin=(PLACE[0] * size[0], PLACE[1] * short), unit=SHARE * short)


def crop_hair(image: Image.Image, frame: HeadFrame) -> NDArray[np.uint8]:
    """The crop (SIDE, SIDE, 4) out of an RGB picture of about 200 px: colours, and 255 where the picture reaches."""
    corners = frame.to_image(np.array(((-HALF, MIDDLE - HALF), (HALF, MIDDLE - HALF), (-HALF, MIDDLE + HALF))))
    start = corners[0]
    right, down = (corners[1] - start) / (SIDE * FINER), (corners[2] - start) / (SIDE * FINER)
    steps = (right[0], down[0], start[0], right[1], down[1], start[1])
    fine = image.convert("RGBA").transform(
        (SIDE * FINER, SIDE * FINER), Image.Transform.AFFINE, steps, Image.Resampling.BILINEAR
    )
    return np.asarray(fine.reduce(FINER))
