"""The watch beside a training: every whole file judged once, in one run, whatever the trainer does meanwhile."""

import fcntl
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import fake_trainer
import pytest
import small_run
import stopping

CELLS = 3 * 3 * 2
"""Prompts x seeds x strengths: a save's images; the baseline has half of it."""


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    small_run.write_inputs(tmp_path / "inputs")
    for path in (tmp_path / "inputs").glob("*.safetensors"):
        path.unlink()
    return tmp_path / "inputs"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The trainer's folder."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def command(inputs: Path, run: Path, *more: str) -> list[str]:
    """The command line of a watch that looks often, without its verb."""
    return [
        *("--config-dir", str(inputs), "suite=small", "backend=fake", "perception=brightness", "backend.batch_size=2"),
        *(f"folder='{run}'", *more),
    ]


def start(out: Path, inputs: Path, run: Path, *more: str) -> subprocess.Popen[str]:
    words = ["watch", str(out), "--poll", "0.05", *command(inputs, run, *more)]
    line = [sys.executable, small_run.__file__, *words]
    return subprocess.Popen(line, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def save(out: Path, *epochs: int) -> None:
    """Whole files, oldest first."""
    for epoch in epochs:
        path = fake_trainer.name(out, epoch)
        path.write_bytes(fake_trainer.weights(epoch))
        os.utime(path, ns=(epoch * 10**9, epoch * 10**9))


def images(run: Path) -> int:
    return len(list(run.glob("images/*/*.png")))


def recorded(run: Path) -> list[Path]:
    """The images that the run folder knows of."""
    with sqlite3.connect(run / "run.sqlite") as database:
        paths = [run / path for (path,) in database.execute("select path from images where path is not null")]
    database.close()
    return paths


def judged(run: Path) -> list[str]:
    return [verdict["subject"] for verdict in json.loads((run / "verdict.json").read_text())["verdicts"]]


def watched(run: Path) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = json.loads((run / "watched.json").read_text())
    return entries


def in_process(*words: str) -> int:
    return small_run.main(list(words))


def watch_once(out: Path, inputs: Path, run: Path, *more: str) -> int:
    return in_process("watch", str(out), "--poll", "0.01", "--once", *command(inputs, run, *more))


def test_every_epoch_is_judged_once_while_the_trainer_writes_halves_and_deletes_old_ones(
    out: Path, inputs: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = start(out, inputs, run, "--until", "5", "--timeout", "100")
    training = subprocess.Popen([sys.executable, fake_trainer.__file__, str(out), "5", "1", "0.15", str(run)])
    output, errors = process.communicate()
    training.communicate()

    names = [f"girl-{epoch:06}" for epoch in range(1, 6)]
    assert process.returncode == 0, errors
    assert judged(run) == names
    assert [path.stem for path in out.iterdir()] == names[-1:], "the trainer deleted nothing: nothing was tested"
    assert images(run) == 5 * CELLS + CELLS // 2
    assert [output.count(f"PROMOTE       {name} (epoch") for name in names] == [1] * 5
    assert "5 saves were judged, as asked." in output
    assert all(name in (run / "report.html").read_text() for name in names)
    assert not list((run / "copies").iterdir()), "copies of judged files are needed no more"


def test_killed_watch_goes_on_with_files_that_are_gone_and_ends_like_an_unbroken_run(
    out: Path, inputs: Path, tmp_path: Path
) -> None:
    run, archive = tmp_path / "run", tmp_path / "archive"
    archive.mkdir()
    save(archive, 1, 2, 3)
    save(out, 1, 2)
    # in the middle of the second save's images
    stopping.killed(CELLS // 2 + CELLS + 4, "small_run", ["watch", str(out), "--poll", "0.05", *command(inputs, run)])
    # a file whose record the kill forestalled belongs to the batch in flight, which is made again
    before = {path: path.stat().st_mtime_ns for path in recorded(run)}
    assert CELLS // 2 + CELLS <= len(before) < CELLS // 2 + 2 * CELLS, "it was killed too late: nothing was tested"
    for epoch in (1, 2):
        fake_trainer.name(out, epoch).unlink()
    save(out, 3)
    process = start(out, inputs, run, "--once")
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "girl-000001" not in output.split("\n", 2)[2].split("\n")[0], "the first save was judged before"

    small_run.main(["run", *command(inputs, tmp_path / "whole", f"subjects=['{archive}/*.safetensors']")])
    assert json.loads((run / "verdict.json").read_text()) == json.loads((tmp_path / "whole/verdict.json").read_text())
    assert {path: path.stat().st_mtime_ns for path in before} == before, "no image is made again"


def test_nothing_is_judged_twice_under_any_name(
    out: Path, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    save(out, 1)
    watch_once(out, inputs, run)
    (out / "copy-of-it.safetensors").write_bytes(fake_trainer.weights(1))
    capsys.readouterr()
    assert watch_once(out, inputs, run) == 0
    assert judged(run) == ["girl-000001"]
    assert "PROMOTE" not in capsys.readouterr().out


def test_file_that_a_trainer_overwrites_is_another_subject_and_the_old_one_stays(
    out: Path, inputs: Path, tmp_path: Path
) -> None:
    run, last = tmp_path / "run", out / "last.safetensors"
    for epoch in (1, 2):
        last.write_bytes(fake_trainer.weights(epoch))
        watch_once(out, inputs, run)
    first, second = judged(run)
    assert first == "last"
    assert second.startswith("last (")
    assert images(run) == 2 * CELLS + CELLS // 2


def test_file_that_is_never_whole_is_named_and_not_taken(
    out: Path, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "cut.safetensors").write_bytes(fake_trainer.weights(1)[:-4])
    assert watch_once(out, inputs, tmp_path / "run") == 0
    errors = capsys.readouterr().err
    assert errors.count("cut.safetensors' is truncated") == 1
    assert judged(tmp_path / "run") == []


def test_refused_file_is_said_and_the_others_are_judged(
    out: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evalharness.backends.fake import FakeMaker
    from evalharness.errors import SubjectError
    from evalharness.types import Subject

    proven: list[str] = []

    def prove(self: FakeMaker, subject: Subject) -> None:
        proven.append(subject.name)
        if subject.epoch == 1:
            raise SubjectError("girl-000001: 2 of 4 keys hold NaN or infinity.")

    monkeypatch.setattr(FakeMaker, "prove", prove)
    save(out, 1, 2)
    for _ in range(2):
        assert watch_once(out, inputs, tmp_path / "run") == 0
    assert "'girl-000001' is left out: girl-000001: 2 of 4 keys hold NaN" in capsys.readouterr().err
    assert judged(tmp_path / "run") == ["girl-000002"]
    assert proven.count("girl-000001") == 1, "a refused file is not tried again"
    assert not list((tmp_path / "run" / "copies").iterdir())


def test_it_says_when_training_can_stop_and_runs_the_command(
    out: Path, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(out, 1, 2, 3, 4)
    told = tmp_path / "told"
    more = ("--stop-after", "2", "--on-stop", f"echo $EVALHARNESS_BEST $EVALHARNESS_RUN > '{told}'")
    assert watch_once(out, inputs, tmp_path / "run", *more) == 0
    assert "you can stop training: the last 2 saves left girl-000001 the best." in capsys.readouterr().out
    assert judged(tmp_path / "run") == ["girl-000001", "girl-000002", "girl-000003"], "the fourth is left for later"
    assert told.read_text().split() == ["girl-000001", str(tmp_path / "run")]


def test_failing_stop_command_ends_with_1(out: Path, inputs: Path, tmp_path: Path) -> None:
    save(out, 1, 2)
    assert watch_once(out, inputs, tmp_path / "run", "--stop-after", "1", "--on-stop", "exit 7") == 1


def test_rejected_leader_is_no_reason_to_stop(
    out: Path, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(out, 1, 2, 3)
    gate = "suite.gates=[{metric: faces, at_least: 1.5, minimum_scored: 1}]"
    assert watch_once(out, inputs, tmp_path / "run", "--stop-after", "1", gate) == 0
    assert "you can stop" not in capsys.readouterr().out
    assert len(judged(tmp_path / "run")) == 3


def test_best_is_kept_when_the_trainer_deletes_it(out: Path, inputs: Path, tmp_path: Path) -> None:
    run, best = tmp_path / "run", tmp_path / "best"
    save(out, 1)
    watch_once(out, inputs, run, "--keep-best", str(best))
    fake_trainer.name(out, 1).unlink()
    save(out, 2)
    watch_once(out, inputs, run, "--keep-best", str(best))

    note = json.loads((best / "best.json").read_text())
    assert (note["subject"], note["file"], note["verdict"]) == ("girl-000001", "girl-000001.safetensors", "PROMOTE")
    assert (best / note["file"]).read_bytes() == fake_trainer.weights(1)
    assert sorted(path.name for path in best.iterdir()) == ["best.json", "girl-000001.safetensors"]
    promoted = tmp_path / "promoted"
    assert in_process("promote", str(run), "--subject", "girl-000001", "--to", str(promoted)) == 0
    (copied,) = promoted.glob("*/*.safetensors")
    assert copied.read_bytes() == fake_trainer.weights(1), "what is gone can still be promoted"


def test_nothing_is_made_while_another_holds_the_lock(out: Path, inputs: Path, tmp_path: Path) -> None:
    run, lock = tmp_path / "run", tmp_path / "gpu.lock"
    save(out, 1)
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = start(out, inputs, run, "--until", "1", "--lock", str(lock), "--nice", "5")
        assert process.stderr is not None
        assert process.stderr.readline() == f"evalharness: waiting for the lock {lock}\n"
        time.sleep(0.3)
        assert images(run) == 0
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == os.getpriority(os.PRIO_PROCESS, 0) + 5
    output, _ = process.communicate()
    assert process.returncode == 0
    assert "PROMOTE       girl-000001 (epoch 1, step 100)" in output
    assert images(run) == CELLS + CELLS // 2


def test_run_that_nobody_watched_goes_on_growing(out: Path, inputs: Path, tmp_path: Path) -> None:
    run, earlier = tmp_path / "run", tmp_path / "earlier"
    earlier.mkdir()
    save(earlier, 1)
    small_run.main(["run", *command(inputs, run, f"subjects=['{earlier}/*.safetensors']")])
    save(out, 1, 2)
    watch_once(out, inputs, run)
    assert judged(run) == ["girl-000001", "girl-000002"]


def test_subjects_of_the_overrides_are_measured_beside_the_saves(out: Path, inputs: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    save(old, 9)
    save(out, 1, 9)
    watch_once(out, inputs, tmp_path / "run", f"subjects=['champion={fake_trainer.name(old, 9)}']")
    assert judged(tmp_path / "run") == ["champion", "girl-000001"]


def test_folders_of_saves_are_named_after_the_folder(out: Path, inputs: Path, tmp_path: Path) -> None:
    for step in (500, 1000):
        (out / f"checkpoint-{step}").mkdir()
        (out / f"checkpoint-{step}" / "pytorch_lora_weights.safetensors").write_bytes(fake_trainer.weights(step))
    (out / "checkpoint-500" / "model.safetensors").write_bytes(fake_trainer.weights(1))
    watch_once(out, inputs, tmp_path / "run")
    assert sorted(judged(tmp_path / "run")) == ["checkpoint-1000", "checkpoint-500"]


def test_failed_images_of_a_deleted_file_stay_unscored_and_are_not_tried_again(
    out: Path, inputs: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    save(out, 1)
    watch_once(out, inputs, run, "backend.options.fail_on=[sad]")
    fake_trainer.name(out, 1).unlink()
    save(out, 2)
    watch_once(out, inputs, run)
    gone, there = (
        sum(one["estimate"]["unscored"] for one in summaries(run) if one["subject"] == f"girl-00000{epoch}")
        for epoch in (1, 2)
    )
    assert (gone, there) == (CELLS // 3, 0)


def summaries(run: Path) -> list[dict[str, dict[str, int]]]:
    found: list[dict[str, dict[str, int]]] = json.loads((run / "verdict.json").read_text())["summaries"]
    return found


BAD_INPUT = {
    "no folder": (["watch", "/no/such/folder"], "'/no/such/folder' is not a folder"),
    "no suite": (["watch", "{out}", "--once", "suite=smal"], "unknown suite 'smal'"),
    "no tracker": (["watch", "{out}", "--once", "trackers=[tensorbord]"], "Did you mean 'tensorboard'?"),
    "stop command alone": (["watch", "{out}", "--on-stop", "true"], "--on-stop needs --stop-after"),
    "best among the saves": (["watch", "{out}", "--keep-best", "{out}"], "is the trainer's own folder"),
}


@pytest.mark.parametrize(("words", "sentence"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_ends_with_2_before_anything_is_made(
    words: list[str],
    sentence: str,
    out: Path,
    inputs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [word.replace("{out}", str(out)) for word in words]
    late = [word for word in command(inputs, tmp_path / "run") if not (word == "suite=small" and "suite=smal" in words)]
    assert in_process(*given[:2], *late, *given[2:]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "run" / "images").exists()


def test_file_is_taken_only_when_two_looks_found_it_the_same(out: Path) -> None:
    from evalharness.arrivals import PATTERNS, Arrivals

    asked: list[Path] = []
    arrivals = Arrivals(out, PATTERNS, print)
    path = fake_trainer.name(out, 1)
    # a file of its full size from the beginning, as some writers make it, whose content is still to come
    for moment in (1, 2, 2, 2, 3, 3):
        path.write_bytes(fake_trainer.weights(1))
        os.utime(path, ns=(moment, moment))
        arrivals.look(asked.append)  # type: ignore[arg-type]
        asked.append(Path(str(moment)))
    assert asked == [Path("1"), Path("2"), path, Path("2"), Path("2"), Path("3"), path, Path("3")]


def test_hidden_and_other_files_are_not_looked_at(out: Path) -> None:
    from evalharness.arrivals import PATTERNS, Arrivals

    asked: list[Path] = []
    for name in (".girl.safetensors", "girl.ckpt", "sub/girl.safetensors"):
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(fake_trainer.weights(1))
    arrivals = Arrivals(out, PATTERNS, print)
    for _ in range(3):
        arrivals.look(asked.append)  # type: ignore[arg-type]
    assert asked == []
