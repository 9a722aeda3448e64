"""perception=clip on a tiny CLIP built from a config, and on the demo's own; where open_clip is installed."""

import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.cli import main
from evalharness.errors import ConfigError, PerceptionError
from evalharness.models.fetch import fetch
from evalharness.models.state import State, state_of
from evalharness.models.table import find_model
from evalharness.paths import resolve
from evalharness.perception.anime.picture import numbers_of
from evalharness.perception.clip.crops import part_crops
from evalharness.perception.clip.network import image_embedding
from evalharness.perception.clip.perceiver import ClipPerceiver
from evalharness.perception.clip.questions import TABLE, answers_of, read_questions
from evalharness.record import load_run
from evalharness.scorers.harmony import Harmony
from evalharness.scorers.part_readers import read_by
from evalharness.types import EMOTIONS, Box, Face, Observation, Part

ensure_torchvision()
open_clip = pytest.importorskip("open_clip", reason="needs evalharness[clip]")

NAME = "tiny-clip"
SIDE = 64
CONFIG: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": SIDE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
RED, BLUE = (Image.new("RGB", (96, 80), color) for color in ("red", "blue"))
QUESTIONS = '[color]\nred = ["a red picture"]\nblue = ["a blue picture", "blue"]\n'


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny CLIP with random weights in a folder, which a table of the user's own names."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    state = open_clip.CLIP(**CONFIG).state_dict()
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG}))
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "open_clip_model.safetensors")
    (tmp_path / "questions.toml").write_text(QUESTIONS)
    write_table(tmp_path / "models.toml", folder)
    monkeypatch.setenv("EVALHARNESS_MODELS", str(tmp_path / "models.toml"))
    return folder


def write_table(path: Path, folder: Path) -> None:
    lines = [f"[{NAME}]", 'kind = "clip"', 'about = "a stand-in"', 'repository = "nowhere"', 'revision = "1"']
    lines += ['license = "none"', 'output = "embeddings"', f'folder = "{folder}"', f"[{NAME}.input]", f"size = {SIDE}"]
    lines += ['fit = "crop"', 'resample = "bicubic"', 'order = "RGB"', 'layout = "NCHW"', "divide = 255.0"]
    for file in sorted(folder.iterdir()):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        lines += [f'[{NAME}.files."{file.name}"]', f'sha256 = "{digest}"']
    path.write_text("\n".join(lines) + "\n")


def perceiver(tiny: Path, **more: Any) -> ClipPerceiver:
    return ClipPerceiver(model=NAME, questions=str(tiny.parent / "questions.toml"), **more)


def test_picture_gains_an_embedding_and_answers_and_says_who_gave_them(tiny: Path) -> None:
    (seen,) = perceiver(tiny).observe([RED])
    assert len(seen.embeddings[NAME]) == 16
    assert np.linalg.norm(seen.embeddings[NAME]) == pytest.approx(1.0, abs=1e-3)
    assert set(seen.answers["color"]) == {"red", "blue"}
    assert sum(seen.answers["color"].values()) == pytest.approx(1.0, abs=1e-3)
    assert seen.judges["likeness"] == seen.judges["answers"] == NAME
    assert seen.layout, "offline perception looked, too"


def test_embedding_and_answers_are_those_of_open_clip(tiny: Path) -> None:
    """The same by the library's own steps, from the pictures' preparation to the softmax."""
    import torch
    from safetensors.torch import load_file

    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 131, 3), dtype=np.uint8))
    network = open_clip.CLIP(**CONFIG).eval()
    network.load_state_dict(load_file(tiny / "open_clip_model.safetensors"))
    prepare = open_clip.image_transform(
        SIDE, is_train=False, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), interpolation="bicubic"
    )
    with torch.no_grad():
        image = network.encode_image(prepare(picture)[None], normalize=True)[0]
        texts = network.encode_text(open_clip.tokenize(["a red picture", "a blue picture", "blue"]), normalize=True)
        blue = texts[1:].mean(0)
        logits = network.logit_scale.exp() * torch.stack([texts[0], blue / blue.norm()]) @ image
    (seen,) = perceiver(tiny).observe([picture])
    assert seen.embeddings[NAME] == pytest.approx(image.tolist(), abs=1e-4)
    assert list(seen.answers["color"].values()) == pytest.approx(logits.softmax(0).tolist(), abs=1e-3)


@pytest.mark.parametrize("size", [(64, 64), (131, 90), (65, 300), (20, 33)])
def test_picture_is_prepared_as_open_clip_prepares_it(tiny: Path, size: tuple[int, int]) -> None:
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8))
    prepare = open_clip.image_transform(
        SIDE, is_train=False, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), interpolation="bicubic"
    )
    assert np.allclose(numbers_of(picture, find_model(NAME).input)[0], prepare(picture).numpy(), atol=1e-6)


def test_text_is_read_alike_alone_and_beside_others(tiny: Path) -> None:
    looker = perceiver(tiny)
    one, two = looker.observe_texts(["a red picture", "blue"])
    assert looker.observe_texts(["blue"]) == [two]
    assert one.embeddings[NAME] != two.embeddings[NAME]
    assert looker.observe_texts([]) == []
    assert (one.width, one.height, one.judges) == (0, 0, {"likeness": NAME})


def test_fingerprint_changes_with_questions_and_weights_and_needs_no_model(tiny: Path) -> None:
    first = perceiver(tiny).fingerprint()
    (tiny.parent / "questions.toml").write_text(QUESTIONS.replace("blue", "green"))
    second = perceiver(tiny).fingerprint()
    assert {key for key in first if first[key] != second[key]} == {"questions"}
    (tiny / "open_clip_model.safetensors").unlink()
    assert perceiver(tiny).fingerprint() == second
    assert "offline version" in second


def test_perceiver_goes_to_another_process_and_looks_alike_there(tiny: Path) -> None:
    there = pickle.loads(pickle.dumps(perceiver(tiny)))
    assert there.observe([BLUE]) == perceiver(tiny).observe([BLUE])


def test_changed_or_missing_weights_are_refused_in_a_sentence(tiny: Path) -> None:
    weights = tiny / "open_clip_model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    with pytest.raises(PerceptionError, match="is not the file that was pinned"):
        perceiver(tiny).observe([RED])
    weights.unlink()
    with pytest.raises(PerceptionError, match=r"is not in .*put it there"):
        perceiver(tiny).observe([RED])


def test_config_of_another_network_is_refused(tiny: Path) -> None:
    other = {**CONFIG, "embed_dim": 24}
    (tiny / "open_clip_config.json").write_text(json.dumps({"model_cfg": other}))
    write_table(tiny.parent / "other.toml", tiny)
    tiny.parent.joinpath("models.toml").write_text((tiny.parent / "other.toml").read_text())
    from evalharness.models import table

    table._read.cache_clear()
    with pytest.raises(PerceptionError, match=r"is not the CLIP that .* tells of"):
        perceiver(tiny).observe([RED])


@pytest.mark.parametrize(
    ("body", "why"),
    [("[color]\nred = ['x']\n", "two answers"), ("color = 3\n", "cannot be read"), ("[color]\na=[]\nb=['x']\n", "two")],
)
def test_table_of_questions_that_is_none_is_refused(tmp_path: Path, body: str, why: str) -> None:
    (tmp_path / "q.toml").write_text(body)
    with pytest.raises(PerceptionError, match=why):
        read_questions(tmp_path / "q.toml")


def test_questions_as_they_ship_can_be_read_and_things_are_asked_with_yes_and_no() -> None:
    found = read_questions(TABLE)
    assert set(found["emotion"]) == {"neutral", "happy", "sad", "angry", "surprised"}
    for thing in ("rope", "animal_ears", "collage", "watermark"):
        assert list(found[thing]) == ["yes", "no"]


def test_unknown_names_are_refused_with_the_nearest(tiny: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'tiny-clip'"):
        ClipPerceiver(model="tiny-clap")
    with pytest.raises(ConfigError, match="Did you mean 'offline'"):
        perceiver(tiny, beside="ofline")
    with pytest.raises(PerceptionError, match="cpu"):
        perceiver(tiny, device="cpuu")
    with pytest.raises(PerceptionError, match="beside another"):
        perceiver(tiny, beside="clip")


def test_options_of_the_other_perceiver_reach_it(tiny: Path) -> None:
    assert perceiver(tiny, parts="rules", proven=["rope"]).fingerprint()["offline parts"] == "rules"


def test_offline_perception_imports_no_open_clip() -> None:
    code = (
        "import sys; from evalharness.perception.clip.perceiver import ClipPerceiver;"
        "from evalharness.perception.photo.perceiver import PhotoPerceiver;"
        "print([name for name in ('open_clip', 'timm', 'mediapipe', 'torchvision') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_demo_has_a_clip_of_its_own_that_is_as_pinned() -> None:
    model = find_model("demo-clip")
    assert state_of(model, verify=True) is State.VERIFIED
    assert sum(path.stat().st_size for path in fetch(model)) < 3_000_000


SUITE = """
name: compared
prompts:
%s
seeds: [1]
references: demo:sakichan
scorers: [copy_risk, prompt_similarity, reference_similarity, view]
files: {pattern: "{what}_{variant}.png"}
"""
SHOWN = ("01", "02", "03", "04", "07", "08")
"""Pictures of the demo's character, whose captions are the prompts."""


def test_pictures_of_a_folder_are_compared_with_prompts_and_references(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suites, pictures = tmp_path / "suites", tmp_path / "pictures"
    suites.mkdir()
    pictures.mkdir()
    asked = []
    for name in SHOWN:
        text = resolve(f"demo:sakichan/{name}.txt").read_text().strip()
        view = "behind" if "behind" in text or "back view" in text else None
        asked.append({"id": name, "text": text, "axes": {"what": name}, "expect": {"view": view} if view else {}})
        shutil.copy(resolve(f"demo:sakichan/{name}.png"), pictures / f"{name}_1.png")
    (suites / "compared.yaml").write_text(SUITE % "\n".join(f"  - {json.dumps(one)}" for one in asked))
    command = ["score", str(pictures), "--config-dir", str(tmp_path), "suite=compared", "perception=clip"]
    command += ["perception.options.model=demo-clip", "perception.workers=0", f"folder='{tmp_path / 'run'}'"]
    assert main(command) in (0, 3, 4)
    found = load_run(tmp_path / "run")
    scores = {one.metric: [] for one in found.scores[found.cells[0].key]}
    for cell in found.cells:
        for one in found.scores[cell.key]:
            scores[one.metric].append(one)
    assert np.mean([one.value for one in scores["prompt_similarity"]]) > 0.8
    assert all("by demo-clip" in one.reason for one in scores["prompt_similarity"])
    assert {one.value for one in scores["copy_risk"]} == {1.0}, "they are the references themselves"
    assert all(one.value is not None and one.value > 0.7 for one in scores["reference_similarity"])

    # what was seen and read needs no model
    monkeypatch.setattr("evalharness.perception.clip.network.opened_clip", None)
    monkeypatch.setattr("evalharness.perception.clip.perceiver.text_embeddings", None)
    assert main(command) in (0, 3, 4)
    assert load_run(tmp_path / "run").scores == found.scores


def test_demos_clip_sees_emotion_and_view_of_drawings_it_never_saw() -> None:
    from evalharness.demo.dataset import draw_world, sample_looks
    from evalharness.demo.drawing import sample_look

    looks = sample_looks(40, 424242, sample_look)
    pictures = [Image.fromarray(picture) for picture in draw_world(looks).images]
    seen = [one.answers for one in ClipPerceiver(model="demo-clip").observe(pictures)]
    likeliest = [{question: max(shares, key=shares.__getitem__) for question, shares in one.items()} for one in seen]
    view = [said["view"] == look.view for said, look in zip(likeliest, looks, strict=True)]
    faced = [(said, look) for said, look in zip(likeliest, looks, strict=True) if look.view != "behind"]
    assert np.mean(view) > 0.75
    assert np.mean([said["emotion"] == look.emotion for said, look in faced]) > 0.55
    assert np.mean([said["background"] == look.background for said, look in zip(likeliest, looks, strict=True)]) > 0.9


def test_perceiver_that_looks_first_is_told_its_models(tiny: Path) -> None:
    looker = perceiver(tiny, beside="anime", models={"tagger": "wd-swinv2-tagger-v3"})
    assert "wd-swinv2-tagger-v3" in str(looker.fingerprint()["anime tagger"])


PART_QUESTIONS = (
    '\n[parts.eyes]\nhappy = ["red"]\nsad = ["blue"]\n[parts.mouth]\nhappy = ["a smile"]\nangry = ["teeth"]\n'
)


def face(**states: str) -> Face:
    """A face with its parts where they would be in a picture of 96 x 80 pixels."""
    boxes = {"left_eye": (20, 20), "right_eye": (50, 20), "brows": (30, 10), "mouth": (36, 50)}
    parts = tuple(
        Part(name=name, state=states.get(name, "present"), confidence=0.9, box=Box(x=x, y=y, width=20, height=8))  # type: ignore[arg-type]
        for name, (x, y) in boxes.items()
    )
    return Face(box=Box(x=10, y=5, width=70, height=60), confidence=0.9, parts=parts)


def test_crops_show_the_parts_with_their_surroundings_on_white_squares() -> None:
    picture = Image.new("RGB", (96, 80), "green")
    picture.paste("red", (20, 20, 70, 28))
    crops = part_crops(picture, face(mouth="missing"))
    assert set(crops) == {"eyes", "brows"}, "what is missing is not shown"
    eyes = crops["eyes"]
    assert eyes.width == eyes.height == 80, "50 pixels of both eyes, and three tenths on each side"
    colors = dict((color, count) for count, color in eyes.getcolors() or [])
    assert colors[(255, 0, 0)] == 50 * 8 and (255, 255, 255) in colors and (0, 128, 0) in colors


def test_part_that_is_too_small_or_outside_is_not_shown() -> None:
    tiny_part = Part(name="mouth", state="present", confidence=1.0, box=Box(x=40, y=40, width=6, height=2))
    outside = replace(tiny_part, box=Box(x=200, y=40, width=30, height=20))
    for part in (tiny_part, outside):
        assert part_crops(RED, replace(face(), parts=(part,))) == {}


def test_parts_are_asked_about_crops_and_the_picture_about_the_rest(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny.parent / "questions.toml").write_text(QUESTIONS + PART_QUESTIONS)
    plain = Observation(width=96, height=80, faces=(face(),))
    looker = perceiver(tiny)
    monkeypatch.setattr(type(looker.beside), "observe", lambda self, images: [plain])
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (80, 96, 3), dtype=np.uint8))
    (seen,) = looker.observe([picture])
    assert set(seen.answers) == {"color", "parts.eyes", "parts.mouth"}, "brows are not asked about"
    table, model = tiny.parent / "questions.toml", find_model(NAME)
    crop = image_embedding(part_crops(picture, face())["eyes"], model, "cpu")
    assert seen.answers["parts.eyes"] == answers_of(crop, table, model, "cpu", "eyes")["parts.eyes"]
    monkeypatch.setattr(type(looker.beside), "observe", lambda self, images: [replace(plain, faces=())])
    assert set(looker.observe([picture])[0].answers) == {"color"}


def test_questions_about_unknown_parts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "q.toml").write_text('[parts.nose]\na = ["x"]\nb = ["y"]\n')
    with pytest.raises(PerceptionError, match="nose"):
        read_questions(tmp_path / "q.toml")
    assert set(read_questions(TABLE)["parts.mouth"]) == set(EMOTIONS)


def test_harmony_takes_the_clips_parts_only_where_it_is_asked_first() -> None:
    happy, sad = ({**dict.fromkeys(EMOTIONS, 0.0), name: 1.0} for name in ("happy", "sad"))
    offline = face(right_eye="missing")
    offline = replace(offline, parts=tuple(replace(part, emotions=sad) for part in offline.parts))
    seen = Observation(
        width=96,
        height=80,
        faces=(offline,),
        answers={"parts.eyes": happy, "parts.mouth": happy},
        judges={"answers": NAME},
    )
    told = read_by(seen, offline, "clip")
    assert told is not None and told.said == f"eyes (happy 1.00), mouth (happy 1.00) read by {NAME}"
    by_name = {part.name: part for part in told.face.parts}
    assert (by_name["left_eye"].emotions, by_name["brows"].emotions) == (happy, sad)
    assert by_name["right_eye"].state == "missing", "a part that was found missing stays so"
    assert by_name["mouth"].box == offline.parts[3].box
    for first in ("offline", "tags"):
        untouched = read_by(seen, offline, first)
        assert untouched is not None and untouched.face == offline
    assert Harmony(first="clip").emotion(seen) == "happy" and Harmony().emotion(seen) == "sad"
    with pytest.raises(ConfigError, match="Did you mean 'clip'"):
        Harmony(first="clap")
