"""Faces without eyes that our finder passes over are found after all, and its hair ties are let go; others stay."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from evalharness.demo.drawing import Drawing, draw, sample_fault_look, sample_look
from evalharness.demo.look import View
from evalharness.perception import offline, second_thought
from evalharness.perception.finder import find_faces
from evalharness.perception.found_face import FoundFace
from evalharness.perception.offline import OfflinePerceiver
from evalharness.perception.second_thought import eyeless, is_trifle, reconsidered
from evalharness.types import Finding

OVERLOOKED = (1, 6, 16)
"""Seeds of faces without eyes in which the finder sees no face."""
TIES = (35, 60, 69)
"""Seeds of backs of heads on which the finder takes the hair tie for a face."""


def without_eyes(seed: int) -> Drawing:
    look = sample_fault_look(np.random.default_rng(seed), "missing_eyes")
    return draw(replace(look, view="front"), 256)


def seen_from(view: View, seed: int) -> Image.Image:
    return draw(replace(sample_look(np.random.default_rng(seed)), view=view), 256).image


@pytest.mark.parametrize("seed", OVERLOOKED)
def test_face_without_eyes_that_the_finder_passed_over_is_found(seed: int) -> None:
    drawn = without_eyes(seed)
    assert find_faces(drawn.image) == []
    (face,) = reconsidered(drawn.image, [])
    box = drawn.truth.parts.mouth
    assert box is not None
    off = np.hypot(face.mouth[0] - (box[0] + box[2]) / 2, face.mouth[1] - (box[1] + box[3]) / 2)
    assert off < 0.3 * face.frame.unit


def test_perception_says_that_its_eyes_are_missing() -> None:
    (seen,) = OfflinePerceiver().observe([without_eyes(OVERLOOKED[0]).image])
    assert len(seen.faces) == 1
    assert "face" not in seen.blind
    assert any(one.name == "missing_eyes" and one.strength >= 0.5 for one in seen.findings)


@pytest.mark.parametrize("seed", TIES)
def test_hair_tie_on_the_back_of_a_head_is_no_face(seed: int) -> None:
    image = seen_from("behind", seed)
    assert len(find_faces(image)) == 1
    assert reconsidered(image, find_faces(image)) == []


@pytest.mark.parametrize("view", ["behind", "left_profile"])
def test_nothing_is_found_on_backs_and_profiles(view: View) -> None:
    assert [eyeless(seen_from(view, seed)) for seed in range(70, 76)] == [[]] * 6


def test_sound_faces_stay_as_they_are_however_small() -> None:
    for seed in range(4):
        sound = seen_from("front", seed)
        small = Image.new("RGB", (512, 512), (205, 215, 225))
        small.paste(sound.resize((160, 160), Image.Resampling.LANCZOS), (60 * seed, 300))
        for image in (sound, small):
            found = find_faces(image)
            assert len(found) == 1
            assert reconsidered(image, found) == found


def test_where_a_face_was_found_no_other_is_thought_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_thought, "eyeless", lambda _image: pytest.fail("a second look costs time"))
    image = seen_from("front", 3)
    assert len(reconsidered(image, find_faces(image))) == 1


def test_face_too_small_to_be_judged_is_not_thought_of() -> None:
    drawn = without_eyes(OVERLOOKED[0]).image
    assert eyeless(drawn.resize((32, 32), Image.Resampling.LANCZOS)) == []
    wide = Image.new("RGB", (560, 256), drawn.getpixel((2, 2)))
    wide.paste(drawn, (150, 0))
    assert eyeless(wide) == []


def test_large_face_is_never_taken_for_a_hair_tie(monkeypatch: pytest.MonkeyPatch) -> None:
    image = seen_from("behind", TIES[0])
    (tie,) = find_faces(image)
    assert is_trifle(image, tie)
    monkeypatch.setattr(second_thought, "TRIFLE", tie.frame.unit / 256)
    assert not is_trifle(image, tie)


def test_another_finder_is_taken_at_its_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_image: Image.Image, _finder: str) -> list[FoundFace]:
        return []

    def no_half(_image: Image.Image) -> Finding:
        return Finding(name="cut_face", strength=0.0, absence_counts=False)

    monkeypatch.setattr(offline, "find_faces", nobody)
    monkeypatch.setattr(offline, "find_cut_face", no_half)
    image = without_eyes(OVERLOOKED[0]).image
    assert OfflinePerceiver(finder="cascade").observe([image])[0].faces == ()
    assert len(OfflinePerceiver(finder="net").observe([image])[0].faces) == 1
