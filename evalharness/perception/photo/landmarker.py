"""Faces in photographs by mediapipe's FaceLandmarker: 478 points and 52 blendshapes each, and the head's turn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.models.cache import checked
from evalharness.models.table import Model
from evalharness.perception.photo.units import CLOSED, emotions_of, strong
from evalharness.types import Box, Face, Part, PartState, Point

MOST = 8
"""Faces that are looked for."""
OUTLINES: dict[str, tuple[int, ...]] = {
    "left_eye": (33, 160, 158, 133, 153, 144, 33),
    "right_eye": (362, 385, 387, 263, 373, 380, 362),
    "brows": (70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    "mouth": (61, 40, 0, 270, 291, 321, 17, 91, 61),
}
"""Numbers of the face mesh's points that make a part's line; left is the image's left, the person's right."""
GROUPS = {"left_eye": "eyes", "right_eye": "eyes", "brows": "brows", "mouth": "mouth"}
BLINKS = {"left_eye": "eyeBlinkRight", "right_eye": "eyeBlinkLeft"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One face: its points (478) in pixels, and its blendshapes by name, 0..1."""

    points: tuple[Point, ...]
    blendshapes: dict[str, float]


def find_faces(images: Sequence[Image.Image], model: Model, least: float) -> list[tuple[Found, ...]]:
    """The faces of each RGB image that mediapipe is at least so sure of (0..1), the largest first."""
    mediapipe = imported()
    (path,) = checked(model)
    # closed at once: left to the interpreter's end, mediapipe complains of threads that are gone
    with _opened(path, least) as landmarker:
        pictures = (
            mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
            for image in images
        )
        seen = [landmarker.detect(picture) for picture in pictures]
    return [_found(one, image) for one, image in zip(seen, images, strict=True)]


def _found(seen: Any, image: Image.Image) -> tuple[Found, ...]:
    found = [
        Found(
            points=tuple((point.x * image.width, point.y * image.height) for point in points),
            blendshapes={shape.category_name: float(shape.score) for shape in shapes},
        )
        for points, shapes in zip(seen.face_landmarks, seen.face_blendshapes, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -_area(_around(one.points))))


def face_of(found: Found, image: Image.Image, model: Model, least: float) -> Face:
    """A found face with its parts; mediapipe does not say how sure it is, only that it was sure enough."""
    box = _around(found.points)
    cut = min(box.x, box.y, image.width - box.x - box.width, image.height - box.y - box.height) < 0.0
    # the outer corners of both eyes
    (left, top), (right, bottom) = found.points[33], found.points[263]
    angle = math.degrees(math.atan2(bottom - top, right - left))
    parts = tuple(part_of(name, found, model, least) for name in OUTLINES)
    return Face(box=box, confidence=least, angle=angle, cut_by_frame=cut, parts=parts)


def part_of(name: str, found: Found, model: Model, least: float) -> Part:
    """One part: its line, and what its units show."""
    group = GROUPS[name]
    outline = tuple(found.points[number] for number in OUTLINES[name])
    seen = ", ".join(f"{unit} {value:.2f}" for unit, value in strong(group, found.blendshapes).items())
    state: PartState = "closed" if found.blendshapes.get(BLINKS.get(name, ""), 0.0) >= CLOSED else "present"
    return Part(
        name=name,  # type: ignore[arg-type]
        state=state,
        confidence=least,
        box=_around(outline),
        outline=outline,
        emotions=emotions_of(group, found.blendshapes),
        note=f"{model.name}: {seen or 'at rest'}",
    )


def _opened(path: Path, least: float) -> Any:
    """A landmarker (0.1 s); raises PerceptionError for a file that is none."""
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(path)),
        num_faces=MOST,
        output_face_blendshapes=True,
        min_face_detection_confidence=least,
        min_face_presence_confidence=least,
    )
    try:
        return vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        raise PerceptionError(f"{path} is no face landmarker that mediapipe can open: {str(error)[:200]}") from None


def imported() -> Any:
    """The library; raises PerceptionError that says what to install."""
    try:
        import mediapipe
        import mediapipe.tasks.python.vision
    except ModuleNotFoundError as error:
        raise PerceptionError(
            f"perception photo needs mediapipe ({error}); install it: pip install 'evalharness[photo]'"
        ) from None
    except (ImportError, OSError) as error:
        raise PerceptionError(
            f"mediapipe cannot be loaded: {error}; on a slim image install its system libraries: "
            "apt-get install libegl1 libgles2 libgl1 libglib2.0-0"
        ) from None
    return mediapipe


def _around(points: Sequence[Point]) -> Box:
    across, down = [x for x, _ in points], [y for _, y in points]
    return Box(x=min(across), y=min(down), width=max(across) - min(across), height=max(down) - min(down))


def _area(box: Box) -> float:
    return box.width * box.height
