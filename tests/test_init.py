"""A suite written for a character: by flags, by a person at a terminal, by images; read back whatever its words are."""

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import small_run
import yaml

from evalharness.appearance import SideSeen, Tone, appearance, color_name
from evalharness.captioning import FAMILIES
from evalharness.character import name_of
from evalharness.cli import main
from evalharness.config import compose
from evalharness.init import override_value
from evalharness.report.suite_file import quoted
from evalharness.suite import Suite, read_suite
from evalharness.types import Box, Color, Face, Hair, ImageSide, Observation

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Suites are written below the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*words: str) -> int:
    return main(["init", *words, "--yes"])


def suite(name: str) -> Suite:
    return read_suite(compose([f"suite={name}"]).suite)


# By flags


def test_flags_say_all_and_the_suite_runs_dry_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = ["--trigger", "sakichan", "--hair-side", "left", "--family", "sdxl", "--strengths", "1.0,0.5,0.75"]
    assert init("mine", *said, "--seeds", "3", "--loras", "demo:loras/sakichan-00000[78].safetensors") == 0
    printed = capsys.readouterr().out
    found = suite("mine")

    assert (found.strengths, found.seeds) == ((0.5, 0.75, 1.0), (1, 2, 3))
    assert found.settings[0].guidance_scale == (FAMILIES["sdxl"].guidance_scale,)
    assert "next       evalharness run suite=mine --dry-run" in printed
    assert main(["run", "suite=mine", "--dry-run"]) == 0
    assert "26 prompts" in (shown := capsys.readouterr().out)
    assert "sakichan-000008" in shown


def test_sides_are_mirrored_from_behind_and_gone_where_hair_is_let_down() -> None:
    init("--trigger", "sakichan", "--hair-side", "left")
    asked = [prompt for prompt in suite("sakichan").prompts if prompt.axes["trigger"] == "asked"]
    sides = {(prompt.axes["view"], prompt.axes["hair"], prompt.expect.hair_side) for prompt in asked}

    assert sides == {("front", "kept", "left"), ("behind", "kept", "right"), ("front", "changed", "none")}


def test_emotions_are_asked_of_the_trigger_and_others_are_to_be_like_the_base() -> None:
    init("--trigger", "sakichan")
    found = suite("sakichan")
    others = [prompt for prompt in found.prompts if prompt.axes["trigger"] == "absent"]

    assert {prompt.expect.emotion for prompt in found.prompts} > {"neutral", "happy", "sad", "angry", "surprised"}
    assert len(others) == 4
    assert all(prompt.expect.like_base and "sakichan" not in prompt.text for prompt in others)
    assert all(
        prompt.text.startswith("sakichan, 1girl") and not prompt.expect.like_base
        for prompt in found.prompts
        if prompt not in others
    )


def test_nothing_is_asked_of_a_side_that_nobody_named() -> None:
    init("--trigger", "sakichan")
    found = suite("sakichan")

    assert {prompt.expect.hair_side for prompt in found.prompts} == {None}
    assert "hair_side" not in {*found.scorers, *(rule.metric for rule in found.gates)}
    assert {"color_drift", "eye_color_drift"}.isdisjoint(found.scorers)


@pytest.mark.parametrize("family", FAMILIES)
def test_prompts_are_worded_as_the_family_is_captioned(family: str) -> None:
    init("mine", "--family", family, "--hair-side", "none")
    asked = [prompt.text for prompt in suite("mine").prompts if prompt.axes["trigger"] == "asked"]

    assert all(text.endswith(".") == (FAMILIES[family].style == "sentences") for text in asked)
    assert all("  " not in text and ", ," not in text and ".." not in text for text in asked)
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("side", ["left", "none", None])
def test_suite_is_run_to_its_verdict(side: str | None, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_run.write_inputs(here / "inputs")
    said = ["--hair-side", side] if side else []
    init("mine", *said, "--loras", f"{here}/inputs/*1.safetensors", "--seeds", "1", "--strengths", "0.5,0.7,1.0")
    words = ["suite=mine", "backend=fake", "perception=brightness", "suite.settings.size=[64,64]"]

    assert small_run.main(["run", "--config-dir", str(here / "inputs"), *words]) in (0, 3, 4), capsys.readouterr().err


def test_what_keys_mean_stands_in_the_file() -> None:
    init("--trigger", "sakichan")
    text = Path("suites/sakichan.yaml").read_text()
    ours, demo = (body.count("#") for body in (text, (ROOT / "suites" / "demo.yaml").read_text()))

    assert ours >= demo
    lines = text.splitlines()
    keys = [number for number, line in enumerate(lines) if line and line[0].isalpha() and line[0] != "#"]
    bare = [lines[n] for n in keys if not any(line.startswith("#") for line in lines[max(0, n - 3) : n])]
    assert bare == []
    assert not [line for line in lines if line != line.rstrip()]


def test_loras_beside_us_are_found_by_the_name_and_none_means_the_model_alone(here: Path) -> None:
    init("first")
    (here / "loras").mkdir()
    (here / "loras" / "mine-000001.safetensors").touch()
    init("second")
    init("mine")

    listed = [compose([f"suite={name}"]).subjects for name in ("first", "second", "mine")]
    assert listed == [(), ("loras/*.safetensors",), ("loras/mine*.safetensors",)]


# By references


def test_references_are_measured_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    init("mine", "--trigger", "sakichan", "--references", "demo:sakichan")
    printed, text, found = capsys.readouterr().out, Path("suites/mine.yaml").read_text(), suite("mine")
    limits = {rule.metric: rule.at_most for rule in found.gates if rule.at_most is not None}
    front = [prompt.expect.hair_side for prompt in found.prompts if prompt.axes.get("view") == "front"]

    for shown in (printed, text):
        assert "hair brown (L 34, a 15, b 21) in 24 of 24 images; spread deltaE00 6.1" in shown
        assert "hair side right (left 0, right 14, neither 1 of 15 images with a face)" in shown
        assert "eyes colour not clear" in shown
    assert limits == {"color_drift": 11.0}
    assert "Too few references show the colour of the eyes for a limit" in text
    assert {"color_drift", "eye_color_drift", "hair_side"} < set(found.scorers)
    assert set(front) == {"right", "none"}


@pytest.mark.parametrize(("spread", "limit"), [(0.0, 8.0), (3.0, 8.0), (6.1, 11.0), (12.0, 17.0), (12.1, None)])
def test_limit_of_drift_follows_the_references_spread(spread: float, limit: float | None) -> None:
    assert Tone(region="hair", lab=(34.0, 15.0, 21.0), spread=spread, seen=9, images=10).limit == limit


@pytest.mark.parametrize(
    ("left", "right", "neither", "side"),
    [(0, 9, 3, "right"), (9, 0, 3, "left"), (0, 8, 3, None), (5, 5, 0, None), (0, 0, 3, "none"), (0, 2, 0, None)],
)
def test_side_is_proposed_where_most_images_agree(left: int, right: int, neither: int, side: ImageSide | None) -> None:
    seen = SideSeen(left=left, right=right, neither=neither)

    assert seen.proposed == side
    assert ("not clear" in str(seen)) == (side is None)


def test_images_without_a_face_say_nothing_about_the_side_and_few_colours_are_no_colour() -> None:
    box = Box(x=0.0, y=0.0, width=9.0, height=9.0)
    hair = Hair(share=0.2, left=0.3, right=0.0, below=0.0, axis=((0.0, 0.0), (0.0, 9.0)))
    behind = Observation(width=9, height=9, hair=hair)
    blue = Color(region="hair", lab=(40.0, 0.0, -40.0), share=0.2)
    front = Observation(width=9, height=9, hair=hair, faces=(Face(box=box, confidence=1.0),), colors=(blue,))
    found = appearance([behind, behind, front, front])

    assert (found.side.left, found.side.right, found.side.neither) == (2, 0, 0)
    assert found.hair is None
    assert "hair colour not clear" in found.sentences
    assert str(appearance([front] * 3).hair) == ("hair blue (L 40, a 0, b -40) in 3 of 3 images; spread deltaE00 0.0")


@pytest.mark.parametrize(
    ("lab", "name"),
    [
        ((15.0, 1.0, 0.0), "black"),
        ((90.0, 0.0, 1.0), "white"),
        ((34.0, 15.0, 21.0), "brown"),
        ((80.0, 3.0, 40.0), "blonde"),
        ((45.0, 60.0, 40.0), "red"),
        ((50.0, 10.0, -45.0), "blue"),
        ((75.0, 30.0, 0.0), "pink"),
    ],
)
def test_colours_have_the_names_that_people_use(lab: tuple[float, float, float], name: str) -> None:
    assert color_name(lab) == name


# Hostile words

HOSTILE = [
    'ru:by "x" #1',
    "${oc.env:HOME}",
    r"back\slash\\${x}\\",
    "it's {not} an {axis}",
    "- [a, b]: &x *y !z | > % @ `tick`",
    "null",
    "1e3",
    "ルビー 🎀",
    "$(touch x); '",
]


@pytest.mark.parametrize("word", HOSTILE)
def test_words_come_back_as_they_were_said(word: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    references = here / f"refs {word}".replace("/", "_")
    references.mkdir()
    (references / "1.png").write_bytes((ROOT / "evalharness/demo/data/sakichan/01.png").read_bytes())
    said = ["--trigger", word, "--references", str(references), "--loras", f"./{word}", "--base", f"/m/{word}"]
    assert init("mine", *said) == 0
    command = capsys.readouterr().out.split("next ")[1].strip().removesuffix(" --dry-run")
    config = compose(shlex.split(command)[2:])
    found = read_suite(config.suite)

    assert sum(prompt.text.startswith(f"{word}, 1girl, ") for prompt in found.prompts) == 22
    assert found.references == str(references)
    assert config.subjects == (f"./{word}",)
    assert config.backend.model == f"/m/{word}"
    assert yaml.safe_load(Path("suites/mine.yaml").read_text())["name"] == "mine"


@pytest.mark.parametrize("word", [*HOSTILE, "$${x", "\\", "\\\\'", "x${a}\\'${b}\\", "/a b"])
def test_any_text_is_an_overrides_value(word: str) -> None:
    assert compose([f"backend.model={override_value(word)}", "subjects=[]"]).backend.model == word
    assert yaml.safe_load(quoted(word)) == word or "${" in word


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "give --trigger WORD, or a NAME"),
        (["true"], "the name 'true' cannot be chosen"),
        (["../x"], "the name '../x' cannot be chosen"),
        (["mine", "--trigger", "a\nb"], "holds the character U+000A"),
        (["mine", "--trigger", "???"], "means 'missing'"),
        (["mine", "--trigger", " "], "--trigger is empty"),
        (["mine", "--family", "sdlx"], "unknown family 'sdlx'. Did you mean 'sdxl'?"),
        (["mine", "--strengths", "0,1"], "strengths '0,1' are not all numbers above 0"),
        (["mine", "--strengths", "a"], "strengths 'a' are not all numbers"),
        (["mine", "--seeds", "0"], "seeds '0' is no number of seeds"),
        (["mine", "--seeds", "1.5"], "seeds '1.5' is no number of seeds"),
        (["mine", "--references", "/no/such"], "references '/no/such' is not a folder"),
        (["mine", "--references", "."], "holds no image"),
        (["--trigger", "x", "--to", "mine.yaml"], "such as suites/mine.yaml"),
    ],
)
def test_what_cannot_be_a_suite_is_refused_and_nothing_is_written(
    words: list[str], sentence: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(*words) == 2

    assert sentence in (error := capsys.readouterr().err)
    assert len(error.splitlines()) == 1
    assert not list(here.rglob("*.yaml"))


def test_suite_that_is_there_is_overwritten_by_force_alone(capsys: pytest.CaptureFixture[str]) -> None:
    init("mine", "--trigger", "first")
    before = Path("suites/mine.yaml").read_bytes()

    assert init("mine", "--trigger", "second") == 2
    assert "'suites/mine.yaml' exists already" in capsys.readouterr().err
    assert Path("suites/mine.yaml").read_bytes() == before
    assert init("mine", "--trigger", "second", "--force") == 0
    assert suite("mine").prompts[-1].text.startswith("second")


def test_suite_of_another_folder_is_run_from_here(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init("--trigger", "sakichan", "--to", "my configs/suites/mine.yaml")
    command = shlex.split(capsys.readouterr().out.split("next ")[1])

    assert command[1:] == ["run", "suite=mine", "--config-dir", str(here / "my configs"), "--dry-run"]
    assert main(command[1:]) == 0


@pytest.mark.parametrize(
    ("trigger", "name"), [("ru:by 'x' #1", "ru_by_x_1"), ("ルビー", "character"), ("1st", "character_1st")]
)
def test_name_is_made_of_the_trigger(trigger: str, name: str) -> None:
    assert name_of(trigger) == name


# A person at a terminal


def test_person_is_asked_and_asked_again_after_an_answer_that_cannot_be_used(here: Path) -> None:
    answers = ["ruby", "", "/no/such", "", "rihgt", "right", "sdlx", "flux2", "", "", "1.0", "1"]
    leader, follower = pty.openpty()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "evalharness.cli", "init"]
    with subprocess.Popen(
        command, stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        os.write(leader, "".join(f"{answer}\n" for answer in answers).encode())
        shown = process.communicate(timeout=300)[0]
    os.close(leader)
    os.close(follower)
    found = suite("ruby")

    assert process.returncode == 0, shown
    for sentence in (
        "Trigger word that the LoRA was captioned with [none]: ",
        "Name of the suite [ruby]: ",
        "references '/no/such' is not a folder",
        "unknown side 'rihgt'. Did you mean 'right'?",
        "unknown family 'sdlx'. Did you mean 'sdxl'?",
        "LoRA strengths [0.7,1.0]: ",
        "next       evalharness run suite=ruby --dry-run",
    ):
        assert sentence in shown
    assert (found.strengths, found.seeds) == ((1.0,), (1,))
    assert found.prompts[-1].text.startswith("ruby is seen from the front, with the hair let down. The face is ")


def test_terminal_that_closes_leaves_nothing_behind(here: Path) -> None:
    leader, follower = pty.openpty()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "evalharness.cli", "init"]
    with subprocess.Popen(command, stdin=follower, stdout=subprocess.PIPE, env=environment) as process:
        os.write(leader, b"ruby\n\x04")
        process.communicate(timeout=300)
    os.close(leader)
    os.close(follower)

    assert process.returncode == 130
    assert not list(here.rglob("*.yaml"))
