"""Observed things in the pixels of a larger or smaller copy of the image."""

from dataclasses import replace

from evalharness.types import Box, Face, Finding, Hair, Part, Point


def scale_box(box: Box, factor: float) -> Box:
    """A box in an image `factor` times as large."""
    return Box(x=box.x * factor, y=box.y * factor, width=box.width * factor, height=box.height * factor)


def scale_points(points: tuple[Point, ...], factor: float) -> tuple[Point, ...]:
    """Points in an image `factor` times as large."""
    return tuple((x * factor, y * factor) for x, y in points)


def scale_part(part: Part, factor: float) -> Part:
    """A part of a face in an image `factor` times as large."""
    box = None if part.box is None else scale_box(part.box, factor)
    return replace(part, box=box, outline=scale_points(part.outline, factor))


def scale_face(face: Face, factor: float) -> Face:
    """A face in an image `factor` times as large."""
    parts = tuple(scale_part(part, factor) for part in face.parts)
    return replace(face, box=scale_box(face.box, factor), parts=parts)


def scale_hair(hair: Hair, factor: float) -> Hair:
    """Hair figures in an image `factor` times as large; shares stay what they are."""
    first, last = scale_points(hair.axis, factor)
    tie = None if hair.accessory is None else scale_box(hair.accessory, factor)
    return replace(hair, axis=(first, last), outline=scale_points(hair.outline, factor), accessory=tie)


def scale_finding(finding: Finding, factor: float) -> Finding:
    """A finding in an image `factor` times as large."""
    return finding if finding.box is None else replace(finding, box=scale_box(finding.box, factor))
