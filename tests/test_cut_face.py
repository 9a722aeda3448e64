"""Half a face at an edge is found where no whole one is; heads from behind and from the side have none."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from evalharness.demo.drawing import draw, sample_look
from evalharness.perception.cut_face import find_cut_face


def picture(seed: int, view: str) -> Image.Image:
    return draw(replace(sample_look(np.random.default_rng(seed)), view=view), 256).image  # type: ignore[arg-type]


@pytest.mark.parametrize("left", (True, False))
def test_half_a_face_is_found_at_its_edge(left: bool) -> None:
    halves = [(128, 0, 256, 256) if left else (0, 0, 128, 256) for _ in range(4)]
    seen = [find_cut_face(picture(seed, "front").crop(half)) for seed, half in enumerate(halves)]
    told = [one.box for one in seen if one.strength >= 0.5 and one.box]
    assert len(told) >= 3
    assert all((box.x == 0.0) == left and (box.x + box.width == pytest.approx(128)) != left for box in told)


def test_heads_without_a_face_have_no_half_of_one() -> None:
    for seed, view in enumerate(("behind", "left_profile", "right_profile", "behind")):
        found = find_cut_face(picture(seed, view))
        assert (found.strength < 0.5, found.box, found.absence_counts) == (True, None, False)


def test_an_empty_picture_says_so() -> None:
    assert find_cut_face(Image.new("RGB", (90, 60))).note == "no half of a face at the left or right edge"
