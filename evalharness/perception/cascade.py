"""Anime faces by the animeface cascade: where they are, how they tilt, and where their landmarks lie."""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from evalharness.errors import PerceptionError
from evalharness.perception.found_face import FoundFace, without_overlaps
from evalharness.types import Box

GREY = (128, 128, 128)
SURE = 0.75
"""Likelihood that a face of the last, most changed views must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One way to show an image to the detector: longest side in pixels, border as a share of it, turn in degrees.

    `even` spreads the lightness evenly first: half a face in shadow is no face to the detector. `least` is the
    likelihood from which a face counts, where the detector itself is content with 0.5.
    """

    side: int
    border: float
    turn: float = 0.0
    even: bool = False
    least: float = 0.5


# Measured on 83 single real faces: the first alone finds 76, the union of all 79; later ones cost time only
# where the first found nothing.
TRIES = (
    Try(side=192, border=0.25),
    Try(side=192, border=0.08),
    Try(side=256, border=0.25),
    Try(side=128, border=0.25),
    Try(side=352, border=0.1),
    Try(side=192, border=0.25, turn=20.0),
    Try(side=192, border=0.25, turn=-20.0),
    Try(side=128, border=0.4, even=True, least=SURE),
    Try(side=128, border=0.6, turn=20.0, even=True, least=SURE),
    Try(side=128, border=0.6, turn=-20.0, even=True, least=SURE),
)


def find_faces(image: Image.Image) -> list[FoundFace]:
    """All faces of an RGB image, most likely first; raises PerceptionError where the detector is blind."""
    check_detector()
    for attempt in TRIES:
        found = without_overlaps(detect(image, attempt))
        if found:
            return found
    return []


@cache
def check_detector() -> None:
    """Once a process: a drawn face must be found, because animeface sees nothing, silently, under Pillow 12."""
    if find_spec("animeface") is None:
        raise PerceptionError(
            "finder=cascade needs the package animeface, which is not installed; pip install 'evalharness[cascade]', "
            "or leave finder=net."
        )
    if not detect(canary(), TRIES[0]):
        from PIL import __version__ as version

        raise PerceptionError(
            f"animeface finds no face in its test picture (Pillow {version}); it needs Pillow below 12: "
            "pip install 'evalharness[cascade]'."
        )


def canary() -> Image.Image:
    """A plain drawn face, 192 x 192, that the detector must find."""
    image = Image.new("RGB", (384, 384), (206, 222, 238))
    pen = ImageDraw.Draw(image)
    pen.ellipse((80, 40, 304, 300), fill=(98, 62, 44))
    pen.polygon(((104, 170), (280, 170), (262, 268), (192, 326), (122, 268)), fill=(255, 226, 206))
    pen.ellipse((104, 90, 280, 290), fill=(255, 226, 206))
    pen.pieslice((96, 60, 288, 260), 180, 360, fill=(98, 62, 44))
    for center in (146, 238):
        pen.ellipse((center - 27, 172, center + 27, 232), fill=(255, 255, 255))
        pen.ellipse((center - 17, 176, center + 17, 230), fill=(72, 46, 110))
        pen.ellipse((center - 8, 192, center + 8, 218), fill=(20, 14, 30))
        pen.arc((center - 30, 166, center + 30, 240), 195, 345, fill=(30, 20, 30), width=7)
        pen.line((center - 28, 150, center + 28, 150), fill=(60, 38, 30), width=5)
    pen.arc((166, 250, 218, 280), 20, 160, fill=(150, 60, 60), width=5)
    return image.resize((192, 192), Image.Resampling.LANCZOS)


def detect(image: Image.Image, attempt: Try) -> list[FoundFace]:
    """The faces that one try of the cascade sees in an RGB image, in the image's pixels."""
    import animeface

    scale = attempt.side / max(image.size)
    small = image.convert("RGB").resize(_scaled(image.size, scale), Image.Resampling.BICUBIC)
    small = ImageOps.equalize(small) if attempt.even else small
    border = round(attempt.side * attempt.border)
    padded = Image.new("RGB", (small.width + 2 * border, small.height + 2 * border), GREY)
    padded.paste(small, (border, border))
    turned = padded.rotate(attempt.turn, Image.Resampling.BICUBIC, fillcolor=GREY) if attempt.turn else padded
    back = _Back(center=(padded.width / 2, padded.height / 2), turn=attempt.turn, border=border, scale=scale)
    return [back.face(raw) for raw in animeface.detect(turned) if raw.likelihood >= attempt.least]


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Back:
    """The way back from the picture shown to the detector to the image's pixels."""

    center: tuple[float, float]
    turn: float
    border: int
    scale: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        turn = np.deg2rad(self.turn)
        dx, dy = x - self.center[0], y - self.center[1]
        straight_x = self.center[0] + dx * np.cos(turn) - dy * np.sin(turn)
        straight_y = self.center[1] + dx * np.sin(turn) + dy * np.cos(turn)
        return float((straight_x - self.border) / self.scale), float((straight_y - self.border) / self.scale)

    def face(self, raw: "object") -> FoundFace:
        box = raw.face.pos  # type: ignore[attr-defined]
        x, y = self.point(box.x + box.width / 2, box.y + box.height / 2)
        width, height = box.width / self.scale, box.height / self.scale
        return FoundFace(
            box=Box(x=x - width / 2, y=y - height / 2, width=width, height=height),
            likelihood=float(raw.likelihood),  # type: ignore[attr-defined]
            # the package names eyes by the character's sides
            left_eye=self._middle(raw.right_eye.pos),  # type: ignore[attr-defined]
            right_eye=self._middle(raw.left_eye.pos),  # type: ignore[attr-defined]
            mouth=self._middle(raw.mouth.pos),  # type: ignore[attr-defined]
            chin=self.point(raw.chin.pos.x, raw.chin.pos.y),  # type: ignore[attr-defined]
        )

    def _middle(self, box: "object") -> tuple[float, float]:
        return self.point(box.x + box.width / 2, box.y + box.height / 2)  # type: ignore[attr-defined]
