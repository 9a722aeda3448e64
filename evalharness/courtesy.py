"""Leaving the machine to others: a lower priority, a lock that others hold, and waiting until nobody computes."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evalharness.errors import InputError

IDLE_GPU = 10.0
"""Percent; a GPU that only shows a desktop stays below, one that trains is far above."""
IDLE_LOAD = 0.25
"""Processes that want to run per processor core, over one minute, where there is no GPU to ask."""
IDLE_LOOKS = 3
"""Looks in a row at which it must be idle: a trainer that loads its next batch is not idle."""
QUERY = ("nvidia-smi", "--query-gpu=index,uuid,utilization.gpu", "--format=csv,noheader,nounits")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Courtesy:
    """How to yield: `lock` is a file that is held (flock) while images are made; `poll` is in seconds."""

    lock: Path | None = None
    when_idle: bool = False
    poll: float = 10.0

    @contextmanager
    def turn(self, say: Say) -> Iterator[None]:
        """Wait for the turn, and hold the lock until the end of it."""
        if self.when_idle:
            self._wait_until_idle(say)
        if self.lock is None:
            yield
            return
        with held(self.lock, say):
            yield

    def _wait_until_idle(self, say: Say) -> None:
        looks, told = 0, False
        while looks < IDLE_LOOKS:
            looks = looks + 1 if is_idle() else 0
            if looks < IDLE_LOOKS:
                if looks == 0 and not told:
                    say("waiting until the machine is idle")
                    told = True
                time.sleep(self.poll)


@contextmanager
def held(path: Path, say: Say) -> Iterator[None]:
    """The lock of a file, as flock(1) and trainers' scripts take it; waits, and says so; ends with the process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise InputError(
            f"the lock '{path}' cannot be used: {error.strerror}; give a file that can be written."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for the lock {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_idle() -> bool:
    """Whether every GPU that this process may use computes next to nothing; without one, whether the processor does."""
    busy = gpu_utilisation()
    if busy is None:
        return os.getloadavg()[0] / (os.cpu_count() or 1) < IDLE_LOAD
    return busy < IDLE_GPU


def gpu_utilisation() -> float | None:
    """Percent of the busiest GPU that CUDA_VISIBLE_DEVICES leaves; None where nvidia-smi tells nothing."""
    if shutil.which(QUERY[0]) is None:
        return None
    try:
        answer = subprocess.run(QUERY, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    rows = [[word.strip() for word in line.split(",")] for line in answer.stdout.splitlines()]
    visible = [word.strip() for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if word.strip()]
    figures = [
        float(row[2])
        for row in rows
        if len(row) == 3 and row[2].replace(".", "", 1).isdigit() and (not visible or _is_one_of(row, visible))
    ]
    return max(figures, default=None)


def _is_one_of(row: list[str], visible: list[str]) -> bool:
    """A GPU is named by its index or by the beginning of its UUID."""
    return row[0] in visible or any(row[1].startswith(name) for name in visible if not name.isdecimal())
