"""Further faces in a picture in which one was found: the cascade stops at the first size at which it sees any."""

from PIL import Image, ImageDraw

from evalharness.perception.cascade import GREY, Try, detect
from evalharness.perception.found_face import FoundFace

LOOK = Try(side=352, border=0.1, least=0.95)
"""Small faces beside a large one need more pixels than the large one did."""
HEAD = (-0.2, -0.3, 1.2, 1.1)
"""What of a found head is painted over, in units of its face's box: left, top, right, bottom."""
SMALLEST = 0.35
"""A further face's least width as a share of the first one's: below that are buttons, eyes and patterns."""


def more_faces(image: Image.Image, found: list[FoundFace]) -> list[FoundFace]:
    """Faces of an RGB image beside the found ones; none where nothing was found."""
    if not found:
        return []
    rest = image.copy()
    pen = ImageDraw.Draw(rest)
    left, top, right, bottom = HEAD
    for face in found:
        x, y, width, height = face.box.x, face.box.y, face.box.width, face.box.height
        pen.rectangle((x + left * width, y + top * height, x + right * width, y + bottom * height), fill=GREY)
    least = SMALLEST * max(face.box.width for face in found)
    return [face for face in detect(rest, LOOK) if face.box.width >= least]
