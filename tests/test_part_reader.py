"""The trained part reader: what it sees of drawn faces, and that it is the net that was measured."""

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from evalharness.demo.drawing import draw
from evalharness.demo.look import Look
from evalharness.errors import PerceptionError
from evalharness.perception import part_reader
from evalharness.perception.face_crop import crop_face
from evalharness.perception.faces import FoundFace, find_faces
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.offline import OfflinePerceiver
from evalharness.perception.part_reader import information, read_by_net
from evalharness.types import Part


def picture(**words: object) -> Image.Image:
    return draw(Look(seed=5, **words), 384).image.convert("RGB")  # type: ignore[arg-type]


def face_of(image: Image.Image) -> FoundFace:
    return find_faces(image)[0]


def parts_of(image: Image.Image) -> dict[str, Part]:
    return {part.name: part for part in read_by_net(image, face_of(image))}


def test_mouth_that_is_drawn_is_present_and_one_that_is_not_is_missing() -> None:
    assert parts_of(picture())["mouth"].state == "present"
    assert parts_of(picture(faults=("missing_mouth",)))["mouth"].state == "missing"


@pytest.mark.parametrize("emotion", ["happy", "surprised"])
def test_mouth_shows_the_emotion_it_was_drawn_in(emotion: str) -> None:
    emotions = parts_of(picture(emotion=emotion))["mouth"].emotions
    assert max(emotions, key=lambda name: emotions[name]) == emotion


def test_distributions_sum_to_one_and_outlines_lie_in_their_boxes() -> None:
    for part in parts_of(picture()).values():
        assert sum(part.emotions.values()) == pytest.approx(1.0, abs=1e-5)
        assert part.box is not None
        assert all(part.box.x - 1 <= x <= part.box.x + part.box.width + 1 for x, _ in part.outline)


def test_mirrored_face_reads_as_the_same_emotions() -> None:
    image = picture(emotion="happy")
    face, width = face_of(image), image.width
    mirrored = FoundFace(
        box=face.box,
        likelihood=1.0,
        left_eye=(width - face.right_eye[0], face.right_eye[1]),
        right_eye=(width - face.left_eye[0], face.left_eye[1]),
        mouth=(width - face.mouth[0], face.mouth[1]),
        chin=(width - face.chin[0], face.chin[1]),
    )
    one = {part.name: part for part in read_by_net(image, face)}
    other = {part.name: part for part in read_by_net(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), mirrored)}
    for name in ("left_eye", "brows", "mouth"):
        assert one[name].emotions == pytest.approx(dict(other[name].emotions), abs=0.005)
    assert one["left_eye"].state == other["right_eye"].state


def test_part_is_as_sure_as_its_state_is_likely_and_its_emotions_tell() -> None:
    assert information(np.full(5, 0.2)) == pytest.approx(0.0)
    assert information(np.array([0.0, 1.0, 0.0, 0.0, 0.0])) == pytest.approx(1.0)
    even, clear = (
        part_reader._part("mouth", {"present": 0.8, "missing": 0.2}, {"mouth": np.array(shares)}, np.zeros((20, 2)))
        for shares in ([0.3, 0.2, 0.2, 0.2, 0.1], [0.96, 0.01, 0.01, 0.01, 0.01])
    )
    assert even.confidence < 0.05
    assert 0.6 < clear.confidence < 0.8


def test_missing_part_is_as_sure_as_its_state() -> None:
    states = {"present": 0.3, "missing": 0.7}
    part = part_reader._part("mouth", states, {"mouth": np.full(5, 0.2)}, np.zeros((20, 2)))
    assert (part.state, part.confidence) == ("missing", 0.7)


def test_crop_is_the_same_for_a_larger_and_tilted_picture_of_a_face() -> None:
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 255, (12, 12), dtype=np.uint8)).resize((200, 200), Image.Resampling.BICUBIC)
    frame = HeadFrame(origin=(100.0, 85.0), unit=45.0)
    larger = small.resize((300, 300), Image.Resampling.BICUBIC)
    straight = crop_face(np.asarray(small), frame).astype(float)
    assert np.abs(straight - crop_face(np.asarray(larger), frame.scaled(1.5))).mean() < 3.0
    tilted = small.rotate(-20.0, Image.Resampling.BICUBIC, center=(100.0, 85.0))
    upright = crop_face(np.asarray(tilted), HeadFrame(origin=(100.0, 85.0), unit=45.0, angle=20.0))
    assert np.abs(straight - upright)[15:-15, 15:-15].mean() < 3.0


def test_crop_beyond_the_edges_repeats_them() -> None:
    grey = np.full((40, 40), 90, dtype=np.uint8)
    assert (crop_face(grey, HeadFrame(origin=(0.0, 0.0), unit=30.0)) == 90).all()


def test_other_weights_than_those_measured_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "part_reader.safetensors"
    other.write_bytes(part_reader.WEIGHTS.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(part_reader, "WEIGHTS", other)
    part_reader._net.cache_clear()
    try:
        with pytest.raises(PerceptionError, match="not the part reader that was measured"):
            read_by_net(picture(), FoundFace(**FACE))
    finally:
        part_reader._net.cache_clear()


FACE = {
    "box": None,
    "likelihood": 1.0,
    "left_eye": (150.0, 150.0),
    "right_eye": (230.0, 150.0),
    "mouth": (190.0, 200.0),
    "chin": (190.0, 240.0),
}


def test_weights_are_small_enough_to_ship() -> None:
    assert part_reader.WEIGHTS.stat().st_size < 2_000_000


def test_reader_is_an_option_of_the_offline_perceiver() -> None:
    image = picture(emotion="happy")
    ((net,), (rules,)) = (OfflinePerceiver(parts=parts).observe([image]) for parts in ("net", "rules"))
    assert [part.name for part in net.faces[0].parts] == [part.name for part in rules.faces[0].parts]
    assert all("the net" in part.note for part in net.faces[0].parts)
    assert not any("the net" in part.note for part in rules.faces[0].parts)
    assert OfflinePerceiver(parts="net").fingerprint() != OfflinePerceiver(parts="rules").fingerprint()


def test_unknown_part_reader_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(PerceptionError, match=r"unknown part reader 'rulse'. Did you mean 'rules'"):
        OfflinePerceiver(parts="rulse")


BENCH = Path(__file__).parents[1] / "bench"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The faces that the net was taught by."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("reader.crops")


def test_drawn_faces_that_it_was_not_taught_by_are_read(world: ModuleType) -> None:
    drawn = [world.examples(np.random.default_rng((12345, number)), 1)[0] for number in range(150)]
    crops, true = torch.from_numpy(np.stack([one.crop for one in drawn])), np.array([one.classes for one in drawn])
    with torch.inference_mode():
        answers = [answer.argmax(1).numpy() for answer in part_reader._net()(crops[:, None].float() / 255.0)[:-1]]
    right = [float((said == truth)[truth >= 0].mean()) for said, truth in zip(answers, true.T, strict=True)]
    assert min(right[:3]) > 0.8
    assert right[3] > 0.95, "mouth present, hidden or missing"
    assert min(right[4:6]) > 0.5, "emotions of eyes and brows; chance is 0.2"
    assert right[6] > 0.7, "emotions of the mouth"


def test_same_seed_draws_the_same_face(world: ModuleType) -> None:
    one, same, other = (world.examples(np.random.default_rng(seed), 1)[0] for seed in (1, 1, 2))
    assert (one.crop == same.crop).all()
    assert one.classes == same.classes
    assert not (one.crop == other.crop).all()
