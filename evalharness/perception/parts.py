"""Eyes, brows and mouth of a found face: there or not, what they show, and how sure that is."""

from typing import Literal

import numpy as np

from evalharness.perception.brows import PairOfLines, UpperFace, read_upper_face
from evalharness.perception.emotions import BROWS, EYES, MOUTH, read_emotions
from evalharness.perception.eyes import EyeShape, read_eye
from evalharness.perception.faces import FoundFace
from evalharness.perception.geometry import Array, Crop, HeadFrame, box_around, box_of
from evalharness.perception.mouth import MouthShape, read_mouth, residue
from evalharness.perception.strokes import Strokes, read_strokes
from evalharness.types import Box, Part, Point

SMALL = 9.0
"""A face narrower than 18 pixels shows no parts that could be read."""
PartName = Literal["left_eye", "right_eye", "brows", "mouth"]
EYE_X = 0.46
CLOSED = 0.2
"""An eye lower than this (head units) is closed."""
BARE = 9.0
"""CIELAB distance from skin up to which the mouth's place counts as bare."""
FAINT = 6.0
"""Lightness contrast below which a line may as well be hair."""


def read_parts(crop: Crop, face: FoundFace, hair: Array | None) -> tuple[Part, ...]:
    """Both eyes (image's left first), brows and mouth of a face whose head is `crop`; `hair` is its colour."""
    frame = face.frame
    if frame.unit < SMALL:
        return _unsure(frame, f"the face is only {2 * frame.unit:.0f} pixels wide")
    strokes = read_strokes(crop, hair)
    upper = read_upper_face(crop.lab[..., 0], strokes.drawn)
    middle = frame.from_image(np.array([face.mouth]))[0]
    eyes = [_eye(strokes, upper, side, _eye_shape(strokes, upper, side)) for side in (-1, 1)]
    mouth = _mouth(strokes, (float(middle[0]), float(middle[1])))
    return (*eyes, _brows(frame, upper), mouth)


def _lid(upper: UpperFace, side: int) -> float:
    return -upper.lids.height + upper.skew * side * EYE_X


def _eye_shape(strokes: Strokes, upper: UpperFace, side: int) -> EyeShape | None:
    return read_eye(strokes, (side * EYE_X, 0.0), side, _lid(upper, side))


def _eye(strokes: Strokes, upper: UpperFace, side: int, shape: EyeShape | None) -> Part:
    name: PartName = "left_eye" if side < 0 else "right_eye"
    frame, lid = strokes.crop.frame, _lid(upper, side)
    box = box_of(frame, (side * EYE_X - 0.3, side * EYE_X + 0.3), (lid, 0.3))
    if shape is None:
        return Part(
            name=name, state="missing", confidence=0.7, box=box, note="nothing is drawn where the eye should be"
        )
    reading = read_emotions(EYES, (shape.opening, shape.white, shape.dark))
    return Part(
        name=name,
        state="closed" if shape.opening < CLOSED else "present",
        confidence=_sure(shape, reading.fit),
        box=box,
        outline=_pixels(frame, upper.lids.left if side < 0 else upper.lids.right),
        emotions=reading.emotions,
        note=f"{reading.rule}; opening {shape.opening:.2f} of half a face",
    )


def _sure(shape: EyeShape, fit: float) -> float:
    return float(0.6 * fit * min(1.0, shape.strength / 30.0))


def _brows(frame: HeadFrame, upper: UpperFace) -> Part:
    brows = upper.brows
    box = box_of(frame, (-0.8, 0.8), (-brows.height - 0.2, -brows.height + 0.2))
    if brows.contrast < FAINT:
        return Part(name="brows", state="hidden", confidence=0.5, box=box, note="no line stands out over the eyes")
    reading = read_emotions(BROWS, (brows.height, brows.slope, brows.bow))
    return Part(
        name="brows",
        state="present",
        confidence=float(reading.fit * min(1.0, brows.contrast / 18.0)),
        box=box,
        outline=_pixels(frame, _both(brows)),
        emotions=reading.emotions,
        note=f"{reading.rule}; slope {brows.slope:+.1f}, height {brows.height:.2f}",
    )


def _both(lines: PairOfLines) -> Array:
    return np.concatenate((lines.left[::-1], lines.right))


def _mouth(strokes: Strokes, middle: tuple[float, float]) -> Part:
    frame = strokes.crop.frame
    expected = box_of(frame, (middle[0] - 0.3, middle[0] + 0.3), (middle[1] - 0.15, middle[1] + 0.15))
    shape = read_mouth(strokes, middle)
    if shape is None:
        return _no_mouth(expected, residue(strokes, middle))
    features = (shape.width, shape.height, shape.corners, shape.top, shape.bottom, shape.wave, shape.light)
    reading = read_emotions(MOUTH, features)
    return Part(
        name="mouth",
        state="present",
        confidence=_mouth_sure(shape, reading.fit),
        box=box_around(frame.to_image(shape.line)),
        outline=_pixels(frame, shape.line),
        emotions=reading.emotions,
        note=f"{reading.rule}; width {shape.width:.2f}, height {shape.height:.2f}, corners {shape.corners:+.2f}",
    )


def _no_mouth(box: Box, left_over: float) -> Part:
    """A mouth is missing where the skin is bare, and unsure where shadows or other strokes lie in its place."""
    if left_over < BARE:
        return Part(name="mouth", state="missing", confidence=0.7, box=box, note="bare skin where the mouth should be")
    note = f"something is drawn in the mouth's place, but no mouth can be told ({left_over:.0f} from skin)"
    return Part(name="mouth", state="unsure", confidence=0.0, box=box, note=note)


def _mouth_sure(shape: MouthShape, fit: float) -> float:
    return float(fit * min(1.0, shape.strength / 20.0))


def _pixels(frame: HeadFrame, points: Array) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in frame.to_image(points))


def _unsure(frame: HeadFrame, note: str) -> tuple[Part, ...]:
    box = box_of(frame, (-0.8, 0.8), (-0.4, 0.8))
    names: tuple[PartName, ...] = ("left_eye", "right_eye", "brows", "mouth")
    return tuple(Part(name=name, state="unsure", confidence=0.0, box=box, note=note) for name in names)
