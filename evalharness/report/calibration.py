"""The page of a calibration: the figures, and every image on which a person and the machine differ."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from evalharness.languages import texts
from evalharness.replacing import write_whole
from evalharness.report.html import environment, style
from evalharness.types import Mark

PAGE_NAME = "calibration.html"
THUMBNAIL = 384
"""Longest side of the images in the page, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question that two judges answer differently."""

    question: str
    person: str
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """An image with the answers that differ, the machine's reason, and what it saw; `size` is (width, height).

    `wrong` are the metrics whose score the person calls wrong, `note` is what the person wrote.
    """

    path: Path
    size: tuple[int, int]
    answers: tuple[Answer, ...]
    reason: str
    marks: tuple[Mark, ...]
    wrong: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureRow:
    """A line of the table of figures, in words."""

    name: str
    value: str
    interval: str
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """All that the page of a calibration shows.

    `confusion` counts images by the person's emotion (outer) and the machine's (inner); `wrong` counts those whose
    score of a metric the person calls wrong; `blind` of `rated` images got their stars without scores in sight.
    """

    name: str
    figures: Sequence[FigureRow]
    confusion: Mapping[str, Mapping[str, int]]
    differing: Sequence[Disagreement]
    wrong: Mapping[str, int] = field(default_factory=dict)
    rated: int = 0
    blind: int = 0
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A mark as the points of an SVG polyline."""

    label: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """A disagreement as the page shows it; `picture` is a data URI."""

    name: str
    picture: str
    width: int
    height: int
    answers: tuple[Answer, ...]
    reason: str
    outlines: tuple[Outline, ...]
    wrong: tuple[str, ...]
    note: str


def write_calibration(folder: Path, found: Calibration) -> Path:
    """Write `folder/calibration.html`, whole or not at all, with all images inside; returns its path."""
    page = environment().get_template("calibration.html.j2")
    words = texts(found.language)
    text = page.render(found=found, images=[image_row(one) for one in found.differing], t=words, style=style())
    return write_whole(folder / PAGE_NAME, text)


def image_row(one: Disagreement) -> ImageRow:
    """The image made small, and its marks in its own pixels."""
    width, height = one.size
    outlines = [Outline(label=mark.label, points=_points(mark)) for mark in one.marks if mark.points]
    return ImageRow(
        name=one.path.name,
        picture=_data_uri(one.path),
        width=width,
        height=height,
        answers=one.answers,
        reason=one.reason,
        outlines=tuple(outlines),
        wrong=one.wrong,
        note=one.note,
    )


def _points(mark: Mark) -> str:
    points = mark.points
    if mark.kind == "box":
        (left, top), (right, bottom) = points
        points = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _data_uri(path: Path) -> str:
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    stream = io.BytesIO()
    small.save(stream, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
