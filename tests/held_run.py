"""A small run that waits: `python tests/held_run.py FOLDER IMAGES ...` is small_run.py up to the batch after so many.

When that batch begins it writes FOLDER/held, and goes on once FOLDER/go is there: a kill or a signal comes when it is
meant to, however busy the machine is.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import small_run
from PIL import Image

from evalharness.backends.fake import FakeMaker
from evalharness.types import Cell, Failure, Subject


def hold(place: Path, images: int) -> None:
    """Let the fake maker wait once, when it has made so many."""
    generate, made = FakeMaker.generate, 0

    def held(maker: FakeMaker, subject: Subject, cells: Sequence[Cell]) -> list[Image.Image | Failure]:
        nonlocal made
        if made >= images and not (place / "held").exists():
            (place / "held").touch()
            while not (place / "go").exists():
                time.sleep(0.02)
        made += len(cells)
        return generate(maker, subject, cells)

    FakeMaker.generate = held  # type: ignore[method-assign]


def start(place: Path, images: int, words: Sequence[str]) -> subprocess.Popen[str]:
    """The run, once it is held after so many images; `place` is a folder that is not there yet."""
    place.mkdir()
    command = [sys.executable, __file__, str(place), str(images), *words]
    process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (place / "held").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


if __name__ == "__main__":
    hold(Path(sys.argv[1]), int(sys.argv[2]))
    sys.exit(small_run.main(sys.argv[3:]))
