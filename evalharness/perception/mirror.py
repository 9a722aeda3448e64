"""Exact mirror symmetry: of an image and its mirror image only one is ever looked at, and what was seen is turned back.

Cascades, tie-breaks and the rounding of boxes all prefer a side a little. Looking at both images and averaging would
take twice the time; choosing one of the two by a rule that both share costs less than a millisecond.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from PIL import Image

from evalharness.perception.layout import SIDE
from evalharness.types import Box, Face, Finding, Hair, Observation, Part, Point

PARTS = ("left_eye", "right_eye", "brows", "mouth")
OTHER = {"left_eye": "right_eye", "right_eye": "left_eye"}


def evenly(observe: Callable[[Image.Image], Observation], image: Image.Image) -> Observation:
    """What `observe` sees in an RGB image, so that the mirror image's observation is exactly the mirrored one."""
    lean = heavier_side(image)
    if lean > 0:
        return mirrored(observe(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    seen = observe(image)
    return seen if lean or seen.hair is None else replace(seen, hair=_balanced(seen.hair))


def heavier_side(image: Image.Image) -> int:
    """-1 or 1 where the image's left or right is brighter, 0 for an image that is its own mirror image.

    The sign of the brightness' first moment about the vertical middle, in whole numbers: exact, opposite for the
    mirror image, and hardly moved by noise, scale or JPEG. Where it is 0 the pixels themselves are compared.
    """
    columns = np.asarray(image.convert("L"), dtype=np.int64).sum(axis=0)
    moment = int(np.dot(columns, 2 * np.arange(len(columns)) - (len(columns) - 1)))
    if moment == 0:
        pixels = np.asarray(image)
        own, other = pixels.tobytes(), pixels[:, ::-1].tobytes()
        moment = (own > other) - (own < other)
    return (moment > 0) - (moment < 0)


def mirrored(seen: Observation) -> Observation:
    """The observation as it is of the mirror image."""
    width = seen.width
    cells = np.array(seen.layout).reshape(-1, SIDE, 3)[:, ::-1].ravel()
    return replace(
        seen,
        faces=tuple(_face(face, width) for face in seen.faces),
        panels=tuple(_box(panel, width) for panel in seen.panels),
        hair=None if seen.hair is None else _hair(seen.hair, width),
        findings=tuple(_finding(finding, width) for finding in seen.findings),
        layout=tuple(int(value) for value in cells),
    )


def _box(box: Box, width: int) -> Box:
    return replace(box, x=width - box.x - box.width)


def _points(points: tuple[Point, ...], width: int) -> tuple[Point, ...]:
    return tuple((width - x, y) for x, y in points)


def _part(part: Part, width: int) -> Part:
    box = None if part.box is None else _box(part.box, width)
    name = OTHER.get(part.name, part.name)
    return replace(part, name=name, box=box, outline=_points(part.outline, width))  # type: ignore[arg-type]


def _face(face: Face, width: int) -> Face:
    """The face with its eyes' names swapped, in the parts' own order, its tilt the other way."""
    parts = sorted((_part(part, width) for part in face.parts), key=lambda part: PARTS.index(part.name))
    return replace(face, box=_box(face.box, width), angle=-face.angle, parts=tuple(parts))


def _finding(finding: Finding, width: int) -> Finding:
    return finding if finding.box is None else replace(finding, box=_box(finding.box, width))


def _hair(hair: Hair, width: int) -> Hair:
    first, last = _points(hair.axis, width)
    tie = None if hair.accessory is None else _box(hair.accessory, width)
    outline, swapped = _points(hair.outline, width), replace(hair, left=hair.right, right=hair.left)
    return replace(swapped, axis=(first, last), outline=outline, accessory=tie, sides=_swapped(hair.sides))


def _swapped(sides: Mapping[str, float]) -> dict[str, float]:
    names = {"left": "right", "right": "left", "none": "none"}
    return {name: sides[names[name]] for name in sides}


def _balanced(hair: Hair) -> Hair:
    """Hair of an image without a heavier side: what is one side's is half the other's."""
    share, swapped = (hair.left + hair.right) / 2, _swapped(hair.sides)
    sides = {name: (hair.sides[name] + swapped[name]) / 2 for name in swapped}
    return replace(hair, left=share, right=share, sides=sides)
