"""The hook of a trainer: one save added to the growing run, and the trainer never fails for it."""

import fcntl
import subprocess
import sys
from pathlib import Path

import fake_trainer
import pytest
import small_run
from test_watch import CELLS, command, images, in_process, inputs, judged, out, save

__all__ = ["inputs", "out"]  # fixtures
NEVER = "suite.gates=[{metric: faces, at_least: 1.5, minimum_scored: 1}]"


def hook(file: Path, inputs: Path, run: Path, *more: str) -> int:
    return in_process("hook", str(file), "--run", str(run), *command(inputs, run)[:-1], *more)


def test_hook_adds_one_save_after_another(out: Path, inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "it's a run"
    for epoch in (1, 2):
        save(out, epoch)
        assert hook(fake_trainer.name(out, epoch), inputs, run) == 0
        fake_trainer.name(out, epoch).unlink()
    assert judged(run) == ["girl-000001", "girl-000002"]
    assert images(run) == 2 * CELLS + CELLS // 2


def test_hook_takes_the_folder_of_a_save_and_names_the_run_after_the_training(
    out: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = out / "checkpoint-2000"
    folder.mkdir()
    (folder / "pytorch_lora_weights.safetensors").write_bytes(fake_trainer.weights(1))
    (folder / "ema.safetensors").write_bytes(fake_trainer.weights(2))
    assert in_process("hook", str(folder), *command(inputs, tmp_path / "unused")[:-1]) == 0
    assert judged(tmp_path / "runs" / "small-watching-out") == ["checkpoint-2000"]


FAILURES = {
    "missing file": ("nowhere.safetensors", [], "No such file"),
    "half a file": ("cut.safetensors", [], "is truncated"),
    "misspelt suite": ("girl-000001.safetensors", ["suite=smal"], "unknown suite 'smal'"),
    "maker that breaks": ("girl-000001.safetensors", ["backend.options.delay=no"], "delay"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_trainer_does_not_fail_for_our_reasons_unless_it_is_strict(
    failure: tuple[str, list[str], str],
    out: Path,
    inputs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, more, sentence = failure
    save(out, 1)
    (out / "cut.safetensors").write_bytes(fake_trainer.weights(2)[:-1])
    for strict, code in (((), 0), (("--strict",), 2)):
        assert hook(out / name, inputs, tmp_path / "run", "--wait", "0.01", *more, *strict) == code
        errors = capsys.readouterr().err
        assert sentence in errors
        assert len(errors.strip().splitlines()) == 1


def test_strict_hook_ends_with_the_verdicts_code(out: Path, inputs: Path, tmp_path: Path) -> None:
    save(out, 1)
    assert hook(fake_trainer.name(out, 1), inputs, tmp_path / "run", NEVER) == 0
    assert hook(fake_trainer.name(out, 1), inputs, tmp_path / "run", NEVER, "--strict") == 3, "also the second time"


def test_strict_hook_knows_the_verdict_of_a_subject_of_the_overrides(out: Path, inputs: Path, tmp_path: Path) -> None:
    save(out, 1, 2)
    champion = f"subjects=['champion={fake_trainer.name(out, 1)}']"
    assert hook(fake_trainer.name(out, 2), inputs, tmp_path / "run", champion) == 0
    assert hook(fake_trainer.name(out, 1), inputs, tmp_path / "run", champion, NEVER, "--strict") == 0
    assert judged(tmp_path / "run") == ["champion", "girl-000002"]


def test_hooks_at_once_wait_for_each_other_and_judge_everything_once(out: Path, inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    save(out, 1, 2, 3)
    with (run / "scoring.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        processes = [start_hook(fake_trainer.name(out, epoch), inputs, run) for epoch in (1, 2, 3)]
        for process in processes:
            assert process.stderr is not None
            assert "waiting for the lock" in process.stderr.readline()
        for epoch in (1, 2, 3):
            fake_trainer.name(out, epoch).unlink()
        assert images(run) == 0
    told = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], told
    assert sorted(judged(run)) == ["girl-000001", "girl-000002", "girl-000003"]
    assert sum(output.count("PROMOTE") for output, _ in told) == 3
    assert images(run) == 3 * CELLS + CELLS // 2


def start_hook(file: Path, inputs: Path, run: Path) -> subprocess.Popen[str]:
    line = [sys.executable, small_run.__file__, "hook", str(file), *command(inputs, run)]
    return subprocess.Popen(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
