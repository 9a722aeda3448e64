"""kill -9 anywhere: the same command goes on, and what it ends with is what an unbroken run ends with, to the byte."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import forked
import small_run

KILLED = -9
FINISHED = (0, 3, 4)
IMAGES = 3 * 1 * (1 + 2 * 1)
"""Prompts x seeds x (baseline + two LoRAs at one strength)."""


def outcome(run: Path) -> Mapping[str, object]:
    """All that a run made, saw, scored and concluded, as bytes."""
    with sqlite3.connect(run / "run.sqlite") as database:
        tables = {name: sorted(database.execute(f"select * from {name}")) for name in TABLES}
    database.close()
    files = {path.name: path.read_bytes() for path in run.glob("images/*/*")}
    return {**tables, "files": files, "verdict": (run / "verdict.json").read_bytes()}


TABLES = ("images", "observations", "scores")


def kill_and_resume(words: Sequence[str], kills: int, folder: Path, config_dir: Path) -> list[int]:
    """Kill as many runs, each in a folder of its own and at a point of its own; then each goes on to its end.

    Returns how many images each had when it was killed; asserts that nothing else ended any of them.
    """
    chance = random.Random(4)
    folders = [str(folder / str(number)) for number in range(kills)]
    # one point in each of as many equal parts of the way
    points = [(number + chance.random()) / kills for number in range(kills)]
    job = {"config": words, "config_dir": str(config_dir)}

    assert forks({**job, "runs": list(zip(folders, points, strict=True))}, folder) == [KILLED] * kills
    made = [len(list(Path(one).glob("images/*/*.png"))) for one in folders]
    ended = forks({**job, "runs": [(one, None) for one in (str(folder / "unbroken"), *folders)]}, folder)
    assert set(ended) <= set(FINISHED)
    return made


def forks(job: Mapping[str, object], folder: Path) -> list[int]:
    """The exit codes of forked.py's runs."""
    (folder / "job.json").write_text(json.dumps(job))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, forked.__file__, str(folder / "job.json")]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    codes: list[int] = json.loads(done.stdout)
    return codes


def test_run_killed_at_any_of_fifty_points_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    small_run.write_inputs(inputs)
    words = small_run.arguments(inputs, tmp_path, "suite.seeds=[1]", "suite.strengths=[1.0]")[3:]
    made = kill_and_resume(words, 50, tmp_path, inputs)

    assert {0, IMAGES} < set(made), "the points are not spread over the run"
    assert sum(0 < count < IMAGES for count in made) > 10, "hardly any kill came between two batches"
    expected = outcome(tmp_path / "unbroken")
    assert [number for number in range(50) if outcome(tmp_path / str(number)) != expected] == []


DEMO = [
    "suite=demo",
    # the pipeline is what takes time here; the real perceiver is killed in test_demo_run.py
    "perception=brightness",
    "suite.perception=null",
    "subjects=['demo:loras/sakichan-000007.safetensors']",
    "suite.seeds=[1]",
    "suite.settings.steps=2",
    # alone, an image is the same to the bit whatever was made before it
    "backend.batch_size=1",
    """suite.prompts=[
      {id: a, text: "sakichan, 1girl, front view, happy", expect: {faces: 1}, axes: {view: front, hair: kept}},
      {id: b, text: "sakichan, 1girl, from behind", expect: {faces: 0}, axes: {view: behind, hair: kept}}]
    """.replace("\n", " ").strip(),
]


def test_demo_killed_at_five_points_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    small_run.write_inputs(tmp_path / "inputs")
    made = kill_and_resume(DEMO, 5, tmp_path, tmp_path / "inputs")

    assert any(0 < count < 4 for count in made), "no kill came between two images"
    expected = outcome(tmp_path / "unbroken")
    assert len(expected["files"]) == 4  # type: ignore[arg-type]
    assert [number for number in range(5) if outcome(tmp_path / str(number)) != expected] == []
