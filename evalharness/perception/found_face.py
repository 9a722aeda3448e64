"""A found face: its box and its landmarks, and the frame of the head that follows from them."""

from dataclasses import dataclass

import numpy as np

from evalharness.perception.geometry import HeadFrame
from evalharness.types import Box

EYES_APART = 0.92
"""Distance of the eyes in head units."""
EYES_TO_MOUTH = 0.56
"""Distance of the mouth from the line between the eyes in head units."""
CENTER = 0.2
"""How far below the eyes' line the middle of eyes and mouth lies in head units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFace:
    """A face with its landmarks in pixels of the image; the eyes are named by the image's sides."""

    box: Box
    likelihood: float
    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    mouth: tuple[float, float]
    chin: tuple[float, float]

    @property
    def frame(self) -> HeadFrame:
        """The head's place, size and tilt, from eyes and mouth together.

        The finder's mouth is half as far off as its eyes, which slide towards brows and lashes.
        """
        left, right, mouth = np.array(self.left_eye), np.array(self.right_eye), np.array(self.mouth)
        across, down = right - left, mouth - (left + right) / 2
        unit = max(float(np.hypot(*across)) / EYES_APART, 1.0)
        turn = (np.arctan2(across[1], across[0]) + np.arctan2(-down[0], max(down[1], 0.2 * unit))) / 2
        x, y = mouth - EYES_TO_MOUTH * unit * np.array((-np.sin(turn), np.cos(turn)))
        return HeadFrame(origin=(float(x), float(y)), unit=unit, angle=float(np.rad2deg(turn)))


def without_overlaps(faces: list[FoundFace]) -> list[FoundFace]:
    """The most likely face of every group whose boxes overlap by more than 0.3 of the smaller one."""
    kept: list[FoundFace] = []
    for face in sorted(faces, key=lambda one: -one.likelihood):
        if all(_overlap(face.box, other.box) < 0.3 for other in kept):
            kept.append(face)
    return kept


def _overlap(one: Box, other: Box) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(width, 0.0) * max(height, 0.0) / max(smaller, 1e-9)
