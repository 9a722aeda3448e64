"""Faces by a network of our own: one look at the whole picture, then one at each place where a face may be."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evalharness.perception.found_face import CENTER, FoundFace, without_overlaps
from evalharness.perception.geometry import HeadFrame, box_of
from evalharness.perception.weights import with_weights
from evalharness.types import Box

WEIGHTS = Path(__file__).parent / "data" / "face_finder.safetensors"
SHA256 = "1ef3846b13838ffebeed7363b7770258d25c2fd0a43531d64246f87cb1f9f7d5"
SIDE = 192
"""Longest side in pixels of the picture that the net sees."""
CLOSE = 36.0
"""Half a face's width in pixels at the second look."""
MAYBE, SURE = 0.15, 0.45
"""Likelihood from which a place is looked at again, and from which it is a face after both looks; chosen on half of the
48 real images and on drawings."""
CUT = 0.1
"""Share of its width by which a face reaches over the frame that cuts it."""
BOX_X, BOX_Y = (-0.99, 0.99), (-0.82, 1.16)
"""A face's box in head units: as large and as high as the cascade's, in the median of 48 real faces."""

Tone = NDArray[np.uint8]


def find_faces(image: Image.Image) -> list[FoundFace]:
    """All faces of an RGB image, most likely first."""
    grey = image.convert("L")
    found = [settled for first in first_look(grey) if (settled := _settled(grey, first)) is not None]
    return without_overlaps([face for face in found if face.likelihood >= SURE])


def _settled(grey: Image.Image, first: FoundFace) -> FoundFace | None:
    """What two looks together say of a face, each half; None where the second sees none."""
    again, box = second_look(grey, first), first.box
    room = min(box.x, box.y, grey.width - box.x - box.width, grey.height - box.y - box.height)
    cut = room < -CUT * box.width
    if again is None:
        return first if cut else None
    likelihood = (first.likelihood + again.likelihood) / 2
    # beyond the frame there are only repeated edges, which are no part of a face
    return replace(again, likelihood=max(likelihood, first.likelihood) if cut else likelihood)


def first_look(grey: Image.Image, least: float = MAYBE) -> list[FoundFace]:
    """Where faces may be in a grey image, most likely first, from the likelihood `least` on."""
    scale = SIDE / max(grey.size)
    size = max(1, round(grey.width * scale)), max(1, round(grey.height * scale))
    small = np.asarray(grey.resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BICUBIC))
    room = [(0, -length % 32) for length in small.shape]
    seen = _seen(np.pad(small, room, mode="edge"), least)
    ratio = np.array(grey.size) / np.array(size)
    return [face_of(points * ratio, likelihood) for points, likelihood in seen]


def second_look(grey: Image.Image, face: FoundFace, least: float = MAYBE) -> FoundFace | None:
    """The face as it is seen upright and at a size of its own; None where none as likely as `least` is seen then."""
    frame = face.frame
    step = frame.unit / CLOSE
    half = SIDE / 2
    corners = HeadFrame(origin=_middle(frame), unit=step, angle=frame.angle).to_image(
        np.array(((-half, -half), (half, -half), (-half, half)))
    )
    picture = cut(grey, corners, SIDE)
    seen = _seen(picture, least)
    across, down = (corners[1] - corners[0]) / SIDE, (corners[2] - corners[0]) / SIDE
    near = [
        (points, likelihood) for points, likelihood in seen if np.hypot(*(points.mean(axis=0) - half)) < 0.6 * CLOSE
    ]
    if not near:
        return None
    points, likelihood = max(near, key=lambda one: one[1])
    return face_of(corners[0] + points[:, :1] * across + points[:, 1:] * down, likelihood)


def _middle(frame: HeadFrame) -> tuple[float, float]:
    x, y = frame.to_image(np.array([(0.0, CENTER)]))[0]
    return float(x), float(y)


def cut(grey: Image.Image, corners: NDArray[np.float64], side: int) -> Tone:
    """A square of a grey image, given by its corners (left top, right top, left bottom); edges are repeated outside."""
    points = np.concatenate((corners, (corners[1] + corners[2] - corners[0])[None]))
    low, high = np.floor(points.min(axis=0)).astype(int) - 2, np.ceil(points.max(axis=0)).astype(int) + 2
    pixels = np.asarray(grey)
    rows, columns = (np.clip(np.arange(low[axis], high[axis]), 0, pixels.shape[1 - axis] - 1) for axis in (1, 0))
    near = Image.fromarray(pixels[np.ix_(rows, columns)])
    start, right, down = corners[0] - low, (corners[1] - corners[0]) / side, (corners[2] - corners[0]) / side
    # whole pixels are averaged first, or thin lines fall between the samples
    by = max(1, int(np.hypot(*right)))
    steps = tuple(float(value) / by for axis in (0, 1) for value in (right[axis], down[axis], start[axis]))
    picture = near.reduce(by).transform((side, side), Image.Transform.AFFINE, steps, Image.Resampling.BICUBIC)
    return np.asarray(picture)


def face_of(points: NDArray[np.float64], likelihood: float) -> FoundFace:
    """A face with its eyes and mouth (3 x 2, pixels)."""
    left, right, mouth = ((float(x), float(y)) for x, y in points)
    bare = FoundFace(
        box=Box(x=0.0, y=0.0, width=1.0, height=1.0),
        likelihood=likelihood, left_eye=left, right_eye=right, mouth=mouth, chin=mouth,
    )  # fmt: skip
    frame = bare.frame
    upright = HeadFrame(origin=frame.origin, unit=frame.unit)
    x, y = frame.to_image(np.array([(0.0, 1.0)]))[0]
    return FoundFace(
        box=box_of(upright, BOX_X, BOX_Y), likelihood=likelihood,
        left_eye=left, right_eye=right, mouth=mouth, chin=(float(x), float(y)),
    )  # fmt: skip


def _seen(picture: Tone, least: float) -> list[tuple[NDArray[np.float64], float]]:
    """Eyes and mouth (3 x 2) with the likelihood of every face in a grey picture whose sides are multiples of 32."""
    import torch

    from evalharness.perception.finder_net import decode

    with torch.inference_mode():
        heat, shape = _net()(torch.from_numpy(np.array(picture))[None, None].float() / 255.0)
        return [(one.points.numpy(), one.likelihood) for one in decode(heat, shape, least)]


@cache
def _net() -> Any:
    """The net with its weights, once a process; raises PerceptionError where the file is another than was measured."""
    from evalharness.perception.finder_net import FinderNet

    return with_weights(FinderNet(), WEIGHTS, SHA256, "face finder")
