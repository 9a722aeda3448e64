"""Looking at stored images: in processes beside this one while it draws others, or here where there are none.

Masks and nets keep Python to themselves for a tenth of a second an image, so threads would only make the device wait.
"""

import os
import pickle
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cached_property
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Literal, NamedTuple, Self

from evalharness.digest import digest
from evalharness.errors import PerceptionError
from evalharness.perception.base import Perceiver
from evalharness.store import StoredImage, read_stored
from evalharness.types import Observation

BATCH = 8
BACKLOG = 256
"""Batches that wait at most: a process that was slow, or took seconds to start, catches up while others are drawn."""
LEAST, LEAST_ALONE = 16, 48
"""Fewer images are seen sooner than processes have started; where nobody draws meanwhile, that start is all lost."""
MOST = 4
"""Processes that `auto` starts; each holds its own libraries, some hundred MB."""

Batch = tuple[StoredImage, ...]
Seen = Mapping[str, Observation]


class Looked(NamedTuple):
    """A batch's observations, and the seconds that observing took; None while the process still read its libraries."""

    observations: Sequence[Observation]
    seconds: float | None


class Lookers:
    """Gives each image's observation, by key, in the order in which the images were given.

    With `count` processes, images are looked at as soon as they are given; with none, when the rest is asked for.
    Processes read the files themselves and write nothing: what they knew when they were killed is looked at again.
    `seconds` tells by key what an image took of all processes' time, but for the first that each of them saw.
    """

    def __init__(self, perceiver: Perceiver, count: int) -> None:
        self.perceiver = perceiver
        self.count = count
        self.seconds: dict[str, float] = {}
        self._waiting: deque[Batch] = deque()
        self._under_way: deque[tuple[Batch, Future[Looked]]] = deque()
        self._pool: ProcessPoolExecutor | None = None
        self._leash: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the processes; those that are still looking end at once."""
        if self._leash is not None and self._under_way:
            self._leash.close()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if self._leash is not None:
            self._leash.close()

    @cached_property
    def name(self) -> str:
        """The digest of the perceiver's fingerprint, under which its observations are kept."""
        return digest(self.perceiver.fingerprint())

    @property
    def pending(self) -> frozenset[str]:
        """The keys of what was given and not seen yet."""
        batches = (*self._waiting, *(batch for batch, _ in self._under_way))
        return frozenset(image.key for batch in batches for image in batch)

    @property
    def busy(self) -> bool:
        """Whether nobody looks beside, or more is waiting than should be remembered here."""
        return self.count == 0 or len(self._waiting) >= BACKLOG

    def give(self, images: Sequence[StoredImage]) -> None:
        """Images to look at. Raises PerceptionError for a perceiver that cannot be sent to another process."""
        self._waiting.extend(tuple(images[start : start + BATCH]) for start in range(0, len(images), BATCH))
        self._send()

    def finished(self) -> Iterator[Seen]:
        """What is known by now; never waits."""
        while self._under_way and self._under_way[0][1].done():
            yield self._take()
        self._send()

    def rest(self) -> Iterator[Seen]:
        """All that was given; raises what the perceiver raises, and StoreError for a file that was changed."""
        while self._waiting or self._under_way:
            self._send()
            if self._under_way:
                yield self._take()
            else:
                batch = self._waiting.popleft()
                yield self._by_key(batch, _look(self.perceiver, batch), 1)

    def _send(self) -> None:
        while self._waiting and len(self._under_way) < 2 * self.count:
            try:
                future = self._processes().submit(_look_beside, self._waiting[0])
            except BrokenProcessPool:
                self.count = 0
                return
            self._under_way.append((self._waiting.popleft(), future))

    def _take(self) -> Seen:
        """The oldest batch's answer; where its process died, of too little memory perhaps, this one looks itself."""
        batch, future = self._under_way.popleft()
        try:
            return self._by_key(batch, future.result(), self.count)
        except BrokenProcessPool:
            self.count = 0
            return self._by_key(batch, _look(self.perceiver, batch), 1)

    def _by_key(self, batch: Batch, looked: Looked, count: int) -> Seen:
        """The observations by key; of `count` processes at work each image takes so much less of the time."""
        if looked.seconds is not None:
            self.seconds |= dict.fromkeys((image.key for image in batch), looked.seconds / len(batch) / max(count, 1))
        return {image.key: seen for image, seen in zip(batch, looked.observations, strict=True)}

    def _processes(self) -> ProcessPoolExecutor:
        """The processes, started at the first need; later calls start those that are not there yet."""
        if self._pool is None:
            _check_movable(self.perceiver)
            end, self._leash = Pipe(duplex=False)
            # a forked process would share the device's state and half-held locks
            self._pool = ProcessPoolExecutor(self.count, get_context("spawn"), _begin, (self.perceiver, end))
            with _of_a_child():
                for _ in range(self.count):
                    self._pool.submit(_nothing)
        return self._pool


def processes(wanted: int | Literal["auto"], images: int, device: str | None = None) -> int:
    """How many processes look at so many images while `device` draws them; None = nothing draws on this machine.

    `auto` takes the cores that drawing leaves idle: on the CPU those beyond OMP_NUM_THREADS, and none where that is not
    set; a GPU needs one.
    """
    if wanted != "auto":
        return wanted
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    taken = _threads(cores) if device == "cpu" else 1 if device else 0
    idle = min(cores - taken, MOST)
    # where nobody draws meanwhile, one process beside this one only takes its place
    few = images < (LEAST if device else LEAST_ALONE)
    return 0 if few or idle < (1 if device else 2) else idle


def _threads(cores: int) -> int:
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return max(1, int(given)) if given.isdigit() else cores


def _look(perceiver: Perceiver, batch: Batch) -> Looked:
    images = [read_stored(image) for image in batch]
    started = time.perf_counter()
    observations = perceiver.observe(images)
    return Looked(observations, time.perf_counter() - started)


def _check_movable(perceiver: Perceiver) -> None:
    try:
        pickle.dumps(perceiver)
    except Exception as error:  # pickling raises anything
        raise PerceptionError(
            f"the perceiver {type(perceiver).__name__} cannot be sent to another process ({error}); "
            "use perception.workers=0."
        ) from error


# What happens in a process beside this one

_perceiver: Perceiver | None = None
_awake = False


@contextmanager
def _of_a_child() -> Iterator[None]:
    """Processes started meanwhile use one core each and leave Ctrl-C to this one."""
    before = os.environ.get("OMP_NUM_THREADS")
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _begin(perceiver: Perceiver, leash: Connection) -> None:
    global _perceiver  # noqa: PLW0603 - a process has one perceiver, which it keeps between batches
    _perceiver = perceiver
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    """End this process when the one that started it closes its end, or is gone, however it went."""
    try:
        leash.recv()
    except (EOFError, OSError):
        os._exit(0)


def _nothing() -> None:
    """A first task: it starts a process."""


def _look_beside(batch: Batch) -> Looked:
    global _awake  # noqa: PLW0603 - the first batch waits for libraries and networks
    assert _perceiver is not None
    looked, first = _look(_perceiver, batch), not _awake
    _awake = True
    return looked._replace(seconds=None) if first else looked
