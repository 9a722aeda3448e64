"""`evalharness list`: what there is to choose from, ours and the user's, and runs, however damaged one of them is."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import small_run

from evalharness import registry
from evalharness.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The inputs, and a folder with one finished run."""
    inputs, runs = tmp_path_factory.mktemp("made") / "inputs", tmp_path_factory.mktemp("runs")
    small_run.write_inputs(inputs)
    tables = registry.TABLES
    assert small_run.main(small_run.arguments(inputs, runs / "first")) == 0
    registry.TABLES = tables
    return inputs, runs


def listed(capsys: Capture, *words: str | Path) -> Any:
    capsys.readouterr()
    assert main(["list", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows}


def test_suites_are_counted_as_a_run_would_count_them(made: tuple[Path, Path], capsys: Capture) -> None:
    suites = by_name(listed(capsys, "suites", "--config-dir", made[0])["suites"])
    demo, small = suites["demo"], suites["small"]
    assert (demo["prompts"], demo["draws"], demo["images"], demo["ours"]) == (14, 28, 28 * 13, True)
    assert "sakichan" in demo["description"]
    assert (small["prompts"], small["draws"], small["images"], small["ours"]) == (3, 9, None, False)
    assert small["file"] == str(made[0] / "suites" / "small.yaml")


def test_users_suite_hides_ours_of_the_same_name(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "demo.yaml").write_text(small_run.SUITE.replace("small", "demo"))
    demo = by_name(listed(capsys, "suites", "--config-dir", tmp_path)["suites"])["demo"]
    assert (demo["prompts"], demo["ours"]) == (3, False)


def test_damaged_suite_is_listed_with_its_mistake(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "wrong.yaml").write_text(small_run.SUITE.replace("seeds:", "seed:"))
    (tmp_path / "suites" / "torn.yaml").write_text("name: [")
    suites = by_name(listed(capsys, "suites", "--config-dir", tmp_path)["suites"])
    assert "Did you mean 'seeds'?" in suites["wrong"]["problem"]
    assert suites["torn"]["problem"]
    assert suites["demo"]["problem"] == ""


def test_scorers_say_their_unit_and_direction(capsys: Capture) -> None:
    scorers = by_name(listed(capsys, "scorers")["scorers"])
    assert set(scorers) == set(registry.SCORERS)
    assert (scorers["color_drift"]["unit"], scorers["color_drift"]["higher_is_better"]) == ("deltaE00", False)
    assert all(row["about"] for row in scorers.values())


def test_makers_and_perceivers_say_what_they_are(capsys: Capture) -> None:
    found = listed(capsys)
    assert set(by_name(found["makers"])) == set(registry.BACKENDS)
    assert all(row["about"] for row in (*found["makers"], *found["perception"]))


def test_scorer_that_cannot_be_imported_is_listed_with_the_reason(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorers = {**registry.SCORERS, "theirs": "no_such_module:Theirs"}
    monkeypatch.setattr(registry, "TABLES", {**registry.TABLES, "scorer": scorers})
    found = by_name(listed(capsys, "scorers")["scorers"])
    assert "no_such_module" in found["theirs"]["problem"]
    assert found["faces"]["problem"] == ""


def test_run_is_listed_with_verdict_leader_date_and_images(made: tuple[Path, Path], capsys: Capture) -> None:
    (run,) = listed(capsys, "runs", made[1])["runs"]
    assert (run["state"], run["suite"], run["decision"]) == ("finished", "small", "PROMOTE")
    assert run["leader"] == "girl-000001"
    assert (run["images"], run["of"]) == (45, 45)
    assert run["date"].startswith("20")


def test_damaged_runs_are_listed_as_such_beside_the_others(
    made: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    for name in ("whole", "cut", "no record", "no verdict", "verdict"):
        shutil.copytree(made[1] / "first", tmp_path / name)
    record = tmp_path / "cut" / "run.json"
    record.write_bytes(record.read_bytes()[:200])
    (tmp_path / "no record" / "run.json").unlink()
    (tmp_path / "no verdict" / "verdict.json").unlink()
    (tmp_path / "verdict" / "verdict.json").write_bytes(b"\xff\x00")
    (tmp_path / "something else").mkdir()
    runs = {Path(row["folder"]).name: row for row in listed(capsys, "runs", tmp_path)["runs"]}
    states = {name: row["state"] for name, row in runs.items()}

    assert states == {
        "cut": "damaged",
        "no record": "damaged",
        "no verdict": "unfinished",
        "verdict": "damaged",
        "whole": "finished",
    }
    assert "run.json" in runs["no record"]["problem"]
    assert main(["list", "runs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("damaged: ") == 3
    assert "PROMOTE" in shown
    assert "unfinished" in shown


def test_run_at_work_can_be_listed(made: tuple[Path, Path], capsys: Capture) -> None:
    """The lock of a run keeps nobody from looking."""
    from evalharness.store import Store

    with Store(made[1] / "first"):
        assert listed(capsys, "runs", made[1])["runs"][0]["state"] == "finished"


def test_no_runs_are_no_error_but_a_wrong_folder_is(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert listed(capsys, "runs")["runs"] == []
    assert main(["list", "runs", "nowhere"]) == 2
    assert "'nowhere' is not a folder" in capsys.readouterr().err
    assert main(["list", "suites", "nowhere"]) == 2
    assert "evalharness list runs nowhere" in capsys.readouterr().err


def test_every_list_has_a_table(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for words in ("character_epochs", "deltaE00", "lower", "diffusers", "offline", "runs: none here"):
        assert words in shown
