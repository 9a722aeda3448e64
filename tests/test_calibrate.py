"""`evalharness calibrate`: agreement with labels that are the drawn world's truth, and with a person's."""

import csv
import json
import re
from pathlib import Path

import pytest

from evalharness.cli import main
from evalharness.demo.drawing import draw
from evalharness.demo.look import Look

LAB = Path(__file__).parents[2] / "shared" / "harmony-lab"
LOOKS = {
    "happy": {"emotion": "happy"},
    "surprised": {"emotion": "surprised"},
    "mouthless": {"faults": ("missing_mouth",)},
    "panels": {"faults": ("several_panels",)},
}


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four drawings with true labels, but for one: the surprised face is called sad, and perfect at that."""
    folder = tmp_path_factory.mktemp("labelled")
    for name, words in LOOKS.items():
        draw(Look(seed=5, **words), 256).image.save(folder / f"{name}.png")
    rows = [
        {"file": "happy.png", "multiple": 0, "mouth": "present", "eyes": "both", "emotion_seen": "happy", "stars": 3},
        {"file": "surprised.png", "multiple": 0, "mouth": "present", "eyes": "both", "emotion_seen": "sad", "stars": 3},
        {"file": "mouthless.png", "multiple": 0, "mouth": "absent", "eyes": "both", "emotion_seen": "none", "stars": 1},
        {"file": "panels.png", "multiple": 1, "mouth": "unclear", "eyes": "unclear", "stars": 1},
    ]
    asked = {"happy.png": "happy", "surprised.png": "sad"}
    with (folder / "labels.csv").open("w", newline="") as text:
        writer = csv.DictWriter(
            text, ["file", "multiple", "mouth", "eyes", "emotion_seen", "stars", "prompted"], restval=""
        )
        writer.writeheader()
        writer.writerows([row | {"prompted": asked.get(str(row["file"]), "neutral")} for row in rows])
    return folder


@pytest.fixture(scope="module")
def out(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibration")
    assert main(["calibrate", str(labelled), f"folder={folder}"]) == 0
    return folder


def test_every_figure_is_written_with_its_images_and_interval(out: Path) -> None:
    figures = json.loads((out / "agreement.json").read_text())
    assert sorted(figures) == [
        "emotion_accuracy",
        "emotion_macro_f1",
        "eyes_f1",
        "images_per_second",
        "mouth_missing_f1",
        "one_face_recall",
        "several_precision",
        "several_recall",
        "stars_kappa",
    ]
    assert all(set(figure) == {"value", "n", "low", "high"} for figure in figures.values())
    assert figures["one_face_recall"]["value"] == 1.0
    assert figures["several_recall"]["value"] == 1.0
    assert figures["mouth_missing_f1"]["value"] == 1.0
    assert figures["emotion_accuracy"] | {"low": 0, "high": 0} == {"value": 0.5, "n": 2, "low": 0, "high": 0}
    assert figures["images_per_second"]["value"] > 0


def test_page_shows_the_image_that_was_labelled_wrongly_first(out: Path) -> None:
    page = (out / "calibration.html").read_text()
    shown = re.findall(r"<strong><bdi>(.+?)</bdi>", page)
    assert shown[0] == "surprised.png"
    assert not {"mouthless.png", "panels.png"} & set(shown)
    assert "http" not in page.replace("http-equiv", "")


def test_table_is_printed(labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["calibrate", str(labelled / "labels.csv"), f"folder={tmp_path}"])
    shown = capsys.readouterr().out
    assert "stars kappa" in shown
    assert str(tmp_path / "calibration.html") in shown


def test_unreadable_image_is_one_sentence_with_exit_code_2(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(b"no image")
    (tmp_path / "labels.csv").write_text("file,stars\na.png,1\n")
    assert main(["calibrate", str(tmp_path), f"folder={tmp_path / 'out'}"]) == 2
    assert "cannot be read as an image" in capsys.readouterr().err


@pytest.mark.skipif(not LAB.is_dir(), reason="the labelled real images (shared/harmony-lab) are not there")
def test_real_collages_are_found(tmp_path: Path) -> None:
    with (LAB / "labels.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    few = [row for row in rows if row["multiple"] == "1"][:3] + [row for row in rows if row["stars"] == "3"][:3]
    with (tmp_path / "labels.csv").open("w", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows([row | {"file": str(LAB / "images" / row["file"])} for row in few])
    assert main(["calibrate", str(tmp_path), f"folder={tmp_path / 'out'}"]) == 0
    assert json.loads((tmp_path / "out" / "agreement.json").read_text())["several_recall"]["value"] == 1.0


def test_fit_of_four_images_is_refused_in_one_sentence(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", str(labelled), "--fit", f"folder={tmp_path}"]) == 2
    captured = capsys.readouterr()
    assert "a fit needs 20 or more" in captured.err
    assert "stars kappa" in captured.out, "the agreement is worth printing all the same"
    assert not (tmp_path / "conf").exists()


@pytest.mark.skipif(not LAB.is_dir(), reason="the labelled real images (shared/harmony-lab) are not there")
def test_net_finds_missing_mouths_of_real_faces_that_the_rules_do_not(tmp_path: Path) -> None:
    with (LAB / "labels.csv").open(newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["multiple"] == "0"]
    # all that lack a mouth, and as many that have one
    few = [row for word in ("absent", "present") for row in [row for row in rows if row["mouth"] == word][:6]]
    with (tmp_path / "labels.csv").open("w", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows([row | {"file": str(LAB / "images" / row["file"])} for row in few])
    found = {}
    for parts in ("net", "rules"):
        out = tmp_path / parts
        assert main(["calibrate", str(tmp_path), f"folder={out}", f"suite.perception.parts={parts}"]) == 0
        found[parts] = json.loads((out / "agreement.json").read_text())["mouth_missing_f1"]["value"]
    assert found["net"] >= 0.8
    assert found["net"] > found["rules"]
