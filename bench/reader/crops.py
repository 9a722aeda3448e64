"""From a drawing to what the net sees: the upright crop as a face finder would cut it, worn as pictures are."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from evalharness.perception.face_crop import HALF, MIDDLE, SIDE
from evalharness.perception.found_face import EYES_APART, EYES_TO_MOUTH
from evalharness.types import EMOTIONS
from reader.face import BROW_STATES, EYE_STATES, MOUTH_STATES, Rng, around, between
from reader.pen import PER_UNIT, Points
from reader.scene import Drawn, draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A crop (uint8, 96 x 96), its eight classes, and 20 landmarks in head units."""

    crop: NDArray[np.uint8]
    classes: tuple[int, ...]
    points: NDArray[np.float32]


def examples(rng: Rng, count: int) -> list[Example]:
    """Draw a face and cut it out `count` times, each as another finder and another file would."""
    drawn = draw(rng)
    return [cut_out(drawn, rng) for _ in range(count)]


def cut_out(drawn: Drawn, rng: Rng) -> Example:
    """The crop of a drawing, as one finder and one file would have it."""
    origin, unit, angle = _frame(drawn.points, rng)
    image = _cut(drawn.image, origin, unit, angle)
    cos, sin = np.cos(angle), np.sin(angle)
    away = (drawn.points - origin) / unit
    upright = np.stack((away[:, 0] * cos + away[:, 1] * sin, away[:, 1] * cos - away[:, 0] * sin), axis=1)
    return Example(crop=np.asarray(worn(image, rng)), classes=classes(drawn), points=upright.astype(np.float32))


def classes(drawn: Drawn) -> tuple[int, ...]:
    """The truth as numbers: left eye, right eye, brows, mouth; emotions of eyes, brows, mouth; -1 = not to be seen."""
    face = drawn.face
    states = [EYE_STATES.index(state) for state in face.eye_states]
    eyes = EMOTIONS.index(face.eyes) if {"present", "closed"} & set(face.eye_states) else -1
    brows = EMOTIONS.index(face.brows) if face.brow_state == "present" else -1
    mouth = EMOTIONS.index(face.mouth) if face.mouth_state == "present" else -1
    return (*states, BROW_STATES.index(face.brow_state), MOUTH_STATES.index(face.mouth_state), eyes, brows, mouth)


def _frame(points: Points, rng: Rng) -> tuple[Points, float, float]:
    """Origin, unit and tilt in pixels as the face finder would place them, with its errors."""
    slip = 0.05 * PER_UNIT
    left, right = points[4] + rng.normal(0, slip, 2), points[9] + rng.normal(0, slip, 2)
    mouth = points[16:20].mean(axis=0) + rng.normal(0, slip, 2)
    across, down = right - left, mouth - (left + right) / 2
    unit = float(np.hypot(*across)) / EYES_APART * float(np.exp(around(rng, 0.0, 0.05)))
    turn = (np.arctan2(across[1], across[0]) + np.arctan2(-down[0], max(down[1], 0.2 * unit))) / 2 + around(
        rng, 0, 0.06
    )
    origin = mouth - EYES_TO_MOUTH * unit * np.array((-np.sin(turn), np.cos(turn)))
    return origin, unit, float(turn)


def _cut(image: Image.Image, origin: Points, unit: float, angle: float) -> Image.Image:
    step = 2 * HALF * unit / SIDE
    cos, sin = np.cos(angle) * step, np.sin(angle) * step
    corner = origin + np.array(
        (
            -HALF * unit * np.cos(angle) - (MIDDLE - HALF) * unit * np.sin(angle),
            -HALF * unit * np.sin(angle) + (MIDDLE - HALF) * unit * np.cos(angle),
        )
    )
    # drawn twice as large as needed: the mean of four pixels softens the edges
    half = image.reduce(2)
    steps = (cos / 2, -sin / 2, corner[0] / 2, sin / 2, cos / 2, corner[1] / 2)
    return half.transform((SIDE, SIDE), Image.Transform.AFFINE, steps, Image.Resampling.BICUBIC)


def worn(image: Image.Image, rng: Rng) -> Image.Image:
    """Small, blurred, compressed, noisy, or negative light: what happens to pictures."""
    if rng.random() < 0.3:
        side = round(SIDE * between(rng, 0.42, 0.95))
        image = image.resize((side, side), Image.Resampling.BILINEAR).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    elif rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(between(rng, 0.2, 1.1)))
    if rng.random() < 0.3:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(25, 90)))
        image = Image.open(file)
    values = np.asarray(image, dtype=np.float32) / 255.0
    values = np.clip(values, 0, 1) ** np.exp(around(rng, 0, 0.25)) * between(rng, 0.8, 1.0) + between(rng, 0.0, 0.08)
    values += rng.normal(0, between(rng, 0.0, 0.035) if rng.random() < 0.4 else 0.0, values.shape)
    return Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
