"""Text on a picture is found where it stands; windows, hatching and plain drawings are no text."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from evalharness.demo.drawing import draw, sample_look
from evalharness.perception.lettering import find_text


def test_text_is_found_in_its_place() -> None:
    drawing = draw(replace(sample_look(np.random.default_rng(11)), view="front", faults=("text",), seed=4), 256)
    found, place = find_text(drawing.image), drawing.truth.text
    assert found.strength >= 0.5 and found.box is not None and place is not None
    assert found.box.x >= place[0] - 4 and found.box.x + found.box.width <= place[2] + 4
    assert found.box.y >= place[1] - 4 and found.box.y + found.box.height <= place[3] + 4


def test_most_texts_are_found_and_no_plain_drawing_has_one() -> None:
    random = np.random.default_rng(12)
    looks = [replace(sample_look(random), view="front") for _ in range(16)]
    seen = [find_text(draw(replace(look, faults=("text",)), 256).image).strength >= 0.5 for look in looks]
    assert sum(seen) >= 10
    assert not any(find_text(draw(look, 256).image).strength >= 0.5 for look in looks)


@pytest.mark.parametrize("wide", (3, 14))
def test_rows_of_equal_bars_are_no_text(wide: int) -> None:
    image = Image.new("RGB", (256, 256), (60, 60, 80))
    pen = ImageDraw.Draw(image)
    for left in range(20, 220, 20):
        pen.rectangle((left, 100, left + wide, 116), fill=(255, 240, 180))
    assert find_text(image).strength < 0.5


def test_a_finding_without_letters_says_nothing_of_absence() -> None:
    found = find_text(Image.new("RGB", (200, 120), (128, 128, 128)))
    assert (found.box, found.absence_counts, found.note) == (None, False, "no letters in a line")
    assert found.strength < 0.01
