"""What a decoder gave out, as an image people may look at, or the reason why it is none."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from evalharness.embedded import CLIP
from evalharness.types import Failure

FRAMES_A_SECOND = 16
"""Of a kept clip; what Wan is trained with."""


def to_image(values: npt.NDArray[np.floating]) -> Image.Image | Failure:
    """An RGB image of a float array (height, width, 3) in 0..1; NaN, infinity and a single colour are failures.

    Overflow in half precision shows as NaN or as a black image; neither may ever be scored as a picture.
    """
    if not np.isfinite(values).all():
        share = 1 - np.isfinite(values).mean()
        return Failure(reason=f"{share:.0%} of the image's values are NaN or infinite; try dtype=float32")
    pixels = _whole_numbers(values)
    if (pixels == pixels[0, 0]).all():
        color = ", ".join(str(value) for value in pixels[0, 0])
        return Failure(reason=f"every pixel is ({color}); the model's output overflowed or is empty")
    return Image.fromarray(pixels)


def clip_bytes(frames: Sequence[Image.Image]) -> bytes:
    """Frames as an animated WebP of a quality for people to look at; what is scored are the frames themselves."""
    body = io.BytesIO()
    first, *others = frames
    milliseconds = 1000 // FRAMES_A_SECOND
    first.save(body, "WEBP", save_all=True, append_images=others, duration=milliseconds, quality=90, method=2)
    return body.getvalue()


def frames_of(clip: npt.NDArray[np.floating], numbers: Sequence[int]) -> list[Image.Image | Failure]:
    """Those frames of a clip (frames, height, width, 3) in 0..1; each holds the whole of it, unless it is a still."""
    found = [to_image(clip[number]) for number in numbers]
    if len(clip) == 1:
        return found
    body = clip_bytes([Image.fromarray(_whole_numbers(np.nan_to_num(frame))) for frame in clip])
    for image in found:
        if not isinstance(image, Failure):
            image.info[CLIP] = body
    return found


def _whole_numbers(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    pixels: npt.NDArray[np.uint8] = (values.clip(0, 1) * 255).round().astype(np.uint8)
    return pixels
