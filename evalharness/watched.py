"""What a growing run has seen: the saved files it took, in the order they came, and copies of those it still needs.

RUN/watched.json                    one entry a file, oldest first; never twice the same digest
RUN/copies/DIGEST.safetensors       a file that is still needed, so that a trainer may delete or overwrite its own
"""

import fcntl
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from evalharness.codec import DecodeError, decode, encode_readably
from evalharness.digest import file_digest
from evalharness.errors import StoreError, SubjectError
from evalharness.moment import save_name
from evalharness.replacing import replacing
from evalharness.subject import read_lora, subject_of
from evalharness.types import BASELINE, LoraFile, Subject

LIST = "watched.json"
COPIES = "copies"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A saved file: `subject` has the trainer's path; `size` in bytes and `modified_ns` tell whether it was replaced.

    `scored` = its images are made and judged. `refused` says why it never will be. `leader` is the name of the best of
    the run after it was scored, None where there was none or it was rejected.
    """

    subject: Subject
    size: int
    modified_ns: int
    scored: bool = False
    refused: str = ""
    leader: str | None = None

    @property
    def lora(self) -> LoraFile:
        """Its one file."""
        return self.subject.loras[0]

    @property
    def waiting(self) -> bool:
        """Whether it is still to be scored."""
        return not self.scored and not self.refused

    @property
    def untouched(self) -> bool:
        """Whether the trainer's file is still there, and still this one."""
        try:
            found = self.lora.path.stat()
        except OSError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.size, self.modified_ns)


class Watched:
    """The list and the copies of one run folder; several processes may use it at once.

    `taken` are the run's other subjects, whose weights and names are not available.
    """

    def __init__(self, folder: Path, taken: Sequence[Subject] = ()) -> None:
        self._folder = folder
        self._taken = tuple(taken)

    def entries(self) -> tuple[Seen, ...]:
        """All files that were seen, oldest first; raises StoreError for a damaged list."""
        path = self._folder / LIST
        try:
            return decode(path.read_bytes(), tuple[Seen, ...]) if path.is_file() else ()
        except DecodeError as error:
            raise StoreError(f"{path} was written by another version or is damaged: {error}.") from error

    def adopt(self, subjects: Sequence[Subject]) -> None:
        """Begin with the subjects of a run that nobody watched; nothing happens where there is a list already."""
        with self._changing():
            if not (self._folder / LIST).is_file():
                known = {one.identity for one in self._taken}
                self._write([_adopted(one) for one in subjects if len(one.loras) == 1 and one.identity not in known])

    def claim(self, path: Path) -> Seen | None:
        """Take a file into the list and copy it; None where its weights were seen before.

        Raises SubjectError for a file that is not whole, and for one that changed while it was read.
        """
        before = path.stat()
        lora = read_lora(path)
        with self._changing():
            entries = self.entries()
            others = (*self._taken, *(entry.subject for entry in entries))
            if lora.digest in {one.identity for one in others}:
                return None
            self._copy(lora)
            name = _free_name(save_name(path), lora.digest, {one.name for one in others} | {BASELINE})
            subject = subject_of(name, lora, path)
            seen = Seen(subject=subject, size=before.st_size, modified_ns=before.st_mtime_ns)
            self._write([*entries, seen])
            return seen

    def update(self, seen: Seen) -> None:
        """Put this entry in the place of the one of the same weights."""
        with self._changing():
            same = seen.subject.identity
            self._write([seen if one.subject.identity == same else one for one in self.entries()])

    def source(self, seen: Seen) -> Subject:
        """The subject with a path at which its very bytes are, or with one where nothing is."""
        copy = self.copy_of(seen)
        return _at(seen, seen.lora.path if seen.untouched and not copy.is_file() else copy)

    def home(self, seen: Seen) -> Subject:
        """The subject with the path to remember: the trainer's, but for a file that is gone and has a copy here."""
        copy = self.copy_of(seen)
        return _at(seen, copy if copy.is_file() and not seen.untouched else seen.lora.path)

    def copy_of(self, seen: Seen) -> Path:
        """Where its copy is, while it is needed."""
        return self._folder / COPIES / f"{seen.lora.digest}.safetensors"

    def forget_copies(self, needed: Iterable[Seen]) -> None:
        """Delete the copies of all but these and those that wait."""
        kept = {seen.subject.identity for seen in needed}
        for seen in self.entries():
            if not seen.waiting and seen.subject.identity not in kept:
                self.copy_of(seen).unlink(missing_ok=True)

    def _copy(self, lora: LoraFile) -> None:
        """A copy, not a link: a trainer that writes into the same file again would change what is linked to it."""
        target = self._folder / COPIES / f"{lora.digest}.safetensors"
        target.parent.mkdir(parents=True, exist_ok=True)
        with lora.path.open("rb") as original, replacing(target) as copy:
            shutil.copyfileobj(original, copy)
            copy.flush()
            if file_digest(Path(copy.name)) != lora.digest:
                raise SubjectError(f"'{lora.path}' changed while it was copied; it is looked at again later.")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Nobody else changes the list meanwhile."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{LIST}.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _write(self, entries: Sequence[Seen]) -> None:
        with replacing(self._folder / LIST) as file:
            file.write(encode_readably(tuple(entries)))


def _at(seen: Seen, path: Path) -> Subject:
    return replace(seen.subject, loras=(replace(seen.lora, path=path),))


def _free_name(name: str, digest: str, taken: set[str]) -> str:
    """The save's name, with its digest where another save has it: names of a growing run never change."""
    return f"{name} ({digest[:8]})" if name in taken else name


def _adopted(subject: Subject) -> Seen:
    """A subject of a finished run, whose file may be anywhere by now."""
    path = subject.loras[0].path
    there = path.is_file() and file_digest(path) == subject.identity
    found = path.stat() if there else None
    return Seen(
        subject=subject,
        size=found.st_size if found else -1,
        modified_ns=found.st_mtime_ns if found else -1,
        scored=True,
    )
