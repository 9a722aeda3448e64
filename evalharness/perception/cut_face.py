"""A face that the frame cuts in its middle: what is left of it and its mirror image make a whole one."""

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from evalharness.perception.cascade import TRIES, detect
from evalharness.perception.found_face import FoundFace
from evalharness.types import Box, Finding

AXES = (0.0, 0.05, 0.1)
"""Where the picture is folded, as shares of its width away from an edge: the frame seldom cuts just at the nose."""
REACH = 0.5
"""Share of the width on either side of the fold that is looked at."""
AWAY, WIDEST = 0.06, 0.7
"""How far off the fold a face's middle may be, and how wide the face, as shares of the folded picture's width."""
SURE = 0.9
"""Likelihood that a face must have: a fold makes many things look like something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """A side of an RGB image beside its own mirror image; the fold lies `start` pixels inside the image."""

    image: Image.Image
    left: bool
    start: int

    @property
    def shown(self) -> Image.Image:
        """The folded picture: the mirror image at the left, the side itself at the right."""
        image = self.image if self.left else self.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        reach = round(REACH * image.width)
        part = image.crop((self.start, 0, self.start + reach, image.height))
        shown = Image.new("RGB", (2 * part.width, part.height))
        shown.paste(part.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (0, 0))
        shown.paste(part, (part.width, 0))
        return shown

    def box(self, face: FoundFace) -> Box:
        """What the image holds of the face, from its edge inwards, in the image's pixels."""
        width = self.start + face.box.width / 2
        left = 0.0 if self.left else self.image.width - width
        return Box(x=left, y=face.box.y, width=width, height=face.box.height)


def find_cut_face(image: Image.Image) -> Finding:
    """How surely half a face stands at the left or right edge of an RGB image in which no whole one was found.

    Faces cut by the upper or lower edge are not told: no fold makes them whole.
    """
    found = [(face.likelihood, fold, face) for fold in _folds(image) for face in _on_fold(fold)]
    likelihood, fold, face = max(found, key=lambda one: one[0], default=(0.0, None, None))
    if fold is None or face is None:
        note = "no half of a face at the left or right edge"
        return Finding(name="cut_face", strength=0.0, absence_counts=False, note=note)
    strength = likelihood if likelihood >= SURE else likelihood / 2
    box = fold.box(face) if strength >= 0.5 else None
    note = f"with its mirror image a face: {likelihood:.2f}"
    return Finding(name="cut_face", strength=strength, absence_counts=False, box=box, note=note)


def _folds(image: Image.Image) -> Iterator[Fold]:
    for left in (True, False):
        for share in AXES:
            yield Fold(image=image, left=left, start=round(share * image.width))


def _on_fold(fold: Fold) -> list[FoundFace]:
    """The faces whose middle lies on the fold."""
    shown = fold.shown
    faces = [(face, face.box.x + face.box.width / 2) for face in detect(shown, TRIES[0])]
    allowed = AWAY * shown.width
    return [
        face
        for face, middle in faces
        if abs(middle - shown.width / 2) < allowed and face.box.width < WIDEST * shown.width
    ]
