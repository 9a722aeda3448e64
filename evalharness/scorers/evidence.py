"""What scorers share: which face is meant, and marks that show what was seen."""

from evalharness.scorers.lab import hexadecimal
from evalharness.types import Box, Face, Lab, Mark, Observation, Part


def main_face(observation: Observation) -> Face | None:
    """The face that is judged where there are several: the largest, weighted by how sure the finder is."""
    return max(observation.faces, key=lambda face: face.box.width * face.box.height * face.confidence, default=None)


def several(observation: Observation) -> str | None:
    """What makes the image more than one picture of one person, in words ('2 panels'), or None."""
    if len(observation.panels) > 1:
        return f"{len(observation.panels)} panels"
    for things, count in (("faces", len(observation.faces)), ("heads", len(observation.boxes.get("heads", ())))):
        if count > 1:
            return f"{count} {things}"
    return None


def box_mark(label: str, box: Box) -> Mark:
    """A box, as its upper left and lower right corner in pixels."""
    return Mark(kind="box", label=label, points=((box.x, box.y), (box.x + box.width, box.y + box.height)))


def part_mark(label: str, part: Part) -> Mark | None:
    """A part's line where the reader drew one, else its box, else nothing."""
    if len(part.outline) > 1:
        return Mark(kind="line", label=label, points=part.outline)
    return box_mark(label, part.box) if part.box else None


def swatch(label: str, lab: Lab) -> Mark:
    """A patch of colour."""
    return Mark(kind="swatch", label=label, color=hexadecimal(lab))
