"""perception=anime on stand-ins with the real models' inputs and outputs: what each adds, and what it refuses."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import stand_ins
from judging import expecting
from PIL import Image

from evalharness.codec import decode, encode
from evalharness.digest import digest
from evalharness.errors import ConfigError, PerceptionError
from evalharness.models.fetch import fetch
from evalharness.models.table import Input, find_model
from evalharness.perception.anime.ccip import half_cosine
from evalharness.perception.anime.detector import find_eyes, joined, overlap
from evalharness.perception.anime.perceiver import AnimePerceiver
from evalharness.perception.anime.picture import longest, numbers_of, squared
from evalharness.perception.anime.session import Runtime
from evalharness.perception.offline import OfflinePerceiver
from evalharness.scorers.artifacts import Artifacts
from evalharness.scorers.evidence import several
from evalharness.scorers.faces import Faces
from evalharness.scorers.told import told_of
from evalharness.scorers.vectors import differences
from evalharness.types import Box, Face, Finding, Observation, Part

RED, GREEN, BLUE = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
KINDS = dict(zip(("tagger", "identity", "corruption", "faces"), stand_ins.NAMES, strict=True))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stand_ins.install(tmp_path, monkeypatch)
    fetch(find_model(KINDS["corruption"]))
    return tmp_path


def picture(color: tuple[int, int, int], size: tuple[int, int] = (96, 96)) -> Image.Image:
    return Image.new("RGB", size, color)


def seen_by(kind: str, image: Image.Image) -> Observation:
    return AnimePerceiver(models={kind: KINDS[kind]}, threads=1).observe([image])[0]


# how a picture becomes numbers


def test_channels_are_in_the_order_and_range_that_the_table_says() -> None:
    told = Input(size=4, fit="stretch", resample="bicubic", order="BGR", layout="NHWC", divide=1.0)
    numbers = numbers_of(picture((200, 100, 50)), told)
    assert numbers.shape == (1, 4, 4, 3)
    assert numbers.dtype == np.float32
    assert numbers[0, 0, 0].tolist() == [50.0, 100.0, 200.0]


def test_mean_and_std_are_taken_channel_by_channel() -> None:
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 0.2)
    told = Input(
        size=4, fit="stretch", resample="bilinear", order="RGB", layout="NCHW", divide=255.0, mean=mean, std=std
    )
    numbers = numbers_of(picture((255, 51, 0)), told)
    assert numbers.shape == (1, 3, 4, 4)
    assert numbers[0, :, 0, 0].tolist() == pytest.approx([1.8, 0.0, -1.5], abs=1e-6)


def test_tall_picture_is_padded_with_white_on_both_sides() -> None:
    square = squared(picture(RED, (10, 30)))
    assert square.size == (30, 30)
    columns = np.asarray(square)[15]
    assert [tuple(columns[x]) for x in (9, 10, 19, 20)] == [(255, 255, 255), RED, RED, (255, 255, 255)]


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((1024, 1024), (640, 640)), ((832, 1216), (448, 640)), ((100, 60), (128, 64)), ((8, 8), (32, 32))],
)
def test_detector_sees_sides_of_multiples_of_32(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert longest(size, 640) == wanted


# tags


def test_tags_are_those_of_the_pictures_colour_and_none_of_characters_or_ratings(here: Path) -> None:
    tags = {name: seen_by("tagger", picture(color)).tags for name, color in (("red", RED), ("green", GREEN))}
    assert tags["red"]["smile"] > 0.9
    assert "rope" not in tags["red"]
    assert tags["green"]["rope"] > 0.9
    assert "smile" not in tags["green"]
    assert not set(tags["red"]) & {*stand_ins.CHARACTERS, *stand_ins.RATINGS}
    assert list(tags["red"].values()) == sorted(tags["red"].values(), reverse=True)


def test_observation_says_who_judged_and_keeps_what_offline_perception_saw(here: Path) -> None:
    image = picture(RED)
    seen = seen_by("tagger", image)
    assert seen.judges == {"tags": KINDS["tagger"]}
    assert replace(seen, tags={}, judges={}) == OfflinePerceiver().observe([image])[0]


def test_observation_with_tags_and_embeddings_is_stored_and_read_back(here: Path) -> None:
    seen = AnimePerceiver(models=KINDS, threads=1).observe([picture((240, 200, 180))])[0]
    assert decode(encode(seen), Observation) == seen
    assert set(seen.judges) == {"tags", "identity", "corrupted", "faces"}


def test_tagger_whose_table_has_other_tags_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "tags_csv", lambda: "tag_id,name,category,count\n1,smile,0,9\n")
    stand_ins.install(tmp_path, monkeypatch)
    with pytest.raises(PerceptionError, match=r"answers \(1, 30\) to one picture, but its table has 1 tags"):
        seen_by("tagger", picture(RED))


def test_file_that_is_no_model_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_ins, "tagger", lambda: b"no model at all")
    stand_ins.install(tmp_path, monkeypatch)
    with pytest.raises(PerceptionError, match=r"^[^\n]*model\.onnx is no ONNX model that can be opened: [^\n]*$"):
        seen_by("tagger", picture(RED))


# identity, corruption, faces


def test_embeddings_tell_colours_apart_as_the_metric_head_does(here: Path) -> None:
    name = KINDS["identity"]
    red, pink, green = (
        np.array([seen_by("identity", picture(color)).embeddings[name]]) for color in (RED, (250, 20, 20), GREEN)
    )
    assert differences(red, pink)[0, 0] < 0.01 < differences(red, green)[0, 0]


def test_scorers_formula_is_the_one_that_perception_checks_the_metric_head_by() -> None:
    some = np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32)
    assert differences(some.astype(float), some.astype(float)) == pytest.approx(half_cosine(some), abs=1e-6)


def test_metric_head_of_another_formula_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = stand_ins.metric(scale=0.4)
    monkeypatch.setattr(stand_ins, "metric", lambda: head)
    stand_ins.install(tmp_path, monkeypatch)
    with pytest.raises(PerceptionError, match=r"is not \(1 - cosine\) / 2"):
        seen_by("identity", picture(RED))


def test_corruption_is_a_finding_whose_absence_counts(here: Path) -> None:
    strengths = {}
    for name, color in (("blue", BLUE), ("red", RED)):
        (finding,) = (one for one in seen_by("corruption", picture(color)).findings if one.name == "corrupted")
        assert finding.absence_counts
        strengths[name] = finding.strength
    assert strengths["red"] < 0.1
    assert strengths["blue"] > 0.9


def test_detector_finds_a_face_once_and_leaves_out_what_it_doubts(here: Path) -> None:
    seen = seen_by("faces", picture((255, 255, 255)))
    (face,) = seen.faces
    assert face.confidence == pytest.approx(0.9)
    # the picture of 96 pixels is looked at as it is
    assert (face.box.x, face.box.y, face.box.width, face.box.height) == pytest.approx((28.0, 18.0, 40.0, 44.0))
    assert "face" not in seen.blind


def test_detectors_boxes_are_in_pixels_of_the_picture_itself(here: Path) -> None:
    (face,) = seen_by("faces", picture((255, 255, 255), (960, 1280))).faces
    assert (face.box.x, face.box.width) == pytest.approx((56.0, 80.0))


def test_dark_picture_has_no_face_because_its_confidence_falls(here: Path) -> None:
    assert seen_by("faces", picture((40, 40, 40))).faces == ()


def test_joined_face_keeps_its_read_parts_and_one_seen_offline_alone_is_left_out() -> None:
    part = Part(name="mouth", state="present", confidence=0.9)
    read = Face(box=Box(x=10, y=10, width=20, height=20), confidence=0.5, parts=(part,))
    elsewhere = Face(box=Box(x=70, y=70, width=20, height=20), confidence=0.5)
    found = Face(box=Box(x=8, y=8, width=26, height=26), confidence=0.95)
    alone = Face(box=Box(x=50, y=8, width=10, height=10), confidence=0.8)
    assert joined([found, alone], [elsewhere, read]) == (replace(read, confidence=0.95), alone)
    assert overlap(found.box, read.box) == pytest.approx(400 / 676)


# the perceiver


def test_fingerprint_holds_names_and_digests_so_that_another_model_sees_anew(here: Path) -> None:
    both = dict(AnimePerceiver(models=KINDS).fingerprint())
    one = dict(AnimePerceiver(models={"tagger": KINDS["tagger"]}).fingerprint())
    other = AnimePerceiver(models={"tagger": "wd-vit-tagger-v3"}).fingerprint()
    assert KINDS["tagger"] in str(one["tagger"])
    assert len({digest(both), digest(one), digest(dict(other))}) == 3
    assert one["offline perceiver"] == "offline"


def test_other_bytes_under_the_same_name_change_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = []
    for number, bias in enumerate((-6.0, -5.0)):
        body = stand_ins.tagger(bias)
        monkeypatch.setattr(stand_ins, "files_of", lambda kind, body=body: (body, stand_ins.tags_csv().encode()))
        stand_ins.install(tmp_path / str(number), monkeypatch, [KINDS["tagger"]])
        prints.append(digest(dict(AnimePerceiver(models={"tagger": KINDS["tagger"]}).fingerprint())))
        monkeypatch.delenv("EVALHARNESS_MODELS")
    assert prints[0] != prints[1]


def test_fingerprint_needs_no_model_here_where_its_digest_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_ins.use_cache(tmp_path / "hub", monkeypatch)
    perceiver = AnimePerceiver(models={"tagger": KINDS["tagger"]})
    assert "e6774bff34d4" in str(perceiver.fingerprint()["tagger"])
    with pytest.raises(PerceptionError, match="evalharness models fetch"):
        perceiver.observe([picture(RED)])


def test_perceiver_is_sent_to_another_process_by_its_options(here: Path) -> None:
    perceiver = AnimePerceiver(models=KINDS, threads=1)
    first = perceiver.observe([picture(RED)])
    again = pickle.loads(pickle.dumps(perceiver))
    assert again.fingerprint() == perceiver.fingerprint()
    assert again.observe([picture(RED)]) == first


def test_model_of_another_kind_is_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown tagger model 'anime-face-v1\.4-s'"):
        AnimePerceiver(models={"tagger": "anime-face-v1.4-s"})
    with pytest.raises(PerceptionError, match=r"unknown kind of model 'tager'\. Did you mean 'tagger'"):
        AnimePerceiver(models={"tager": "wd-vit-tagger-v3"})


def test_unknown_device_is_refused() -> None:
    with pytest.raises(PerceptionError, match="unknown device of perception 'gpu'"):
        AnimePerceiver(device="gpu")


def test_device_that_onnxruntime_lacks_is_one_sentence(here: Path) -> None:
    perceiver = AnimePerceiver(models={"tagger": KINDS["tagger"]}, device="cuda")
    with pytest.raises(PerceptionError, match="onnxruntime has no CUDAExecutionProvider here"):
        perceiver.observe([picture(RED)])


def test_missing_onnxruntime_says_how_to_install_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalharness.perception.anime import session

    session._open.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PerceptionError, match=r"pip install 'evalharness\[anime\]'"):
        seen_by("tagger", picture(RED))


def test_offline_perception_and_the_list_of_perceivers_import_no_onnxruntime() -> None:
    code = (
        "import sys; from evalharness.listing import list_parts; rows = list_parts('perception');"
        "from evalharness.perception.offline import OfflinePerceiver; OfflinePerceiver().fingerprint();"
        "print([row.name for row in rows if not row.problem], 'onnxruntime' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert shown.stdout.strip() == "['anime', 'clip', 'dino', 'judge', 'offline', 'photo'] False"


# heads and eyes


@pytest.fixture
def detectors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    stand_ins.install(tmp_path, monkeypatch, (*stand_ins.NAMES, *stand_ins.MORE))
    return dict(zip(("heads", "eyes"), stand_ins.MORE, strict=True))


def test_heads_are_found_with_and_without_faces(detectors: dict[str, str]) -> None:
    seen = AnimePerceiver(models={"heads": detectors["heads"]}, threads=1).observe([picture((255, 255, 255))])[0]
    assert seen.judges == {"heads": "anime-head-v2.0-s"} and seen.faces == ()
    first, second = seen.boxes["heads"]
    assert (first.x, first.y, first.width, first.height) == pytest.approx((15.0, 22.0, 30.0, 36.0))
    assert second.x == pytest.approx(55.0), "the head that was found twice counts once"


def test_eyes_are_looked_for_in_a_crop_of_the_face(detectors: dict[str, str]) -> None:
    models = {"faces": KINDS["faces"], "eyes": detectors["eyes"]}
    seen = AnimePerceiver(models=models, threads=1).observe([picture((255, 255, 255))])[0]
    # the face is 40 x 44 at (28, 18): its crop begins at (18, 7), 60 x 66 pixels, looked at as 64 x 96
    scale = (60 / 64, 66 / 96)
    left, right = seen.boxes["eyes"]
    assert (left.x, left.y) == pytest.approx((18 + 16 * scale[0], 7 + 22 * scale[1]))
    assert right.x == pytest.approx(18 + 36 * scale[0]), "the third one is less sure than the model's threshold"
    without = AnimePerceiver(models={"eyes": detectors["eyes"]}, threads=1).observe([picture((255, 255, 255))])[0]
    assert "eyes" not in without.boxes and "eyes" not in without.judges, "without a face nobody looks for its eyes"


def test_eyes_at_the_frame_are_looked_for_inside_it(detectors: dict[str, str]) -> None:
    model = find_model(detectors["eyes"])
    edge = Face(box=Box(x=80, y=80, width=30, height=30), confidence=1.0)
    outside = Face(box=Box(x=200, y=80, width=30, height=30), confidence=1.0)
    white = picture((255, 255, 255))
    assert find_eyes(white, [edge], model, Runtime(threads=1)) is not None
    assert find_eyes(white, [outside], model, Runtime(threads=1)) is None


def counting(heads: int | None = None, eyes: int | None = None, **more: object) -> Observation:
    """What detectors found: so many heads, so many eyes; None where one did not look."""
    found = {name: count for name, count in (("heads", heads), ("eyes", eyes)) if count is not None}
    boxes = {name: (Box(x=0, y=0, width=4, height=4),) * count for name, count in found.items()}
    return Observation(width=96, height=96, boxes=boxes, judges={name: f"{name}-model" for name in found}, **more)  # type: ignore[arg-type]


def test_heads_tell_of_several_people() -> None:
    for heads, seen in ((0, None), (1, False), (2, True)):
        told = told_of("several_people", counting(heads=heads))
        assert told is not None and told.seen is seen and "by heads-model" in told.words
    assert told_of("several_people", counting(eyes=2)) is None
    assert several(counting(heads=2)) == "2 heads" and several(counting(heads=1)) is None


def test_eyes_that_are_found_rule_out_missing_ones_and_a_third_one_is_doubled() -> None:
    for eyes, missing, doubled in ((2, False, False), (1, False, False), (3, False, True), (0, None, None)):
        seen = counting(eyes=eyes)
        told = [told_of(thing, seen) for thing in ("missing_eyes", "doubled_eyes")]
        assert [one.seen for one in told if one] == [missing, doubled]


def test_eyes_are_missing_where_neither_detector_nor_offline_perception_sees_them() -> None:
    finding = Finding(name="missing_eyes", strength=0.8, absence_counts=False)
    told = told_of("missing_eyes", counting(eyes=0, findings=(finding,)))
    assert told is not None and told.seen is True and "none by offline perception" in told.words
    parts = tuple(Part(name=name, state="missing", confidence=0.9) for name in ("left_eye", "right_eye"))  # type: ignore[arg-type]
    face = Face(box=Box(x=0, y=0, width=40, height=40), confidence=0.9, parts=parts)
    told = told_of("no_eyes", counting(eyes=0, faces=(face,)))
    assert told is not None and told.seen is True
    seen = counting(eyes=2, findings=(finding,))
    score = Artifacts().score(expecting(forbid=("missing_eyes",)), seen, None)
    assert score.value == 1.0, "an unproven finding stands back where a detector sees both eyes"


def test_head_without_a_face_is_seen_from_behind() -> None:
    blind = {"face": "no anime face was found"}
    asked = expecting(view="behind")
    assert Faces().score(asked, counting(blind=blind), None).value is None
    turned = Faces().score(asked, counting(heads=1, blind=blind), None)
    assert turned.value == 1.0 and turned.reason == "0 faces; asked: 0; 1 head by heads-model, turned away"
    nobody = Faces().score(asked, counting(heads=0, blind=blind), None)
    assert nobody.value is None, "without a head it may be blindness still"
