"""The main job from the command line: made once, resumed after anything, refused with one sentence."""

import io
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_run
import stopping
from PIL import Image
from safetensors.numpy import save_file

Command = Callable[..., int]
IMAGES = 3 * 3 * (1 + 2 * 2)
"""Prompts x seeds x (baseline + two LoRAs at two strengths)."""


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    small_run.write_inputs(tmp_path / "inputs")
    return tmp_path / "inputs"


def start(inputs: Path, run: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, small_run.__file__, *small_run.arguments(inputs, run, *more)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def result(run: Path) -> dict[str, object]:
    """All that a run concluded and made: verdict, scores, and the pixels of every image."""
    with sqlite3.connect(run / "run.sqlite") as database:
        scores = sorted(database.execute("select key, body from scores"))
        paths = sorted(database.execute("select key, path from images"))
    database.close()
    pixels = {key: Image.open(run / path).tobytes() for key, path in paths}
    return {"verdict": json.loads((run / "verdict.json").read_text()), "scores": scores, "pixels": pixels}


def test_run_makes_every_cell_and_prints_subjects_and_verdicts(inputs: Path, tmp_path: Path) -> None:
    output, errors = (process := start(inputs, tmp_path / "run")).communicate()

    assert process.returncode in (0, 3, 4), errors
    assert len(result(tmp_path / "run")["pixels"]) == IMAGES  # type: ignore[arg-type]
    for word in ("girl-000001 @ 0.5", "girl-000002 @ 1", "baseline", "report.html", "exit code"):
        assert word in output
    assert (tmp_path / "run" / "report.html").is_file()


def test_exit_code_is_the_verdicts(inputs: Path, tmp_path: Path) -> None:
    gate = "suite.gates=[{metric: faces, at_least: %s, minimum_scored: 1}]"
    codes = {
        wanted: (process := start(inputs, tmp_path / f"run{wanted}", gate % wanted)).communicate()
        and process.returncode
        for wanted in (0.0, 1.5)
    }
    assert codes == {0.0: 0, 1.5: 3}


def test_same_command_again_makes_nothing(inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start(inputs, run).communicate()
    before = {path: path.stat().st_mtime_ns for path in run.glob("images/*/*.png")}
    first = result(run)
    start(inputs, run).communicate()

    assert {path: path.stat().st_mtime_ns for path in run.glob("images/*/*.png")} == before
    assert result(run) == first


def test_killed_run_goes_on_and_ends_like_an_unbroken_one(inputs: Path, tmp_path: Path) -> None:
    start(inputs, tmp_path / "unbroken").communicate()
    moments = random.Random(1)
    run = tmp_path / "broken"
    stopped_at = []
    for _ in range(4):
        stopping.killed(moments.randint(3, 9), "small_run", small_run.arguments(inputs, run))
        stopped_at.append(len(list(run.glob("images/*/*.png"))))
    process = start(inputs, run)
    _, errors = process.communicate()

    assert stopped_at == sorted(set(stopped_at)), "a run did not go on from where it was killed"
    assert process.returncode in (0, 3, 4), errors
    assert result(run) == result(tmp_path / "unbroken")


def test_failed_image_is_unscored_with_its_reason_and_counted(inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start(inputs, run, "backend.options.fail_on=[sad]").communicate()
    with sqlite3.connect(run / "run.sqlite") as database:
        bodies = [json.loads(body) for (body,) in database.execute("select body from scores")]
    database.close()
    unscored = [score for scores in bodies for score in scores if score["value"] is None]

    assert len(unscored) == IMAGES // 3
    assert "told to fail on prompt 'sad'" in unscored[0]["reason"]


def test_dry_run_counts_and_makes_nothing(inputs: Path, tmp_path: Path) -> None:
    output, _ = start(inputs, tmp_path / "run", "--dry-run").communicate()

    assert f"{IMAGES} images of 3 prompts, {IMAGES} of them to make" in output
    assert not (tmp_path / "run").exists()


def test_lora_that_changes_no_pixel_is_refused(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from evalharness.backends.fake import FakeMaker

    same = Image.fromarray(np.full((64, 64, 3), 200, np.uint8))
    monkeypatch.setattr(FakeMaker, "generate", lambda self, subject, cells: [same] * len(cells))
    code, errors = in_process(small_run.arguments(inputs, tmp_path / "run"), monkeypatch)

    assert code == 2
    assert "'girl-000001' changes no pixel of the base's images at strength 0.5" in errors
    with sqlite3.connect(tmp_path / "run" / "run.sqlite") as database:
        assert database.execute("select count(*) from images").fetchone() == (9,), "only the baseline may be stored"
    database.close()


BAD_INPUT = {
    "unknown suite": (["suite=smal"], "unknown suite 'smal'. Did you mean 'small'?"),
    "misspelt key": (["backend.batchsize=2"], "Did you mean 'batch_size'?"),
    "misspelt suite key": (["suite.seed=[1]"], "Did you mean 'seeds'?"),
    "unknown scorer": (["suite.scorers=[harmny]"], "Did you mean 'harmony'?"),
    "missing model": (["backend=diffusers", "backend.model=/no/such/model"], "/no/such/model"),
    "missing LoRA": (["subjects=[/no/such.safetensors]"], "no file matches '/no/such.safetensors'"),
}


@pytest.mark.parametrize(("more", "sentence"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_ends_with_code_2_and_one_sentence(
    more: list[str], sentence: str, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, errors = in_process([*small_run.arguments(inputs, tmp_path / "run"), *more], monkeypatch)

    assert code == 2
    assert sentence in errors
    assert len(errors.strip().splitlines()) == 1


def test_truncated_lora_ends_with_code_2(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = inputs / "girl-000001.safetensors"
    whole.write_bytes(whole.read_bytes()[:-4])
    code, errors = in_process(small_run.arguments(inputs, tmp_path / "run"), monkeypatch)

    assert code == 2
    assert "girl-000001.safetensors" in errors


def test_same_weights_under_two_names_are_one_subject_too_many(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file({"lora_A.weight": np.ones((2, 2), np.float32)}, inputs / "x.safetensors")
    save_file({"lora_A.weight": np.ones((2, 2), np.float32)}, inputs / "y.safetensors")
    code, errors = in_process(small_run.arguments(inputs, tmp_path / "run"), monkeypatch)

    assert code == 2
    assert "x.safetensors" in errors
    assert "y.safetensors" in errors


def in_process(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Exit code and error output of a command, without a new process."""
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stderr", errors)
    return small_run.main(arguments), errors.getvalue()


def test_lora_that_only_rounds_otherwise_is_refused(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evalharness.backends.fake import FakeMaker

    def one_step(self: FakeMaker, subject: object, cells: list[object]) -> list[Image.Image]:
        value = 200 if getattr(subject, "identity") == "base" else 201  # noqa: B009 - any subject will do
        return [Image.fromarray(np.full((64, 64, 3), value, np.uint8)) for _ in cells]

    monkeypatch.setattr(FakeMaker, "generate", one_step)
    code, errors = in_process(small_run.arguments(inputs, tmp_path / "run"), monkeypatch)

    assert code == 2
    assert "changes no pixel" in errors


def test_gate_about_a_strength_that_is_not_measured_is_refused_before_any_image(inputs: Path, tmp_path: Path) -> None:
    gate = "suite.gates=[{metric: faces, at_least: 0.5, where: {strength: 0.7}}]"
    _, errors = (process := start(inputs, tmp_path / "run", gate)).communicate()

    assert process.returncode == 2
    assert "unknown value of where.strength '0.7'. Did you mean '0.5'? Known: 0, 0.5, 1." in errors
    assert not list((tmp_path / "run").rglob("*.png"))
