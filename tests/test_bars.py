"""What a terminal shows of a run: one line a phase, colours only where they are wanted."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import small_run

from evalharness.bars import bars

COLOR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    small_run.write_inputs(tmp_path / "inputs")
    return tmp_path / "inputs"


def on_terminal(command: list[str], *, stderr: bool, **variables: str) -> str:
    """All that a command writes to its standard or error output, which is a terminal of 120 columns."""
    ours, theirs = pty.openpty()
    here = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    streams = {"stderr": theirs, "stdout": subprocess.DEVNULL} if stderr else {"stdout": theirs}
    environment = {**here, "TERM": "xterm-256color", "COLUMNS": "120", **variables}
    process = subprocess.Popen(command, env=environment, **streams)  # type: ignore[call-overload]
    os.close(theirs)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    process.wait()
    return text.decode()


def test_adaptive_run_has_one_line_for_each_phase_however_often_it_looks(inputs: Path, tmp_path: Path) -> None:
    budget = "suite.budget={start: 1, tolerance: 0}"
    command = [sys.executable, small_run.__file__, *small_run.arguments(inputs, tmp_path / "run", budget)]
    shown = on_terminal(command, stderr=True)
    lines = shown.count("\n") - shown.count("\x1b[1A")

    assert "15/15" in shown and "30/30" in shown, "it looked only once: nothing was tested"
    assert lines == 2
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown[shown.rindex("images  ") :])
    assert "45/45" in last.splitlines()[0]
    assert "observations" in last
    assert last.count("45/45") == 2


def test_nothing_but_the_table_is_printed_where_there_is_no_terminal(inputs: Path, tmp_path: Path) -> None:
    command = [sys.executable, small_run.__file__, *small_run.arguments(inputs, tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_phase_with_nothing_to_do_has_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with bars() as progress, progress("images", 0) as advance:
        advance(0)
    assert capsys.readouterr().err == ""


def test_colours_are_on_a_terminal_and_not_where_they_are_not_wanted(inputs: Path, tmp_path: Path) -> None:
    run = [sys.executable, small_run.__file__, *small_run.arguments(inputs, tmp_path / "run")]
    assert COLOR.search(on_terminal(run, stderr=False))
    assert not COLOR.search(on_terminal(run, stderr=False, NO_COLOR="1"))
