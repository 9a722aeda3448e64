"""Labels of a run's own images: asked for what its prompts ask, seen by its own perception."""

import json
from pathlib import Path

import pytest
import small_run

from evalharness.config import compose
from evalharness.labels import Label
from evalharness.rated import RatedRun, rated_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rated")
    small_run.write_inputs(folder / "inputs")
    small_run.main(small_run.arguments(folder / "inputs", folder / "run", "report.language=ja"))
    return folder / "run"


@pytest.fixture
def rated(run: Path) -> RatedRun:
    found = rated_run(run)
    assert found
    return found


def test_labels_get_what_the_prompts_asked_for(rated: RatedRun) -> None:
    cells = {cell.prompt.id: cell for cell in rated.record.plan.cells}
    labels = [Label(path=Path(f"{key}.png"), cell=cells[key].key) for key in ("happy", "sad")]
    assert [label.asked for label in rated.completed(labels)] == ["happy", "sad"]
    own = (Label(path=Path("x.png"), cell=cells["sad"].key, asked="angry"), Label(path=Path("y.png"), cell="other"))
    assert [label.asked for label in rated.completed(own)] == ["angry", None]


def test_judges_are_told_what_the_run_told_them_unless_others_are_chosen(rated: RatedRun) -> None:
    config = rated.judging(compose([]), ["folder=x"])
    assert (config.perception.name, config.report.language) == ("brightness", "ja")
    assert rated.judging(compose([]), ["perception=offline"]).perception.name == "offline"
    assert rated.judging(compose([]), ["++scoring.harmony.two_stars=0.4"]).perception.name == "offline"
    assert rated.judging(compose([]), ["report.language=en"]).report.language == "en"


def test_folder_of_images_is_no_run(tmp_path: Path) -> None:
    assert rated_run(tmp_path) is None


def test_page_of_labels_from_a_run_is_in_its_language(run: Path, tmp_path: Path) -> None:
    image = next((run / "images").rglob("*.png"))
    (tmp_path / "labels.csv").write_text(f"file,cell,stars\n{image.relative_to(run)},{image.stem},3\n")
    words = ["calibrate", str(run), f"--labels={tmp_path / 'labels.csv'}", f"folder='{tmp_path / 'out'}'"]
    assert small_run.main(words) == 0
    assert '<html lang="ja">' in (tmp_path / "out" / "calibration.html").read_text("utf-8")
    assert json.loads((tmp_path / "out" / "agreement.json").read_text())["stars_kappa"]["n"] == 0


def test_report_is_written_again_in_another_language(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert '<html lang="ja">' in (run / "report.html").read_text("utf-8")
    assert small_run.main(["report", str(run), "--language", "en"]) == 0
    assert '<html lang="en">' in (run / "report.html").read_text("utf-8")
    assert small_run.main(["report", str(run)]) == 0
    assert '<html lang="ja">' in (run / "report.html").read_text("utf-8")
    capsys.readouterr()
    assert small_run.main(["report", str(run), "--language", "de"]) == 2
    assert "unknown language 'de'." in capsys.readouterr().err
