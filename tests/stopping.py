"""A command line that stops in the middle, at an exact place: `python tests/stopping.py HOW NUMBER MODULE WORDS...`.

It is MODULE's `main(WORDS)`. HOW `kill`: it kills itself as soon as NUMBER image files have got their names. HOW
`hold`: before batch NUMBER is made it writes `held` on its output and goes on once its input ends. Whoever watches a
process from outside, by the clock or by its files, comes too late on a busy machine; this comes in time on any.
"""

import importlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalharness.backends.fake import FakeMaker


def killed(number: int, module: str, words: Sequence[str]) -> None:
    """Run the command until that many image files are there; fails where it ended before."""
    assert command("kill", number, module, words).wait() == -signal.SIGKILL, "it ended before: nothing was tested"


def command(how: str, number: int, module: str, words: Sequence[str], **streams: Any) -> subprocess.Popen[str]:
    """Start it, with this process's import path."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    line = [sys.executable, __file__, how, str(number), module, *words]
    return subprocess.Popen(line, text=True, env=environment, **({"stdout": subprocess.DEVNULL} | streams))


def kill_after(number: int) -> None:
    """Kill this process once that many image files have got their names."""
    replace, named = Path.replace, itertools.count(1)

    def counted(path: Path, target: Path) -> Path:
        replaced = replace(path, target)
        if replaced.suffix == ".png" and next(named) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return replaced

    Path.replace = counted  # type: ignore[method-assign, assignment]


def hold_before(number: int) -> None:
    """Stand still before the fake maker makes that batch, until the standard input ends."""
    generate, begun = FakeMaker.generate, itertools.count(1)

    def held(maker: FakeMaker, *batch: Any) -> list[Any]:
        if next(begun) == number:
            os.write(1, b"held\n")
            while os.read(0, 1):
                pass
        return list(generate(maker, *batch))

    FakeMaker.generate = held  # type: ignore[method-assign]


if __name__ == "__main__":
    {"kill": kill_after, "hold": hold_before}[sys.argv[1]](int(sys.argv[2]))
    sys.exit(importlib.import_module(sys.argv[3]).main(sys.argv[4:]))
