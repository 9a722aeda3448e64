"""What is seen in a mirror image is exactly the mirrored observation: of drawings, of noise, of real images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import expecting
from PIL import Image

from evalharness.demo import look as words
from evalharness.demo.drawing import draw, sample_look
from evalharness.perception.mirror import heavier_side, mirrored
from evalharness.perception.offline import OfflinePerceiver
from evalharness.scorers.hair_side import HairSide
from evalharness.types import Observation

REAL = Path(__file__).parents[2] / "shared" / "harmony-lab" / "images"
NAMES = sorted(path.name for path in REAL.glob("*.png"))[::6]
EPSILON = 1e-9
"""Pixels: what adding and taking away the width leaves of a coordinate."""


def flipped(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def both(image: Image.Image) -> tuple[Observation, Observation]:
    one, other = OfflinePerceiver().observe([image, flipped(image)])
    return one, other


def check_mirrored(image: Image.Image) -> None:
    """Left and right swap exactly, and the mirrored wish has the same score."""
    one, other = both(image)
    back = mirrored(other)
    assert len(one.faces) == len(back.faces)
    for face, twin in zip(one.faces, back.faces, strict=True):
        assert face.box.x == pytest.approx(twin.box.x, abs=EPSILON)
        assert replace(face, box=twin.box, parts=()) == replace(twin, parts=())
        assert [(p.name, p.state, p.emotions) for p in face.parts] == [
            (p.name, p.state, p.emotions) for p in twin.parts
        ]
    assert one.colors == other.colors
    assert one.layout == back.layout
    assert (one.hair is None) == (other.hair is None)
    if one.hair is None or other.hair is None:
        return
    assert (one.hair.left, one.hair.right) == (other.hair.right, other.hair.left)
    assert one.hair.styles == other.hair.styles
    for asked, twin_asked in (("left", "right"), ("right", "left"), ("none", "none")):
        score = HairSide().score(expecting(hair_side=asked), one, None)
        twin_score = HairSide().score(expecting(hair_side=twin_asked), other, None)
        assert score.value == twin_score.value


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_mirrored_drawing_of_any_look_is_seen_mirrored(seed: int) -> None:
    check_mirrored(draw(sample_look(np.random.default_rng(seed)), 128).image)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**31), st.integers(64, 99), st.integers(64, 99))
def test_mirrored_noise_is_seen_mirrored(seed: int, width: int, height: int) -> None:
    noise = np.random.default_rng(seed).normal(128, 40, (height // 8, width // 8, 3)).clip(0, 255).astype(np.uint8)
    check_mirrored(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.skipif(not NAMES, reason="the 48 real images of ../shared/harmony-lab are not here")
@pytest.mark.parametrize("name", NAMES)
def test_mirrored_real_image_is_seen_mirrored(name: str) -> None:
    check_mirrored(Image.open(REAL / name).convert("RGB"))


def test_image_that_is_its_own_mirror_image_leans_to_no_side() -> None:
    half = np.asarray(draw(words.Look(seed=3, hairstyle="side_ponytail"), 128).image)[:, :64]
    image = Image.fromarray(np.concatenate((half, half[:, ::-1]), axis=1))
    assert heavier_side(image) == 0
    (seen,) = OfflinePerceiver().observe([image])
    assert seen.hair is not None
    assert seen.hair.left == seen.hair.right
    assert seen.hair.sides["left"] == seen.hair.sides["right"]


PIXELS: Any = st.lists(st.integers(0, 255), min_size=12, max_size=12)


@given(PIXELS)
def test_heavier_side_changes_sides_with_the_image(values: list[int]) -> None:
    image = Image.fromarray(np.array(values, dtype=np.uint8).reshape(2, 6)).convert("RGB")
    assert heavier_side(image) == -heavier_side(flipped(image))


def test_equal_moments_are_told_apart_by_the_pixels() -> None:
    # weights about the middle are -3, -1, 1, 3: 1 at the edge weighs as much as 3 beside the middle
    image = Image.fromarray(np.array([[1, 0, 3, 0]], dtype=np.uint8)).convert("RGB")
    assert heavier_side(image) == -heavier_side(flipped(image)) != 0


def test_mirroring_twice_changes_nothing() -> None:
    (seen,) = OfflinePerceiver().observe([draw(words.Look(seed=5, hairstyle="side_ponytail"), 128).image])
    twice = mirrored(mirrored(seen))
    assert twice.layout == seen.layout
    assert twice.hair is not None and seen.hair is not None
    assert (twice.hair.left, twice.hair.sides) == (seen.hair.left, seen.hair.sides)
    assert [part.name for part in twice.faces[0].parts] == [part.name for part in seen.faces[0].parts]
