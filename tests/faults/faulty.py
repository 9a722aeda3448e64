"""The command line inside this process: quick enough to meet many faults."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import small_run

from evalharness import config

FINISHED = (0, 3, 4)


class Command:
    """`evalharness run` of the small run, with what it wrote on its error output; what is composed once is kept."""

    def __init__(self, inputs: Path, patched: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        small_run.write_inputs(inputs)
        self.inputs = inputs
        self._captured = captured
        kept = cache(config.compose)
        patched.setattr(config, "compose", lambda words, folder=None: kept(tuple(words), folder))

    def __call__(self, run: Path, *more: str) -> tuple[int, str]:
        """Exit code and error output of a run into this folder."""
        return self.of(small_run.arguments(self.inputs, run, *more))

    def of(self, words: Sequence[str]) -> tuple[int, str]:
        """Exit code and error output of any command."""
        self._captured.readouterr()
        code = small_run.main(words)
        return code, self._captured.readouterr().err


def one_sentence(errors: str) -> bool:
    """Whether that is one line of ours, and no traceback."""
    lines = errors.strip().splitlines()
    return len(lines) == 1 and lines[0].startswith("evalharness: ")
