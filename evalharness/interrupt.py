"""Ctrl-C: the first one ends after the batch in flight, the second one at once."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import FrameType

from evalharness.types import Advance, Progress

FINISHING = "\nevalharness: finishing the batch in flight; press Ctrl-C again to stop at once.\n"


@dataclass(slots=True)
class _Request:
    """Whether a batch is in flight, and whether the user asked for an end after it."""

    busy: bool = False
    asked: bool = False

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Note the wish; without a batch in flight, or at the second wish, end at once."""
        if self.asked or not self.busy:
            raise KeyboardInterrupt
        self.asked = True
        sys.stderr.write(FINISHING)

    def heed(self) -> None:
        """Between two batches: end where that was asked for."""
        if self.asked:
            raise KeyboardInterrupt


def _advance(advance: Advance, request: _Request, count: int) -> None:
    advance(count)
    request.heed()


@contextmanager
def patient(progress: Progress) -> Iterator[Progress]:
    """The same progress, which ends a phase with KeyboardInterrupt at the first moment when no batch is in flight.

    Every phase advances after a batch is stored, and not before. Where Ctrl-C is handled or ignored by somebody else
    (a background job, a thread of a larger program), it stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield progress
        return
    request = _Request()

    @contextmanager
    def phase(name: str, total: int) -> Iterator[Advance]:
        with progress(name, total) as advance:
            request.busy = True
            try:
                yield partial(_advance, advance, request)
            finally:
                request.busy = False
        request.heed()

    signal.signal(signal.SIGINT, request.on_signal)
    try:
        yield phase
    finally:
        signal.signal(signal.SIGINT, before)
