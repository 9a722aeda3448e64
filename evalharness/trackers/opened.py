"""The trackers of a run: a failure of one is a sentence, never the end of the run."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from evalharness.errors import ConfigError, unknown
from evalharness.registry import find, table
from evalharness.trackers.base import Entry, Tracker

Say = Callable[[str], None]
Chosen = Mapping[str, Mapping[str, Any]]


def check_names(chosen: Chosen) -> None:
    """Raise ConfigError for a tracker that does not exist: a misspelt name is no failure of a tracker."""
    known = table("tracker")
    for name in chosen:
        if name not in known:
            raise ConfigError(unknown("tracker", name, known))


class Trackers:
    """All trackers that were chosen, opened at the first entry; one that fails is left out from then on."""

    def __init__(self, chosen: Chosen, run: Path, suite: str, say: Say) -> None:
        """`chosen` maps names to options; raises ConfigError for an unknown name."""
        check_names(chosen)
        self._chosen, self._run, self._suite, self._say = chosen, run, suite, say
        self._opened: dict[str, Tracker] | None = None

    def log(self, entries: Iterable[Entry]) -> None:
        """Tell every tracker of the entries."""
        if not self._chosen:
            return
        if self._opened is None:
            self._opened = {}
            for name in self._chosen:
                self._try(name, partial(self._open, name, self._opened))
        for entry in entries:
            for name, tracker in list(self._opened.items()):
                self._try(name, partial(tracker.log, entry))

    def close(self) -> None:
        """End all trackers."""
        for name, tracker in list((self._opened or {}).items()):
            self._try(name, tracker.close)
        self._opened = None

    def _open(self, name: str, opened: dict[str, Tracker]) -> None:
        opened[name] = find("tracker", name)(self._run, self._suite, self._chosen[name])

    def _try(self, name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except ImportError as error:
            self._leave_out(name, f"its library is missing ({error}): pip install 'evalharness[{name}]'")
        except Exception as error:  # whatever a logger's library raises
            self._leave_out(name, " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__)

    def _leave_out(self, name: str, reason: str) -> None:
        if self._opened is not None:
            self._opened.pop(name, None)
        self._say(f"tracker '{name}' is left out: {reason}.")
