"""A shell that has read our script completes verbs, flags, suites and runs; each shell is really asked."""

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import evalharness
from evalharness.cli import main

ROOT = Path(evalharness.__file__).parents[1]
PATIENCE = 300.0
"""Seconds; a key press takes a fraction of one."""
EXPECTED = {
    "evalharness comple": "completion",
    "evalharness run --dry": "--dry-run",
    "evalharness run suite=harm": "suite=harmony_grid",
    "evalharness run --dry-run suite=min": "suite=mine",
    "evalharness run perception=o": "perception=offline",
    "evalharness pick runs/fir": "runs/first",
    "evalharness compare runs/first runs/sec": "runs/second",
    "evalharness completion z": "zsh",
}
shells = pytest.mark.parametrize("shell", ["bash", "zsh"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a suite and two runs, and `evalharness` on the PATH."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "mine.yaml").write_text("name: mine\n")
    for run in ("first", "second"):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "run.json").write_text("{}")
    (tmp_path / "runs" / "fir_no_run").mkdir()
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "evalharness"
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from evalharness.cli import main; sys.exit(main())"
    program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-c", code])} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Typed:
    """An interactive shell on a terminal, to which we type."""

    def __init__(self, command: list[str]) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "dumb"}
        )
        os.close(theirs)

    def type(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def read_until(self, words: str) -> str:
        """All that is shown until the words are; fails after PATIENCE seconds."""
        text, end = "", time.monotonic() + PATIENCE
        while words not in text.replace("\r", ""):
            assert time.monotonic() < end, f"{words!r} did not come, but {text!r}"
            if select.select([self.ours], [], [], 0.1)[0]:
                text += os.read(self.ours, 65536).decode(errors="replace")
        return text

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)


STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'PS1="> "; eval "$(evalharness completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'PS1="> "; autoload -U compinit; compinit -u; eval "$(evalharness completion zsh)"'),
}


@shells
def test_tab_completes_verbs_flags_suites_and_runs(shell: str, folder: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    command, setup = STARTS[shell]
    terminal = Typed(command)
    try:
        terminal.type(f"{setup}; echo rea''dy\n")
        terminal.read_until("ready\n")
        for begun, whole in EXPECTED.items():
            # what the shell made of the line is asked of the shell itself: echo shows its last word
            terminal.type(f"{begun}\t\x01echo \x05 do''ne\n")
            shown = terminal.read_until("done\n")
            assert f"{whole} done" in " ".join(shown.split()), (begun, shown)
    finally:
        terminal.close()


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize("begun", EXPECTED)
def test_fish_completes_verbs_flags_suites_and_runs(begun: str, folder: Path) -> None:
    asked = f"evalharness completion fish | source; complete -C {shlex.quote(begun)}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", asked], capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [EXPECTED[begun]]


def test_suites_are_proposed_from_the_folder_that_is_given(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "suites").mkdir(parents=True)
    (tmp_path / "elsewhere" / "suites" / "other.yaml").write_text("name: other\n")
    assert proposed("evalharness run --config-dir elsewhere suite=ot") == ["suite=other"]
    assert proposed("evalharness run suite=ot") == []


def test_keys_are_proposed_with_their_equals_sign(folder: Path) -> None:
    assert {"suite=", "backend=", "backend.model=", "folder="} <= set(proposed("evalharness run "))
    assert proposed("evalharness run folder=runs/f") == ["folder=runs/first"]


def proposed(line: str) -> list[str]:
    """What bash would be told, by its protocol."""
    script = 'eval "$(evalharness completion bash)"; COMP_WORDBREAKS=" "; COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9; '
    script += '_python_argcomplete evalharness; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", line], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["completion", "tcsh"])
    assert stopped.value.code == 2
    assert "tcsh" in capsys.readouterr().err
