"""Ctrl-C: the batch in flight is finished and kept, the second one ends at once, and the same command goes on."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import small_run
import stopping

from evalharness.interrupt import patient
from evalharness.types import Advance

IMAGES = 45
BATCH = 2


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    small_run.write_inputs(tmp_path / "inputs")
    return tmp_path / "inputs"


def start(inputs: Path, run: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, small_run.__file__, *small_run.arguments(inputs, run, *more)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def stored(run: Path) -> int:
    """Images whose batch is recorded."""
    if not (run / "run.sqlite").is_file():
        return 0
    database = sqlite3.connect(f"file:{run / 'run.sqlite'}?mode=ro", uri=True, timeout=10)
    try:
        (count,) = database.execute("select count(*) from images").fetchone()
    except sqlite3.OperationalError:  # its tables are being made
        count = 0
    finally:
        database.close()
    return int(count)


def start_held(inputs: Path, run: Path) -> subprocess.Popen[str]:
    """A run that stands still within its second batch."""
    words = small_run.arguments(inputs, run, "backend.options.delay=0.01")
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = stopping.command("hold", 2, "small_run", words, **streams)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def interrupt(process: subprocess.Popen[str]) -> None:
    """Send the first Ctrl-C, and wait until it is heard."""
    os.kill(process.pid, signal.SIGINT)
    assert process.stderr is not None
    assert "finishing the batch in flight" in process.stderr.readline() + process.stderr.readline()


def test_first_ctrl_c_ends_after_the_batch_and_the_same_command_goes_on(inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start_held(inputs, run)
    interrupt(process)
    output, errors = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "the same command goes on:\n  evalharness run --config-dir" in errors
    assert "backend.options.delay=0.01" in errors
    assert output == ""
    assert stored(run) == 2 * BATCH, "the batch in flight is lost, or more than it was made"

    process = start(inputs, run)
    process.communicate()
    assert process.returncode in (0, 3, 4)
    assert stored(run) == IMAGES


def test_second_ctrl_c_ends_at_once(inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start_held(inputs, run)
    interrupt(process)
    os.kill(process.pid, signal.SIGINT)
    process.wait(timeout=120)  # its input stays open: it is still held
    _, errors = process.communicate()

    assert process.returncode == 130
    assert "Traceback" not in errors
    assert stored(run) == BATCH, "the batch in flight was waited for"


@contextmanager
def silent(name: str, total: int) -> Iterator[Advance]:
    yield lambda count: None


def test_between_phases_ctrl_c_ends_at_once() -> None:
    """Nothing is in flight while a model is loaded or a verdict is made."""
    with pytest.raises(KeyboardInterrupt), patient(silent) as progress:
        with progress("images", 1) as advance:
            advance(1)
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_the_last_batch_ends_the_run_before_the_next_phase() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt), patient(silent) as progress:
        with progress("images", 1):
            os.kill(os.getpid(), signal.SIGINT)
        reached.append("next phase")
    assert reached == []


def test_a_signal_that_somebody_else_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with patient(silent) as progress, progress("images", 1) as advance:
            os.kill(os.getpid(), signal.SIGINT)
            advance(1)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
