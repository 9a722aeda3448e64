"""Answers for programs (--json is all that is printed), and what `show` says of a run and of one image."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import small_run
from PIL import Image

from evalharness import registry
from evalharness.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def brightness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TABLES", {**registry.TABLES, "perception": {"brightness": "small_run:Brightness"}})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The inputs, and a finished run of them."""
    inputs, run = tmp_path_factory.mktemp("made") / "inputs", tmp_path_factory.mktemp("runs") / "first"
    small_run.write_inputs(inputs)
    tables = registry.TABLES
    assert small_run.main(small_run.arguments(inputs, run)) == 0
    registry.TABLES = tables
    return inputs, run


def answer(capsys: Capture, *words: str | Path) -> Any:
    """The one JSON document that a command prints."""
    capsys.readouterr()
    code = main([*map(str, words), "--json"])
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert code in (0, 3, 4), shown.err
    return found


def image_in(run: Path) -> Path:
    return sorted(run.glob("images/*/*.png"))[0]


def test_run_and_show_give_the_same_document(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    inputs, _ = made
    run = tmp_path / "run"
    printed = answer(capsys, *small_run.arguments(inputs, run))

    assert printed == answer(capsys, "show", run)
    assert printed["images"] == 45
    assert printed["exit_code"] == 0
    assert Path(printed["report"]).is_file()
    assert printed["judgement"] == json.loads((run / "verdict.json").read_text())


def test_show_prints_what_the_run_printed_at_its_end(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    inputs, _ = made
    run = tmp_path / "run"
    main(small_run.arguments(inputs, run))
    first = capsys.readouterr().out
    assert main(["show", str(run)]) == 0
    assert capsys.readouterr().out == first
    assert "girl-000002 @ 1" in first


def test_show_without_a_page_says_how_to_get_one(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "copy"
    shutil.copytree(made[1], run)
    (run / "report.html").unlink()
    assert main(["show", str(run)]) == 0
    assert f"evalharness report {run}" in capsys.readouterr().out
    assert answer(capsys, "show", run)["report"] is None


def test_dry_run_as_json_counts_the_images(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    rows = answer(capsys, *small_run.arguments(made[0], tmp_path / "run", "--dry-run"))["rows"]
    assert [(row["subject"], row["missing"]) for row in rows] == [
        ("base", 9),
        ("girl-000001", 18),
        ("girl-000002", 18),
    ]


def test_score_as_json(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    images = tmp_path / "images"
    images.mkdir()
    shutil.copy(image_in(made[1]), images / "mine__happy.png")
    files = ["suite.files={pattern: ['{subject}__{prompt}.png']}", "suite.gates=[]", f"folder='{tmp_path}/run'"]
    common = ["--config-dir", str(made[0]), "suite=small", "perception=brightness"]
    assert answer(capsys, "score", images, *common, *files)["images"] == 1


def test_compare_as_json_names_both_sides(made: tuple[Path, Path], capsys: Capture) -> None:
    _, run = made
    found = answer(capsys, "compare", f"{run}:girl-000001", f"{run}:girl-000002", "--strength", "1")
    assert (found["a"]["subject"], found["b"]["subject"]) == ("girl-000001", "girl-000002")
    assert found["comparison"]["differences"][0]["metric"]["name"] == "faces"


def test_report_and_promote_as_json_give_paths_that_are_there(
    made: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    _, run = made
    assert Path(answer(capsys, "report", run)["report"]).is_file()
    found = answer(capsys, "promote", run, "--to", tmp_path / "promoted", "--strength", "1")
    assert Path(found["card"]).is_file()
    assert Path(found["folder"]).is_dir()


def test_calibrate_as_json_gives_the_figures_as_numbers(
    made: tuple[Path, Path], tmp_path: Path, capsys: Capture
) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    shutil.copy(image_in(made[1]), labels / "one.png")
    (labels / "labels.csv").write_text("file,multiple,emotion_seen\none.png,0,happy\n")
    common = ["--config-dir", str(made[0]), "suite=small", "perception=brightness"]
    found = answer(capsys, "calibrate", labels, *common, f"folder='{tmp_path}/calibration'")
    assert found["images"] == 1
    assert all(set(figure) == {"value", "n", "low", "high"} for figure in found["figures"].values())
    assert Path(found["report"]).is_file()


# one image


def test_image_is_known_by_its_text_under_any_name(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    _, run = made
    image = image_in(run)
    shutil.copy(image, tmp_path / "renamed.png")
    by_text = answer(capsys, "show", run, tmp_path / "renamed.png")
    by_key = answer(capsys, "show", run, "--cell", image.stem[:8])

    assert by_text == by_key
    assert by_key["cell"]["key"] == image.stem
    assert by_key["path"] == str(image)
    assert by_key["scores"][0]["reason"].endswith("asked: 1")


def test_image_is_shown_with_prompt_seed_scores_and_reasons(made: tuple[Path, Path], capsys: Capture) -> None:
    _, run = made
    assert main(["show", str(run), str(image_in(run))]) == 0
    shown = capsys.readouterr().out
    for word in (image_in(run).stem, "girl", "seed", "64 x 64", "faces", "1 face; asked: 1"):
        assert word in shown


def refusal(capsys: Capture, *words: str | Path) -> str:
    capsys.readouterr()
    assert main([*map(str, words)]) == 2
    return capsys.readouterr().err


def test_what_names_no_cell_is_refused(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    _, run = made
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    (tmp_path / "text.png").write_text("no image")
    assert "carries no cell" in refusal(capsys, "show", run, tmp_path / "plain.png")
    assert "it is no PNG" in refusal(capsys, "show", run, tmp_path / "text.png")
    assert "No such file" in refusal(capsys, "show", run, tmp_path / "nothing.png")
    assert "no cell" in refusal(capsys, "show", run, "--cell", "zzzz")
    assert "too short" in refusal(capsys, "show", run, "--cell", "a")
    assert "one of them" in refusal(capsys, "show", run, image_in(run), "--cell", "abcd")


def test_prefix_of_several_keys_is_refused(
    made: tuple[Path, Path], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalharness.one_image.LEAST_PREFIX", 1)
    _, run = made
    assert "give more characters" in refusal(capsys, "show", run, "--cell", image_in(run).stem[0])


def test_image_that_failed_is_shown_with_the_reason(made: tuple[Path, Path], tmp_path: Path, capsys: Capture) -> None:
    run = tmp_path / "run"
    main(small_run.arguments(made[0], run, "backend.options.fail_on=[sad]"))
    cells = json.loads((run / "run.json").read_text())["plan"]["cells"]
    key = next(cell["key"] for cell in cells if cell["prompt"]["id"] == "sad")
    found = answer(capsys, "show", run, "--cell", key)
    assert found["path"] is None
    assert "told to fail" in found["failure"]
    assert main(["show", str(run), "--cell", key]) == 0
    assert "unscored" in capsys.readouterr().out
