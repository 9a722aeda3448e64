"""Text is found where it stands; equal bars, empty pictures and plain drawings have none."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from evalharness.demo.drawing import draw, sample_look
from evalharness.demo.look import Look
from evalharness.errors import PerceptionError
from evalharness.perception import lettering
from evalharness.perception.lettering import find_text


def front(seed: int) -> Look:
    return replace(sample_look(np.random.default_rng(seed)), view="front")


def lettered(place: tuple[float, float], words: str) -> Image.Image:
    """A sound drawing with opaque white, outlined letters at a place."""
    image = draw(front(3), 256).image
    font = ImageFont.load_default(16)
    ImageDraw.Draw(image).text(place, words, "white", font, anchor="mm", stroke_width=1, stroke_fill="black")
    return image


def test_text_is_found_in_its_place() -> None:
    drawing = draw(replace(front(11), faults=("text",), seed=4), 256)
    found, place = find_text(drawing.image), drawing.truth.text
    assert found.strength >= 0.5 and found.box is not None and place is not None
    # cells are 8 pixels wide
    assert found.box.x >= place[0] - 12 and found.box.x + found.box.width <= place[2] + 12
    assert found.box.y >= place[1] - 12 and found.box.y + found.box.height <= place[3] + 12


def test_text_is_found_and_no_plain_drawing_has_any() -> None:
    looks = [front(seed) for seed in range(100, 112)]
    seen = [find_text(draw(replace(look, faults=("text",)), 256).image).strength >= 0.5 for look in looks]
    assert sum(seen) >= 11
    assert not any(find_text(draw(look, 256).image).strength >= 0.5 for look in looks)


@pytest.mark.parametrize("wide", (3, 14))
def test_a_row_of_equal_bars_is_no_text(wide: int) -> None:
    image = Image.new("RGB", (256, 256), (60, 60, 80))
    pen = ImageDraw.Draw(image)
    for left in range(20, 220, 20):
        pen.rectangle((left, 100, left + wide, 116), fill=(255, 240, 180))
    assert find_text(image).strength < 0.5


@pytest.mark.parametrize("size", ((200, 120), (64, 512), (3, 40)))
def test_an_empty_picture_of_any_form_has_no_text(size: tuple[int, int]) -> None:
    found = find_text(Image.new("RGB", size, (128, 128, 128)))
    assert (found.box, found.absence_counts) == (None, False)
    assert found.strength < 0.1


def test_a_box_is_in_pixels_of_the_image() -> None:
    image = lettered((128, 128), "Good morning")
    small, large = (find_text(one).box for one in (image, image.resize((512, 512))))
    assert small is not None and large is not None
    assert abs(large.y - 2 * small.y) <= 16 and large.x + large.width > 256


def test_other_weights_than_the_measured_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "letters.safetensors"
    shutil.copy(lettering.WEIGHTS, changed)
    changed.write_bytes(changed.read_bytes() + b" ")
    monkeypatch.setattr(lettering, "WEIGHTS", changed)
    lettering._net.cache_clear()
    with pytest.raises(PerceptionError, match=r"'letters.safetensors' is not the network"):
        find_text(Image.new("RGB", (64, 64)))
    lettering._net.cache_clear()
