"""Every saved file judged while the training goes on: one thread takes files in, the other one judges them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from evalharness.arrivals import Arrivals
from evalharness.growing import GrowingRun, Step, unchanged_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When watching ends; None = never for that reason. `poll` and `timeout` (without a new file) are in seconds.

    `stop_after` files in a row did not change the best; `until` files were judged; `once` = what is there now.
    """

    poll: float = 10.0
    stop_after: int | None = None
    until: int | None = None
    timeout: float | None = None
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why watching ended; `best` is given where the training has probably given its best and can stop."""

    sentence: str
    best: str | None = None


class Lookout(threading.Thread):
    """Takes complete files in at every look, also while others are judged: a trainer may delete them soon."""

    def __init__(self, arrivals: Arrivals, growing: GrowingRun, poll: float) -> None:
        super().__init__(name="lookout", daemon=True)
        self._arrivals, self._growing, self._poll = arrivals, growing, poll
        self._end = threading.Event()
        self.news = threading.Event()
        self.looks = 0
        self.last_news = time.monotonic()
        self.error: Exception | None = None

    def run(self) -> None:
        """Look until the end, or until something is wrong, which `error` then says."""
        while not self._end.is_set():
            try:
                found = self._arrivals.look(self._growing.watched.claim)
            except Exception as error:  # raised again in the thread that judges
                self.error = error
                self.news.set()
                return
            if found:
                self.last_news = time.monotonic()
                self.news.set()
            self.looks += 1
            self._end.wait(self._poll)

    def stop(self) -> None:
        """End after the look that is under way."""
        self._end.set()
        self.join()


def watch(growing: GrowingRun, arrivals: Arrivals, limits: Limits, tell: Callable[[Step], None]) -> Ending:
    """Judge what arrives until a limit is reached; `tell` is called after each file."""
    lookout = Lookout(arrivals, growing, limits.poll)
    lookout.start()
    try:
        growing.begin()
        while True:
            looks = lookout.looks
            ending = reached(growing, limits)
            for step in () if ending else growing.score_waiting():
                lookout.last_news = time.monotonic()
                tell(step)
                if ending := reached(growing, limits):
                    break
            ending = ending or _over(lookout, looks, limits)
            if ending:
                return ending
            lookout.news.wait(limits.poll)
            lookout.news.clear()
            if lookout.error:
                raise lookout.error
    finally:
        lookout.stop()
        growing.close()


def reached(growing: GrowingRun, limits: Limits) -> Ending | None:
    """Whether what was judged ends the watching."""
    seen = growing.watched.entries()
    unchanged = unchanged_for(seen)
    if limits.stop_after is not None and unchanged >= limits.stop_after:
        best = next(one.leader for one in reversed(seen) if one.scored)
        return Ending(sentence=f"you can stop training: the last {unchanged} saves left {best} the best.", best=best)
    judged = sum(one.scored for one in seen)
    if limits.until is not None and judged >= limits.until:
        return Ending(sentence=f"{judged} saves were judged, as asked.")
    return None


def _over(lookout: Lookout, looks: int, limits: Limits) -> Ending | None:
    """Whether there is nothing more to wait for; `looks` were made before the last file was judged."""
    if limits.once and looks >= 2:  # a file is taken in at the second look at the earliest
        return Ending(sentence="everything that is there was judged.")
    quiet = time.monotonic() - lookout.last_news
    if limits.timeout is not None and quiet >= limits.timeout and not lookout.news.is_set():
        return Ending(sentence=f"no new save came for {limits.timeout:g} seconds.")
    return None
