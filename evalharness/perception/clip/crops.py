"""The eyes, brows and mouth of a face as pictures of their own, for a model that is asked about each."""

from collections.abc import Mapping, Sequence

from PIL import Image

from evalharness.perception.anime.picture import squared
from evalharness.types import Box, Face, Part

GROUPS: Mapping[str, tuple[str, ...]] = {
    "eyes": ("left_eye", "right_eye"),
    "brows": ("brows",),
    "mouth": ("mouth",),
}
SHOWN = ("present", "closed")
MARGIN = 0.3
"""Of a part's longer side, around it: a mouth's corners and an eye's lids need the skin beside them."""
LEAST = 12.0
"""Pixels of a crop's longer side below which nothing can be told."""


def main_face(faces: Sequence[Face]) -> Face | None:
    """The face whose parts are asked about: the largest, weighted by how sure the finder is, as scorers take it."""
    return max(faces, key=lambda face: face.box.width * face.box.height * face.confidence, default=None)


def part_crops(image: Image.Image, face: Face) -> dict[str, Image.Image]:
    """A white square around each group of parts that is there and large enough, both eyes on one."""
    found = {}
    for group, names in GROUPS.items():
        boxes = [part.box for part in face.parts if part.name in names and _shown(part) and part.box]
        if boxes and (crop := _cut(image, boxes)):
            found[group] = squared(crop)
    return found


def _shown(part: Part) -> bool:
    return part.state in SHOWN


def _cut(image: Image.Image, boxes: Sequence[Box]) -> Image.Image | None:
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    around = MARGIN * max(right - left, bottom - top)
    inside = (
        max(0, round(left - around)),
        max(0, round(top - around)),
        min(image.width, round(right + around)),
        min(image.height, round(bottom + around)),
    )
    width, height = inside[2] - inside[0], inside[3] - inside[1]
    return image.crop(inside) if min(width, height) > 0 and max(width, height) >= LEAST else None
