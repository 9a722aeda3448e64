"""The whole job through the real pipeline, on a plan of six images: checkpoint, LoRA, perception, gate, report."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import stopping
from PIL import Image

from evalharness.cli import main
from evalharness.record import load_run
from evalharness.types import BASELINE

EPOCH = "sakichan-000007"
SMALL = [
    f"subjects=['demo:loras/{EPOCH}.safetensors']",
    "suite.seeds=[1]",
    "suite.settings.steps=4",
    "backend.batch_size=2",
    """suite.prompts=[
      {id: a, text: "sakichan, 1girl, front view, happy", expect: {emotion: happy, hair_side: right, faces: 1},
       axes: {view: front, hair: kept}},
      {id: b, text: "sakichan, 1girl, front view, angry", expect: {emotion: angry, hair_side: right, faces: 1},
       axes: {view: front, hair: kept}},
      {id: c, text: "sakichan, 1girl, from behind", expect: {view: behind, hair_side: left, faces: 0},
       axes: {view: behind, hair: kept}}]""".replace("\n", " "),
]
CODES = (0, 3, 4)


def command(run: Path) -> list[str]:
    return ["run", *SMALL, f"folder='{run}'"]


def pixels(run: Path) -> dict[str, np.ndarray]:
    with sqlite3.connect(run / "run.sqlite") as database:
        paths = dict(database.execute("select key, path from images"))
    database.close()
    return {key: np.asarray(Image.open(run / path), np.int16) for key, path in paths.items()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("demo") / "run"
    assert main(command(run)) in CODES
    return run


def test_every_image_is_made_scored_and_reported(unbroken: Path) -> None:
    run = load_run(unbroken)

    assert {(cell.subject, cell.strength) for cell in run.cells} == {(BASELINE, 0.0), (EPOCH, 1.0)}
    assert len(pixels(unbroken)) == len(run.cells) == 6
    assert all(len(scores) == len(run.metrics) for scores in run.scores.values())
    assert [verdict.subject for verdict in run.judgement.verdicts] == [EPOCH]
    assert (unbroken / "report.html").stat().st_size > 10_000


def test_lora_changes_the_image_of_every_equal_draw(unbroken: Path) -> None:
    made, cells = pixels(unbroken), load_run(unbroken).cells
    base = {cell.pair_key: made[cell.key] for cell in cells if cell.subject == BASELINE}

    for cell in cells:
        if cell.subject == EPOCH:
            assert np.abs(made[cell.key] - base[cell.pair_key]).max() > 1


def test_run_record_names_weights_versions_and_machine(unbroken: Path) -> None:
    record = json.loads((unbroken / "run.json").read_text())

    assert record["format"] == 1
    assert len(record["suite_digest"]) == 64
    assert record["plan"]["subjects"][1]["epoch"] == 7
    assert len(record["plan"]["subjects"][1]["loras"][0]["digest"]) == 64
    assert record["maker"]["dtype"] == "float32"
    assert record["environment"]["packages"]["diffusers"]


def test_killed_demo_goes_on_to_the_same_images_and_verdict(unbroken: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    stopping.killed(3, "evalharness.cli", command(run))
    assert len(list(run.glob("images/*/*.png"))) == 3, "it was not killed within the second batch"

    assert main(command(run)) in CODES
    ours, theirs = pixels(run), pixels(unbroken)
    assert ours.keys() == theirs.keys()
    # other batches of the same draws: equal to within one 8-bit step
    assert all(np.abs(ours[key] - theirs[key]).max() <= 1 for key in ours)
    assert load_run(run).judgement.decision == load_run(unbroken).judgement.decision


def test_demo_in_two_shards_is_the_demo_bit_for_bit(unbroken: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for shard in ("1/2", "2/2"):
        assert main([*command(run), "--shard", shard]) == 0
    assert main(["merge", str(run)]) in CODES

    ours, theirs = pixels(run), pixels(unbroken)
    assert ours.keys() == theirs.keys()
    assert all((ours[key] == theirs[key]).all() for key in ours)
    assert load_run(run).scores == load_run(unbroken).scores
    assert load_run(run).judgement == load_run(unbroken).judgement
