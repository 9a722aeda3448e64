"""What a decoder gave out, as an image people may look at, or the reason why it is none."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from evalharness.types import Failure


def to_image(values: npt.NDArray[np.floating]) -> Image.Image | Failure:
    """An RGB image of a float array (height, width, 3) in 0..1; NaN, infinity and a single colour are failures.

    Overflow in half precision shows as NaN or as a black image; neither may ever be scored as a picture.
    """
    if not np.isfinite(values).all():
        share = 1 - np.isfinite(values).mean()
        return Failure(reason=f"{share:.0%} of the image's values are NaN or infinite; try dtype=float32")
    pixels = (values.clip(0, 1) * 255).round().astype(np.uint8)
    if (pixels == pixels[0, 0]).all():
        color = ", ".join(str(value) for value in pixels[0, 0])
        return Failure(reason=f"every pixel is ({color}); the model's output overflowed or is empty")
    return Image.fromarray(pixels)


def save_clip(values: npt.NDArray[np.floating], path: Path, frames_a_second: int = 16) -> None:
    """Write a clip (frames, height, width, 3) in 0..1 as lossless animated WebP; folders are made."""
    pixels = (np.nan_to_num(values).clip(0, 1) * 255).round().astype(np.uint8)
    first, *others = (Image.fromarray(frame) for frame in pixels)
    path.parent.mkdir(parents=True, exist_ok=True)
    first.save(path, save_all=True, append_images=others, duration=1000 // frames_a_second, lossless=True)
