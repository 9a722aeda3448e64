"""What the part reader sees of a face: an upright grey crop, and a few more beside it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evalharness.perception.geometry import HeadFrame

SIDE = 96
"""Pixels of the crop's sides."""
HALF, MIDDLE = 1.05, 0.3
"""Half of the crop's side in head units, and how far its middle lies below the eyes' line."""
GLANCES = ((1.0, 0.0), (0.93, 0.0), (1.08, 0.0), (1.0, 0.08), (1.0, -0.08))
"""Each face is seen a few times, so many times as large and so much lower: the finder's frames are unsure."""


def glances(image: Image.Image, frame: HeadFrame) -> NDArray[np.uint8]:
    """All crops of a face of an RGB image (n, SIDE, SIDE), the one of the frame itself first."""
    grey = np.asarray(image.convert("L"))
    return np.stack([crop_face(grey, glance(frame, scale, down)) for scale, down in GLANCES])


def crop_face(grey: NDArray[np.uint8], frame: HeadFrame) -> NDArray[np.uint8]:
    """The face (SIDE x SIDE), upright, out of a grey image (height, width); its edges are repeated outside."""
    radius = int(np.ceil(np.sqrt(2.0) * HALF * frame.unit)) + 2
    middle = frame.to_image(np.array([(0.0, MIDDLE)]))[0]
    left, top = (int(value) - radius for value in middle)
    rows, columns = (
        np.clip(np.arange(2 * radius) + start, 0, size - 1) for start, size in zip((top, left), grey.shape, strict=True)
    )
    near = Image.fromarray(grey[np.ix_(rows, columns)])
    step = 2.0 * HALF * frame.unit / SIDE
    # whole pixels are averaged first, or thin lines fall between the samples
    by = max(1, int(step))
    corners = frame.to_image(np.array(((-HALF, MIDDLE - HALF), (HALF, MIDDLE - HALF), (-HALF, MIDDLE + HALF)))) - (
        left,
        top,
    )
    start, right, down = (
        corners[0] / by,
        (corners[1] - corners[0]) / (by * SIDE),
        (corners[2] - corners[0]) / (by * SIDE),
    )
    steps = (right[0], down[0], start[0], right[1], down[1], start[1])
    crop = near.reduce(by).transform((SIDE, SIDE), Image.Transform.AFFINE, steps, Image.Resampling.BICUBIC)
    return np.asarray(crop)


def glance(frame: HeadFrame, scale: float, down: float) -> HeadFrame:
    """The frame `scale` times as large and `down` head units lower."""
    x, y = frame.to_image(np.array([(0.0, down)]))[0]
    return HeadFrame(origin=(float(x), float(y)), unit=scale * frame.unit, angle=frame.angle)
