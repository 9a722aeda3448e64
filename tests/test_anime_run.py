"""Whole runs with perception=anime on stand-ins, from the command line; and offline perception stays the default."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import small_run
import stand_ins
from PIL import Image

from evalharness.cli import main
from evalharness.config import compose
from evalharness.lookers import LEAST
from evalharness.models.fetch import fetch
from evalharness.models.table import find_model
from evalharness.perception.anime.perceiver import AnimePerceiver
from evalharness.record import load_run
from evalharness.registry import find
from evalharness.types import FinishedRun, Observation, Score

SUITE = """
name: tags
prompts:
  - id: red
    text: "1girl, solo, (smile:1.2), hat, masterpiece, <lora:girl:1>"
    axes: {what: red}
    expect: {emotion: happy, forbid: [rope, watermark, corrupted]}
  - id: green
    text: "1girl, solo, frown"
    axes: {what: green}
    expect: {emotion: angry, forbid: [rope, watermark, corrupted]}
seeds: [1]
references: '%s'
scorers: [artifacts, faces, harmony, identity, prompt_tag_precision, prompt_tags]
gates:
  - {metric: prompt_tags, at_least: 0.2, minimum_scored: 1}
files: {pattern: "{what}_{variant}.png"}
"""
RED, GREEN, PINK = (250, 10, 10), (10, 250, 10), (250, 40, 40)


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins in the cache, a suite, two pictures to judge and three references, all below one folder."""
    stand_ins.install(tmp_path / "models", monkeypatch)
    fetch(find_model("ai-corrupt-caformer-s36-v0-focal"))
    small_run.write_inputs(tmp_path / "inputs")
    folder = tmp_path / "inputs"
    (folder / "suites" / "tags.yaml").write_text(SUITE % (folder / "references"))
    for name, color in (("red_1", RED), ("green_1", GREEN)):
        save(folder / "pictures" / f"{name}.png", color)
    for number, color in enumerate((RED, PINK, (230, 10, 30))):
        save(folder / "references" / f"{number}.png", color)
    return folder


def save(path: Path, color: tuple[int, int, int]) -> None:
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (96, 96), color).save(path)


def score(inputs: Path, run: Path, *more: str) -> int:
    return main(
        [
            "score",
            str(inputs / "pictures"),
            "--config-dir",
            str(inputs),
            "suite=tags",
            "perception=anime",
            "perception.options.threads=1",
            f"folder='{run}'",
            *more,
        ]
    )


def scores_of(finished: FinishedRun) -> dict[tuple[str, str], Score]:
    return {(cell.prompt.id, one.metric): one for cell in finished.cells for one in finished.scores[cell.key]}


def test_existing_images_are_judged_by_tags_and_every_score_says_by_whom(inputs: Path, tmp_path: Path) -> None:
    assert score(inputs, tmp_path / "run") in (0, 3, 4)

    found = scores_of(load_run(tmp_path / "run"))
    assert found["red", "prompt_tags"].value == 0.75
    assert "missing: hat" in found["red", "prompt_tags"].reason
    assert found["red", "artifacts"].value == 1.0
    assert "no rope by wd-swinv2-tagger-v3" in found["red", "artifacts"].reason
    assert found["green", "artifacts"].value == 0.0
    assert "rope seen by wd-swinv2-tagger-v3" in found["green", "artifacts"].reason
    assert (found["red", "harmony"].value or 0.0) > 0.3
    assert "read by wd-swinv2-tagger-v3" in found["red", "harmony"].reason
    assert found["red", "identity"].value == 1.0
    assert found["green", "identity"].value == 0.0
    assert (tmp_path / "run" / "report.html").is_file()


def test_another_model_looks_again_and_the_same_one_does_not(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score(inputs, tmp_path / "run")
    for one in (tmp_path / "models" / "hub").rglob("model.onnx"):
        one.unlink()
    assert score(inputs, tmp_path / "run") in (0, 3, 4), "what was seen needs no model"
    assert score(inputs, tmp_path / "run", "perception.options.models.tagger=wd-vit-tagger-v3") == 2


def test_images_are_generated_and_looked_at_by_the_anime_tier(inputs: Path, tmp_path: Path) -> None:
    code = main(
        [
            *small_run.arguments(inputs, tmp_path / "run", "suite=tags", "perception=anime"),
            "perception.options.models={tagger: wd-swinv2-tagger-v3, identity: null, corruption: null, faces: null}",
        ]
    )
    assert code in (0, 3, 4)
    finished = load_run(tmp_path / "run")
    assert len(finished.cells) == 2 * (1 + 2)
    judged = [one for one in scores_of(finished).values() if one.metric == "prompt_tags"]
    assert all(one.value is not None and "seen by wd-swinv2-tagger-v3" in one.reason for one in judged)
    assert all("needs a vision model" in one.reason for one in scores_of(finished).values() if one.metric == "identity")


def test_images_are_looked_at_in_a_process_of_its_own(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here: list[int] = []
    observe = AnimePerceiver.observe

    def counted(self: AnimePerceiver, images: Sequence[Image.Image]) -> list[Observation]:
        here.append(len(images))
        return observe(self, images)

    monkeypatch.setattr(AnimePerceiver, "observe", counted)
    for number in range(LEAST):
        save(inputs / "pictures" / f"red_{number + 2}.png", (250, 10, number))
    assert score(inputs, tmp_path / "run", "perception.workers=1", "perception.options.models.corruption=null") != 2
    judged = [one for one in scores_of(load_run(tmp_path / "run")).values() if one.metric == "prompt_tags"]
    assert all(one.value is not None for one in judged)
    assert sum(here) == 3, "only the references were looked at in this process"


def test_missing_models_end_with_2_and_the_fetch_command(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_ins.use_cache(tmp_path / "nothing" / "hub", monkeypatch)
    assert score(inputs, tmp_path / "run", "perception.options.models.corruption=null") == 2
    assert "evalharness models fetch wd-swinv2-tagger-v3" in capsys.readouterr().err


def test_offline_perception_is_the_default_and_looks_with_no_model(inputs: Path) -> None:
    assert compose(["suite=tags", "subjects=[]"], inputs).perception.name == "offline"
    assert compose(["suite=demo"]).perception.name == "offline"


def test_options_that_a_suite_presets_for_offline_perception_hold_in_the_anime_tier(inputs: Path) -> None:
    config = compose(["suite=demo", "perception=anime", "+suite.perception.parts=rules"])
    perceiver = find("perception", config.perception.name)(**config.perception.options)
    fingerprint = perceiver.fingerprint()
    assert fingerprint["offline parts"] == "rules"
    assert str(fingerprint["tagger"]).startswith("wd-swinv2-tagger-v3 ")
