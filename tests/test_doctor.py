"""`evalharness doctor` finds what a suite lacks before a run does, says what to do, and leaves nothing behind."""

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import small_run
from PIL import Image, ImageOps

from evalharness import registry
from evalharness.backends.devices import Device
from evalharness.cli import main
from evalharness.doctor import State, machine
from evalharness.doctor.canaries import CHECKS, canaries
from evalharness.errors import PerceptionError
from evalharness.paths import resolve
from evalharness.perception.offline import OfflinePerceiver
from evalharness.types import Observation

Capture = pytest.CaptureFixture[str]
Lines = dict[str, dict[str, str]]


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small run's suite and LoRA files, in a folder of the user's."""
    small_run.write_inputs(tmp_path / "inputs")
    tables = {**registry.TABLES, "perception": {**registry.PERCEPTION, "brightness": "small_run:Brightness"}}
    monkeypatch.setattr(registry, "TABLES", tables)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "inputs"


def asked(capsys: Capture, inputs: Path, *more: str) -> tuple[int, Lines]:
    """Exit code, and the worst line of each topic."""
    capsys.readouterr()
    given = small_run.arguments(inputs, inputs.parent / "run", *more)[1:]
    code = main(["doctor", *given, "--json"])
    found: Lines = {}
    for line in json.loads(capsys.readouterr().out)["lines"]:
        if found.get(line["topic"], {}).get("state") != "missing":
            found[line["topic"]] = line
    return code, found


def test_all_is_well_and_nothing_is_left_behind(inputs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = inputs.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = sorted(inputs.parent.rglob("*"))
    code, lines = asked(capsys, inputs)

    assert code == 0, lines
    assert sorted(inputs.parent.rglob("*")) == before
    assert lines["smoke run"]["says"].startswith("2 images and 2 scores in ")
    assert {line["state"] for line in lines.values()} <= {"ok", "warning"}
    for topic in ("evalharness", "packages", "device", "memory", "disk", "model", "subjects", "references", "scorers"):
        assert lines[topic]["state"] == "ok"
    assert "pillow 11" in lines["packages"]["says"]
    assert "2 whole" in lines["subjects"]["says"]


MISSING = {
    "model": (
        ["backend=diffusers", "backend.model=nobody/nothing"],
        "neither a folder nor in the Hugging Face cache",
        "hf download nobody/nothing",
    ),
    "model at a path": (["backend=diffusers", "backend.model=/no/model"], "does not exist", "backend.model=PATH"),
    "subjects": (["subjects=['/no/such.safetensors']"], "no file matches", "subjects="),
    "references": (["suite.references=/no/folder"], "/no/folder is not a folder", "suite.references=FOLDER"),
    "configuration": (["backend.devise=cpu"], "Did you mean 'device'?", "repair"),
    "suite": (["suite.scorers=[harmny]"], "Did you mean 'harmony'?", "repair the suite"),
    "device": (["backend.device=mps"], "not available", "backend.device=auto"),
    "backend": (["backend.options.nonsense=1"], "unknown backend option", "backend"),
    "run folder": (["folder=/proc/nothing"], "/proc cannot be written", "folder=PATH"),
}


@pytest.mark.parametrize("case", MISSING)
def test_what_is_missing_is_named_with_what_to_do(case: str, inputs: Path, capsys: Capture) -> None:
    more, says, do = MISSING[case]
    code, lines = asked(capsys, inputs, *more)
    line = lines[case.removesuffix(" at a path")]

    assert (code, line["state"]) == (2, "missing")
    assert says in line["says"]
    assert do in line["do"]
    assert lines.get("smoke run", {}).get("state") != "ok"


def test_other_lines_are_still_there_when_the_configuration_lacks_subjects(inputs: Path, capsys: Capture) -> None:
    given = [word for word in small_run.arguments(inputs, inputs / "run")[1:] if not word.startswith("subjects")]
    assert main(["doctor", *given]) == 2
    shown = capsys.readouterr().out
    assert "no subjects are given" in shown
    assert "reference" in shown
    assert "1 missing; exit code 2" in shown


def test_damaged_model_is_found_without_loading_one(inputs: Path, capsys: Capture) -> None:
    model = inputs.parent / "model"
    shutil.copytree(resolve("demo:checkpoint"), model)
    given = ["backend=diffusers", f"backend.model={model}", "--no-smoke"]
    code, lines = asked(capsys, inputs, *given)
    assert (code, lines["model"]["state"]) == (0, "ok")
    assert "128 x 128" in lines["model"]["says"]
    assert "smoke run" not in lines

    weights = next((model / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-100])
    code, lines = asked(capsys, inputs, *given)
    assert code == 2
    assert "damaged or truncated" in lines["model"]["says"]

    weights.unlink()
    assert "lacks its component 'unet'" in asked(capsys, inputs, *given)[1]["model"]["says"]
    shutil.rmtree(model / "tokenizer")
    assert "lacks its component 'tokenizer'" in asked(capsys, inputs, *given)[1]["model"]["says"]


def test_model_in_the_hugging_face_cache_is_said_to_be_there(
    inputs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = inputs.parent / "hub" / "models--some--model" / "snapshots" / "1"
    shutil.copytree(resolve("demo:checkpoint"), place)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *given, **options: str(place))
    code, lines = asked(capsys, inputs, "backend=diffusers", "backend.model=some/model", "--no-smoke")
    assert code == 0
    assert "some/model, in the Hugging Face cache" in lines["model"]["says"]


def test_truncated_lora_and_broken_reference_are_named(inputs: Path, capsys: Capture) -> None:
    lora = inputs / "girl-000002.safetensors"
    lora.write_bytes(lora.read_bytes()[:-1])
    (inputs / "images").mkdir()
    (inputs / "images" / "torn.png").write_bytes(b"\x89PNG\r\n")
    code, lines = asked(capsys, inputs, f"suite.references='{inputs}/images'")
    assert code == 2
    assert "girl-000002.safetensors' is truncated" in lines["subjects"]["says"]
    assert "torn.png cannot be read" in lines["references"]["says"]


def test_image_that_fails_in_the_smoke_run_is_missing(inputs: Path, capsys: Capture) -> None:
    code, lines = asked(capsys, inputs, "backend.options.fail_on=[happy]")
    assert (code, lines["smoke run"]["state"]) == (2, "missing")
    assert "told to fail on prompt 'happy'" in lines["smoke run"]["says"]


def test_smoke_run_that_takes_too_long_is_ended(inputs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalharness.doctor.smoke.LIMIT", 0.3)
    code, lines = asked(capsys, inputs, "backend.options.delay=300")

    assert (code, lines["smoke run"]["state"]) == (2, "missing")
    assert "took more than 0.3 s" in lines["smoke run"]["says"]
    assert "--no-smoke" in lines["smoke run"]["do"]


def test_crash_in_the_smoke_run_is_a_line_and_not_the_end(
    inputs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr("evalharness.backends.fake.FakeMaker.generate", full)
    code, lines = asked(capsys, inputs)
    assert (code, lines["smoke run"]["says"]) == (2, "RuntimeError: CUDA out of memory")


# the machine


def test_package_of_a_wrong_version_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    have = {"pillow": "12.1.0", "numpy": None}
    monkeypatch.setattr(machine, "requires", lambda name: ["pillow<12,>=11", "numpy>=2", "rich>=13; extra == 'dev'"])
    monkeypatch.setattr(machine, "_version", lambda name: have[name])
    pillow, numpy, rest = machine.version_lines()
    assert (pillow.state, pillow.do) == (State.MISSING, "pip install 'pillow<12,>=11'")
    assert "12.1.0" in pillow.says
    assert "numpy is not installed" in numpy.says
    assert rest.says == ""


def test_model_larger_than_the_free_memory_of_the_device_is_warned_of(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalharness.config import compose

    config = compose(["subjects=[]"])
    card = Device(kind="cuda", name="a card", free=2 * 10**9, total=8 * 10**9)
    monkeypatch.setattr(machine, "device", lambda name: card)
    line = machine.memory_line(config, 7 * 10**9)
    assert line.state is State.WARNING
    assert "on the device 2.0 GB of 8.0 GB" in line.says
    assert "7.0 GB" in line.says
    assert machine.memory_line(config, 10**9).state is State.OK
    assert machine.device_line(config).says == "cuda: a card"


def test_disk_that_is_too_small_is_warned_of(inputs: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(inputs)._replace(free=45 * 64 * 64 * 3 - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert asked(capsys, inputs, "--no-smoke")[1]["disk"]["state"] == "warning"
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=45 * 64 * 64 * 3 + 1))
    assert asked(capsys, inputs, "--no-smoke")[1]["disk"]["state"] == "ok"


def test_folder_that_is_not_there_is_tried_in_the_nearest_one_above(tmp_path: Path) -> None:
    assert machine.existing(tmp_path / "a" / "b") == tmp_path
    assert machine.write_line(tmp_path / "a" / "b").state is State.OK
    assert list(tmp_path.iterdir()) == []


# canaries: each part is made blind on purpose, and must be the one that is named


class Blinded:
    """The offline perceiver with something done to what it is shown, or to what it saw."""

    def __init__(self, blindness: Any, *, pixels: bool = False) -> None:
        self.blindness, self.pixels = blindness, pixels

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        return {"perceiver": "blinded"}

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        if self.pixels:
            return OfflinePerceiver().observe([self.blindness(image) for image in images])
        return [self.blindness(seen) for seen in OfflinePerceiver().observe(images)]


def without_part(name: str) -> Any:
    def blind(seen: Observation) -> Observation:
        faces = tuple(
            dataclasses.replace(face, parts=tuple(part for part in face.parts if part.name != name))
            for face in seen.faces
        )
        return dataclasses.replace(seen, faces=faces)

    return blind


def without_color(region: str) -> Any:
    return lambda seen: dataclasses.replace(
        seen, colors=tuple(color for color in seen.colors if color.region != region)
    )


BLINDNESS = {
    "face": lambda seen: dataclasses.replace(seen, faces=()),
    "eyes": without_part("left_eye"),
    "brows": without_part("brows"),
    "mouth": without_part("mouth"),
    "hair side": lambda seen: dataclasses.replace(seen, hair=None),
    "hair colour": without_color("hair"),
    "eye colour": without_color("eyes"),
    "collages": lambda seen: dataclasses.replace(seen, panels=seen.panels[:1]),
}


def unseen(perceiver: Any, name: str = "offline") -> dict[str, State]:
    return {line.topic: line.state for line in canaries(perceiver, name) if line.state is not State.OK}


def test_our_perceiver_sees_every_drawing_as_drawn() -> None:
    assert unseen(OfflinePerceiver()) == {}
    assert set(CHECKS) == set(BLINDNESS), "a part without a test of its blindness"


@pytest.mark.parametrize("part", BLINDNESS)
def test_part_that_is_blind_is_named(part: str) -> None:
    found = unseen(Blinded(BLINDNESS[part]))
    assert found[part] is State.MISSING
    if part != "face":
        assert set(found) == {part}


def test_perceiver_that_mirrors_or_exchanges_colours_is_found_out() -> None:
    assert set(unseen(Blinded(ImageOps.mirror, pixels=True))) == {"hair side"}
    gray = unseen(Blinded(lambda image: ImageOps.grayscale(image).convert("RGB"), pixels=True))
    assert "hair colour" in gray


def test_somebody_elses_perceiver_is_only_warned_of() -> None:
    assert unseen(Blinded(BLINDNESS["mouth"]), "theirs") == {"mouth": State.WARNING}


def test_perceiver_that_refuses_to_look_is_missing_with_its_own_words() -> None:
    def refuse(seen: Observation) -> Observation:
        raise PerceptionError("animeface finds no face in its test picture; it needs Pillow below 12: pip install it.")

    (line,) = canaries(Blinded(refuse), "offline")
    assert line.state is State.MISSING
    assert "pip install it" in line.do
