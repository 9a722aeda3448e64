"""`evalharness gate --junit --markdown --json`: what a pipeline is handed, and that it is whole or not there."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import ci_world
import pytest

from evalharness import registry
from evalharness.answer import Answer, answer_of
from evalharness.cli import main
from evalharness.codec import decode
from evalharness.record import load_run
from evalharness.sides import read_side

Gate = Callable[..., int]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two candidates, one better and one worse than the third."""
    folder = tmp_path_factory.mktemp("world") / "checkout"
    ci_world.write_world(folder)
    patch = pytest.MonkeyPatch()
    patch.setattr(registry, "TABLES", {**registry.TABLES, "perception": {"grain": "ci_world:Grain"}})
    patch.chdir(folder)
    assert main(["run", "suite=gated", "backend=noisy", "perception=grain", "subjects=[loras/*.safetensors]"]) == 4
    patch.undo()
    return folder / "runs" / "gated"


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


@pytest.fixture
def gate(run: Path) -> Gate:
    return lambda *more: main(["gate", str(run), "--against", f"{run}:old", *more])


def test_json_is_all_that_is_printed_and_reads_back(gate: Gate, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = gate("--json")
    printed = capsys.readouterr()
    assert printed.err == ""
    answer = decode(printed.out, Answer)
    assert printed.out.endswith("}\n")
    assert (code, answer.exit_code, answer.decision) == (0, 0, "PROMOTE")
    assert answer == answer_of(run, load_run(run), read_side(f"{run}:old"))
    assert (answer.subject, answer.rival.subject if answer.rival else None) == ("better", "old")
    decisions = {one.subject: str(one.decision) for one in answer.verdicts}
    assert decisions == {"better": "PROMOTE", "equal": "PROMOTE", "old": "PROMOTE", "worse": "REJECT"}
    assert (run / answer.report).is_file()


def test_without_json_the_checks_are_printed_and_both_files_written(
    gate: Gate, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junit, comment = tmp_path / "junit.xml", tmp_path / "comment.md"
    assert gate("--junit", str(junit), "--markdown", str(comment), "--link-base", "https://mai.example/7") == 0
    assert "exit code  0" in capsys.readouterr().out
    suites = {suite.get("name"): suite.get("failures") for suite in ElementTree.parse(junit).getroot()}
    assert suites == {"better": "0", "equal": "0", "old": "0", "worse": "1"}
    assert "better (strength 1) beside old (strength 1)" in comment.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["comment.md", "junit.xml", "run"]


def test_answer_names_images_by_their_place_in_the_runs_folder(run: Path) -> None:
    verdict = json.loads((run / "verdict.json").read_text())
    assert verdict["decision"] == "INCONCLUSIVE"
    answer = answer_of(run, load_run(run), None)
    assert answer.rival is not None
    assert answer.rival.subject == "base"
    assert answer.subject == load_run(run).judgement.selection.leader
    worse = answer_of(run, load_run(run), read_side(f"{run}:worse"))
    assert {one.says for one in worse.differences} == {"better"}
    assert all((run / one.image).is_file() for one in worse.worst)


def test_file_that_cannot_be_written_is_refused_before_anything_is_judged(
    gate: Gate, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (run / "verdict.json").read_bytes()
    assert gate("--json", "--junit", str(tmp_path / "nowhere" / "junit.xml")) == 2
    assert gate("--json", "--markdown", str(tmp_path)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "is in a folder that does not exist; name a file in an existing folder." in printed.err
    assert f"'{tmp_path}' is a folder" in printed.err
    assert (run / "verdict.json").read_bytes() == before


def test_file_that_is_there_stays_whole_where_writing_fails(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "junit.xml"
    target.write_text("the old one")

    move = Path.replace

    def full(self: Path, to: Path) -> Path:
        if to == target:
            raise OSError("no space left on device")
        return move(self, to)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        gate("--junit", str(target))
    assert target.read_text() == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "run"]


def test_differences_that_cannot_be_compared_are_left_out_with_the_reason(run: Path) -> None:
    finished = load_run(run)
    fewer = tuple(one for one in finished.cells if one.subject != "worse" or one.prompt.id != "happy")
    other = replace(read_side(f"{run}:worse"), run=replace(finished, cells=fewer))
    answer = answer_of(run, finished, other)
    assert answer.differences == ()
    assert answer.rival is not None
    assert answer.rival.notes == ("No differences are shown, for the prompts or what is expected of them differ.",)
