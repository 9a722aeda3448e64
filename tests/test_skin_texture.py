"""Skin texture: noise of a face's skin is measured away from parts and edges; smoothed skin has less of it."""

import math

import numpy as np
import pytest
from judging import expecting
from PIL import Image, ImageDraw, ImageFilter

from evalharness.perception.photo import perceiver
from evalharness.perception.photo.landmarker import OUTLINES, Found
from evalharness.perception.photo.perceiver import PhotoPerceiver
from evalharness.perception.photo.skin import OVAL, skin_texture
from evalharness.scorers.skin_texture import SkinTexture
from evalharness.types import Observation, Point, Reference

CENTRE, ACROSS, DOWN = (200.0, 210.0), 120.0, 150.0
PARTS: dict[str, tuple[float, float, float]] = {
    "left_eye": (-45, -35, 22), "right_eye": (45, -35, 22), "brows": (0, -65, 75), "mouth": (0, 70, 40),
}  # fmt: skip


def around(x: float, y: float, width: float, height: float, count: int) -> list[Point]:
    turns = (2 * math.pi * number / count for number in range(count))
    return [(x + width * math.sin(turn), y - height * math.cos(turn)) for turn in turns]


def mesh(scale: float = 1.0) -> tuple[Point, ...]:
    """478 points of which those around the face and around its parts lie where they would."""
    points: list[Point] = [CENTRE] * 478
    for number, point in zip(OVAL, around(*CENTRE, ACROSS, DOWN, len(OVAL)), strict=True):
        points[number] = point
    for name, (x, y, size) in PARTS.items():
        outline = OUTLINES[name]
        for number, point in zip(outline, around(CENTRE[0] + x, CENTRE[1] + y, size, 12, len(outline)), strict=True):
            points[number] = point
    return tuple((x * scale, y * scale) for x, y in points)


def outlines(scale: float = 1.0) -> list[list[Point]]:
    return [[mesh(scale)[number] for number in numbers] for numbers in OUTLINES.values()]


def portrait(noise: float, *, blur: float = 0.0, marks: bool = True) -> Image.Image:
    """A face of plain skin with dark parts and a nose's edge, its skin with grain of so many levels."""
    image = Image.new("RGB", (400, 420), (60, 70, 90))
    pen = ImageDraw.Draw(image)
    pen.polygon(around(*CENTRE, ACROSS, DOWN, 40), fill=(205, 160, 140))
    grain = np.random.default_rng(0).normal(0.0, noise, (420, 400, 1))
    image = Image.fromarray(np.clip(np.asarray(image, float) + grain, 0, 255).astype(np.uint8))
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    if marks:
        pen = ImageDraw.Draw(image)
        for x, y, size in PARTS.values():
            pen.ellipse((200 + x - size, 210 + y - 8, 200 + x + size, 210 + y + 8), fill=(30, 20, 20))
        pen.line((205, 190, 215, 240), fill=(90, 50, 40), width=4)
    return image


def texture(image: Image.Image) -> float:
    found = skin_texture(image, mesh(), outlines())
    assert isinstance(found, float), found
    return found


def test_grain_is_measured_and_smoothing_takes_it_away() -> None:
    plain, fine, strong = (texture(portrait(noise)) for noise in (0.0, 6.0, 12.0))
    assert plain < 0.1 < fine < strong
    assert strong / fine == pytest.approx(2.0, rel=0.2), "it grows as the grain does"
    smoothed = texture(portrait(12.0, blur=3.0))
    assert smoothed < 0.35 * strong


def test_parts_and_edges_are_no_skin() -> None:
    marked, bare = texture(portrait(8.0)), texture(portrait(8.0, marks=False))
    assert marked == pytest.approx(bare, rel=0.15)


def test_strands_of_hair_over_smooth_skin_are_no_texture() -> None:
    image = portrait(0.0)
    pen = ImageDraw.Draw(image)
    for x in range(80, 330, 34):
        pen.line((x, 50, x, 370), fill=(70, 40, 30), width=3)
    assert texture(image) < 0.5


def test_darker_skin_of_the_same_relative_detail_measures_alike() -> None:
    image = portrait(8.0)
    darker = image.point([round(value * 0.6) for value in range(256)] * 3)
    assert texture(darker) == pytest.approx(texture(image), rel=0.15)


def test_size_of_the_picture_does_not_matter_but_a_small_face_cannot_be_told() -> None:
    image = portrait(12.0)
    half = image.resize((200, 210), Image.Resampling.BOX)
    said = skin_texture(half, mesh(0.5), outlines(0.5))
    assert isinstance(said, str) and "120 pixels wide" in said
    twice = image.resize((800, 840), Image.Resampling.NEAREST)
    assert skin_texture(twice, mesh(2.0), outlines(2.0)) == pytest.approx(texture(image), rel=0.25)


def test_photo_perceiver_keeps_the_measure_or_says_why_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found(points=mesh(), blendshapes={})
    small = Found(points=mesh(0.5), blendshapes={})
    looker = PhotoPerceiver(landmarks="face-landmarker")
    monkeypatch.setattr(type(looker.beside), "observe", lambda self, images: [Observation(width=400, height=420)])
    monkeypatch.setattr(perceiver, "find_faces", lambda images, model, least: [(found,)])
    image = portrait(8.0)
    (seen,) = looker.observe([image])
    assert seen.measures["skin_texture"] == pytest.approx(texture(image), abs=1e-3)
    monkeypatch.setattr(perceiver, "find_faces", lambda images, model, least: [(small,)])
    (seen,) = looker.observe([image])
    assert "skin_texture" not in seen.measures and "120 pixels" in seen.blind["skin_texture"]
    score = SkinTexture(norm=1.0).score(expecting(), seen, None)
    assert score.value is None and "120 pixels" in score.reason


def measured(value: float) -> Observation:
    return Observation(width=8, height=8, measures={"skin_texture": value})


def references(*values: float) -> Reference:
    return Reference(names=tuple(map(str, values)), observations=tuple(map(measured, values)))


def test_score_is_the_share_of_the_references_median() -> None:
    known = references(1.0, 2.0, 4.0)
    half = SkinTexture().score(expecting(), measured(0.5), known)
    assert half.value == 0.25 and "airbrushed" in half.reason and "median of 3 references" in half.reason
    full = SkinTexture().score(expecting(), measured(9.0), known)
    assert full.value == 1.0 and "skin detailed" in full.reason


def test_score_without_a_face_or_a_norm_is_unscored() -> None:
    blank = SkinTexture().score(expecting(), Observation(width=8, height=8), references(1.0, 2.0, 4.0))
    assert blank.value is None and "perception=photo" in blank.reason
    few = SkinTexture().score(expecting(), measured(1.0), references(1.0, 2.0))
    assert few.value is None and "2 references" in few.reason
    given = SkinTexture(norm=2.0).score(expecting(), measured(1.0), references(1.0))
    assert given.value == 0.5 and "norm that the config gives" in given.reason
