"""Saved files that are complete: of the same size at two looks, and as long as their safetensors header promises."""

from collections.abc import Callable, Sequence
from pathlib import Path

from evalharness.errors import SubjectError
from evalharness.moment import SAME_NAMES
from evalharness.watched import Seen

PATTERNS = ("*.safetensors", *(f"{depth}{name}.safetensors" for depth in ("*/", "*/*/") for name in SAME_NAMES))
"""Files that trainers save into their output folder: with names of their own, or equal names in folders."""

Claim = Callable[[Path], Seen | None]
State = tuple[int, int]


class Arrivals:
    """Looks into a folder again and again. A file is looked at closely once it was the same at two looks in a row.

    `say` is told, once for each state of a file, why one that keeps still is not taken.
    """

    def __init__(self, folder: Path, patterns: Sequence[str], say: Callable[[str], None]) -> None:
        self._folder = folder
        self._patterns = tuple(patterns)
        self._say = say
        self._last: dict[Path, State] = {}
        self._done: dict[Path, State] = {}

    def look(self, claim: Claim) -> list[Seen]:
        """Claim what is complete and new since the last look, the oldest first."""
        now = {path: state for path in self._files() if (state := _state(path)) is not None}
        still = [path for path, state in now.items() if self._last.get(path) == state != self._done.get(path)]
        self._last = now
        found = []
        for path in sorted(still, key=lambda path: (now[path][1], len(path.name), str(path))):
            self._done[path] = now[path]
            try:
                seen = claim(path)
            except FileNotFoundError:
                continue
            except SubjectError as error:
                self._say(f"not taken (until it changes): {error}")
                continue
            found += [seen] if seen else []
        return found

    def _files(self) -> set[Path]:
        found = (path for pattern in self._patterns for path in self._folder.glob(pattern))
        return {path for path in found if not path.name.startswith(".") and path.is_file()}


def checkpoint_file(given: Path) -> Path:
    """The file that a trainer means: itself, or the one LoRA in the folder of a save.

    Raises SubjectError where nothing is there, or a folder holds several.
    """
    if not given.is_dir():
        return given
    named = [given / f"{name}.safetensors" for name in SAME_NAMES]
    found = [path for path in named if path.is_file()] or sorted(given.glob("*.safetensors"))
    if len(found) != 1:
        raise SubjectError(f"'{given}' holds {len(found)} safetensors files; give the file itself.")
    return found[0]


def training_folder(file: Path) -> Path:
    """The folder that a trainer saves into: where the file is, or one up where every save has a folder of its own."""
    folder = file.resolve().parent
    return folder.parent if file.stem in SAME_NAMES else folder


def _state(path: Path) -> State | None:
    """Size in bytes and time of the last change in nanoseconds; None for a file that has just gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
