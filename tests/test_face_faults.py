"""Missing, blank and doubled eyes and a second mouth are found on drawn faces, and on sound ones nothing is."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from evalharness.demo.drawing import draw, sample_look
from evalharness.demo.look import Fault, Look
from evalharness.errors import PerceptionError
from evalharness.perception import face_faults
from evalharness.perception.face_faults import find_face_faults, find_head_faults
from evalharness.perception.faces import find_faces
from evalharness.perception.hair import hair_without_face
from evalharness.perception.offline import look as look_at
from evalharness.types import Finding

FAULTS: tuple[Fault, ...] = ("missing_eyes", "blank_eyes", "doubled_eyes", "doubled_mouth")


def found(look: Look) -> dict[str, Finding]:
    """The findings on a drawing's face, by name; the face is found on the sound drawing of the same look."""
    face = find_faces(draw(replace(look, faults=()), 256).image)[0]
    return {one.name: one for one in find_face_faults(draw(look, 256).image, face)}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_and_nothing_else(fault: Fault) -> None:
    random = np.random.default_rng(21)
    looks = [replace(sample_look(random), view="front", background="plain_grey", light="soft") for _ in range(4)]
    seen = [found(replace(look, faults=(fault,))) for look in looks]
    assert sum(one[fault].strength >= 0.5 for one in seen) >= 3
    assert sum(one[other].strength >= 0.5 for one in seen for other in FAULTS if other != fault) <= 1


def test_sound_faces_have_no_fault() -> None:
    random = np.random.default_rng(22)
    for _ in range(6):
        seen = found(replace(sample_look(random), view="front"))
        assert set(seen) == set(FAULTS)
        assert not any(one.strength >= 0.5 or one.box or one.absence_counts for one in seen.values())


def test_a_tiny_face_is_not_judged() -> None:
    image = draw(replace(Look(), view="front"), 256).image
    face = find_faces(image)[0]
    tiny = replace(face, left_eye=(10.0, 10.0), right_eye=(14.0, 10.0), mouth=(12.0, 13.0))
    assert find_face_faults(image, tiny) == ()


def test_another_file_of_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    face_faults._net.cache_clear()
    monkeypatch.setattr(face_faults, "SHA256", "0" * 64)
    image = Image.new("RGB", (64, 64))
    face = find_faces(draw(Look(), 256).image)[0]
    with pytest.raises(PerceptionError, match=r"'face_faults.safetensors' is not the network that was measured"):
        find_face_faults(image, face)


def test_a_second_mouth_is_named_even_where_no_face_is_found() -> None:
    random = np.random.default_rng(23)
    seen = []
    for fault in (("doubled_mouth",), ()) * 8:
        image = draw(replace(sample_look(random), view="front", faults=fault), 256).image  # type: ignore[arg-type]
        hair = hair_without_face(look_at(image).small)
        assert hair is not None
        named = find_head_faults(image, hair.frame.scaled(256 / 192))
        seen.append(("doubled_mouth" in {one.name for one in named}, bool(fault)))
    assert sum(said for said, true in seen if true) >= 2
    assert not any(said for said, true in seen if not true)


def test_backs_of_heads_have_no_fault() -> None:
    random = np.random.default_rng(24)
    for _ in range(6):
        image = draw(replace(sample_look(random), view="behind"), 256).image
        hair = hair_without_face(look_at(image).small)
        assert hair is None or find_head_faults(image, hair.frame.scaled(256 / 192)) == ()
