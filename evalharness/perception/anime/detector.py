"""Faces of drawn characters as boxes, by a YOLO detector, and joined with the faces that offline perception read."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.models.cache import checked
from evalharness.models.table import Model, threshold_of
from evalharness.perception.anime.picture import numbers_of
from evalharness.perception.anime.session import Numbers, Runtime, answers
from evalharness.types import Box, Face

OVERLAP = 0.5
"""Of two boxes that share more (intersection over union), the less certain is the same face again."""
SAME = 0.2
"""Face finders draw their boxes differently: from this share on, both mean one face."""

AROUND = 0.25
"""Of a face's size, on each side of it, in the crop in which its eyes are looked for."""


def find_boxes(image: Image.Image, model: Model, runtime: Runtime) -> tuple[Face, ...]:
    """Faces, heads or eyes of at least the model's threshold, the most certain first; their parts are not read."""
    (network,) = checked(model)
    seen = numbers_of(image, model.input)
    found = answers(network, runtime, seen)
    if found.ndim != 3 or found.shape[:2] != (1, 5):
        raise PerceptionError(f"model {model.name} answers {found.shape} to one picture, not columns of five numbers.")
    columns = found[0].T
    columns = columns[columns[:, 4] >= threshold_of(model.name)]
    columns = columns[np.argsort(-columns[:, 4], kind="stable")]
    scale = (image.width / seen.shape[3], image.height / seen.shape[2])
    kept: list[Face] = []
    for column in columns:
        face = Face(box=_box(column, scale), confidence=float(column[4]))
        if all(overlap(face.box, other.box) <= OVERLAP for other in kept):
            kept.append(replace(face, cut_by_frame=_cut(face.box, image)))
    return tuple(kept)


def find_eyes(image: Image.Image, faces: Sequence[Face], model: Model, runtime: Runtime) -> tuple[Box, ...] | None:
    """Boxes of the largest face's eyes, in pixels of the image; None without a face.

    It looks at a crop with a quarter of the face's size around it: in a whole picture eyes are too small to be found.
    """
    face = max(faces, key=lambda one: one.box.width * one.box.height * one.confidence, default=None)
    if face is None:
        return None
    box = face.box
    left, top = max(0, round(box.x - AROUND * box.width)), max(0, round(box.y - AROUND * box.height))
    right = min(image.width, round(box.x + (1 + AROUND) * box.width))
    bottom = min(image.height, round(box.y + (1 + AROUND) * box.height))
    if right - left < 1 or bottom - top < 1:
        return None
    found = find_boxes(image.crop((left, top, right, bottom)), model, runtime)
    return tuple(replace(eye.box, x=eye.box.x + left, y=eye.box.y + top) for eye in found)


def joined(found: Sequence[Face], read: Sequence[Face]) -> tuple[Face, ...]:
    """One face for each box of the detector: what offline perception read of it, else the box alone.

    A face that only offline perception saw is left out: the detector is the more reliable counter.
    """
    left = list(read)
    faces = []
    for face in found:
        same = max(left, key=lambda other: overlap(face.box, other.box), default=None)
        if same is not None and overlap(face.box, same.box) >= SAME:
            left.remove(same)
            faces.append(replace(same, confidence=face.confidence))
        else:
            faces.append(face)
    return tuple(faces)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(width, 0.0) * max(height, 0.0)
    whole = one.width * one.height + other.width * other.height - shared
    return shared / whole if whole > 0.0 else 0.0


def _box(column: Numbers, scale: tuple[float, float]) -> Box:
    x, y, width, height = (float(value) for value in column[:4])
    return Box(
        x=(x - width / 2) * scale[0], y=(y - height / 2) * scale[1], width=width * scale[0], height=height * scale[1]
    )


def _cut(box: Box, image: Image.Image) -> bool:
    """Whether the box reaches the frame, where a detector's boxes end."""
    room = (box.x, box.y, image.width - box.x - box.width, image.height - box.y - box.height)
    return min(room) < 0.0
