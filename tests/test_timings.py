"""What is done often is quick; factors are generous, for a test machine is busy with other things."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import small_run

from evalharness import registry

PROMPTS, SEEDS, LEVELS = 10, 20, 5
"""Ten prompts, twenty seeds, the baseline and two LoRAs at two strengths: a thousand cells."""
TIMES = 5


def seconds(*words: str) -> float:
    """Processor time of the quickest of several starts of Python: what other programs take away is not ours."""
    return min(_processor_time(words) for _ in range(TIMES))


def _processor_time(words: Sequence[str]) -> float:
    start = os.times()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    end = os.times()
    return end.children_user + end.children_system - start.children_user - start.children_system


@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_command_line_starts_at_once(flag: str) -> None:
    """0.4 s are asked; on a machine where Python itself needs long, ten times as long."""
    bare = seconds("-c", "pass")
    assert seconds("-m", "evalharness.cli", flag) < max(0.4, 10 * bare)


def large_suite(folder: Path) -> None:
    prompts = "".join(f"  - {{id: p{n}, text: girl number {n}, expect: {{faces: 1}}}}\n" for n in range(PROMPTS))
    (folder / "suites" / "large.yaml").write_text(
        f"name: large\nprompts:\n{prompts}seeds: {list(range(SEEDS))}\nstrengths: [0.5, 1.0]\n"
        "scorers: [faces]\ngates:\n  - {metric: faces, at_least: 0.2}\n"
    )


def test_resuming_a_thousand_cells_with_nothing_to_do_is_quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """5 s are asked, of processor time, start of Python included; that of the wall depends on who else is at work."""
    inputs, run = tmp_path / "inputs", tmp_path / "run"
    small_run.write_inputs(inputs)
    large_suite(inputs)
    words = [*small_run.arguments(inputs, run), "suite=large", "backend.batch_size=100"]
    words.remove("suite=small")
    monkeypatch.setattr(registry, "TABLES", registry.TABLES)
    with monkeypatch.context() as quick:
        # a thousand flushes to the disk are not what is measured
        quick.setattr(os, "fsync", lambda file: None)
        assert small_run.main(words) == 0
    before = {path: path.stat().st_mtime_ns for path in run.glob("images/*/*.png")}
    assert len(before) == PROMPTS * SEEDS * LEVELS

    used = _processor_time([small_run.__file__, *words])

    assert {path: path.stat().st_mtime_ns for path in run.glob("images/*/*.png")} == before
    assert used < 5.0
