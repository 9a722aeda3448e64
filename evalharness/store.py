"""The run folder: images as PNG files, records in SQLite, facts as JSON; whole or absent at any moment.

RUN/images/ab/abcd....png   one per cell, named by its key; carries its cell in a text chunk, and A1111's infotext
RUN/clips/ab/abcd....webp   the clip whose frames are images, named by its SHA-256, once for all of them
RUN/run.sqlite              images, clips, observations, scores (WAL mode, one transaction per batch)
RUN/run.json, verdict.json  what was asked, and what was concluded
"""

import fcntl
import hashlib
import io
import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self, TypeVar

from PIL import Image, PngImagePlugin

from evalharness.codec import DecodeError, decode, encode, encode_readably
from evalharness.embedded import RECORD, clip_of, texts_to_write
from evalharness.errors import StoreError
from evalharness.replacing import replacing
from evalharness.types import Cell, Failure, Observation, Score

FORMAT = 1
PNG_KEY = RECORD
DATABASE = "run.sqlite"
COMPRESS = 3
"""Of 9: pictures of 1024 pixels are written in half the time of the usual 6, and are 5 % larger."""
TABLES = """
create table if not exists images (key text primary key, path text, sha256 text, failure text, cell blob not null);
create table if not exists clips (key text primary key, sha256 text not null);
create table if not exists observations (key text, perceiver text, body blob not null, primary key (key, perceiver));
create table if not exists scores (key text primary key, body blob not null);
"""
T = TypeVar("T")


class ImageRecord(NamedTuple):
    """A row of the table `images`: the path relative to the run folder and the file's SHA-256, or why it failed."""

    key: str
    path: str | None
    sha256: str | None
    failure: str | None
    cell: bytes


class ClipRecord(NamedTuple):
    """A row of the table `clips`: a cell, and the SHA-256 that its clip has and is named by."""

    key: str
    sha256: str


class ObservationRecord(NamedTuple):
    """A row of the table `observations`."""

    key: str
    perceiver: str
    body: bytes


class StoredImage(NamedTuple):
    """Where a cell's image is, and the SHA-256 that its file must have."""

    key: str
    path: Path
    sha256: str


class Store:
    """One run folder, held by one process at a time. Raises StoreError where the folder cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with ExitStack() as opened:
            try:
                (folder / "images").mkdir(parents=True, exist_ok=True)
                opened.enter_context(_lock(folder / "lock"))
                self._database = opened.enter_context(closing(sqlite3.connect(folder / DATABASE)))
                self._database.execute("pragma journal_mode=wal")
                self._database.execute("pragma synchronous=full")
                self._database.executescript(TABLES)
            except (OSError, sqlite3.Error) as error:
                raise StoreError(
                    f"cannot use run folder '{folder}': {error}; choose another with folder=PATH."
                ) from error
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._opened.close()

    # Images

    def missing(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """The cells that have no image (any more); failed ones are tried again."""
        rows = self._database.execute("select key, path from images where failure is null")
        done = {key for key, path in rows if (self.folder / path).is_file()}
        return tuple(cell for cell in cells if cell.key not in done)

    def tried(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """The cells that were made or failed, whatever became of their files."""
        known = {key for (key,) in self._database.execute("select key from images")}
        return tuple(cell for cell in cells if cell.key in known)

    def save_images(self, made: Sequence[tuple[Cell, Image.Image | Failure]], facts: Mapping[str, object]) -> None:
        """Store a batch: files first (flushed, renamed), then their records in one transaction."""
        rows = [self._save_image(cell, image, facts) for cell, image in made]
        bodies = {cell.key: body for cell, image in made if (body := clip_of(image)) is not None}
        clips = [ClipRecord(key, self._save_clip(body)) for key, body in bodies.items()]
        with self._writing():
            self._database.executemany("insert or replace into images values (?, ?, ?, ?, ?)", rows)
            self._database.executemany("insert or replace into clips values (?, ?)", clips)

    def images(self, cells: Iterable[Cell]) -> dict[str, str | Failure]:
        """Per cell key the image's path relative to the run folder, or why there is none."""
        rows = {key: (path, why) for key, path, why in self._database.execute("select key, path, failure from images")}
        found: dict[str, str | Failure] = {}
        for cell in cells:
            path, why = rows.get(cell.key, (None, "not made yet"))
            found[cell.key] = path if path is not None else Failure(reason=why)
        return found

    def clips(self, cells: Iterable[Cell]) -> dict[str, ClipRecord]:
        """The clips whose frames these cells are, by cell key; of stills nothing."""
        wanted = {cell.key for cell in cells}
        rows = self._database.execute("select key, sha256 from clips")
        return {row[0]: ClipRecord(*row) for row in rows if row[0] in wanted}

    def stored(self, cell: Cell) -> StoredImage | None:
        """Where the cell's image is; None where it has none."""
        row = self._database.execute("select path, sha256 from images where key = ?", (cell.key,)).fetchone()
        return StoredImage(key=cell.key, path=self.folder / row[0], sha256=row[1]) if row and row[0] else None

    def load_image(self, cell: Cell) -> Image.Image:
        """The cell's image as RGB; raises StoreError where there is none, or the file is not the one stored."""
        image = self.stored(cell)
        if image is None:
            raise StoreError(f"'{self.folder}' has no image of cell {cell.key}; run again.")
        return read_stored(image)

    def _save_image(
        self, cell: Cell, image: Image.Image | Failure, facts: Mapping[str, object]
    ) -> tuple[str, str | None, str | None, str | None, bytes]:
        record = encode(cell)
        if isinstance(image, Failure):
            return cell.key, None, None, image.reason, record
        relative = f"images/{cell.key[:2]}/{cell.key}.png"
        text = PngImagePlugin.PngInfo()
        text.add_itxt(PNG_KEY, encode({"format": FORMAT, "cell": cell, "maker": facts}).decode())
        for key, said in texts_to_write(cell, image, str(facts.get("checkpoint", ""))).items():
            text.add_text(key, said)
        target = self.folder / relative
        try:
            target.parent.mkdir(exist_ok=True)
            with replacing(target) as file:
                image.save(file, format="PNG", pnginfo=text, compress_level=COMPRESS)
        except OSError as error:
            raise StoreError(_not_written(target, error.strerror)) from error
        return cell.key, relative, hashlib.sha256(target.read_bytes()).hexdigest(), None, record

    def _save_clip(self, body: bytes) -> str:
        """Write a clip unless it is there, as it is when another of its frames was stored; returns its SHA-256."""
        sha256 = hashlib.sha256(body).hexdigest()
        target = self.folder / clip_path(sha256)
        if target.is_file():
            return sha256
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as file:
                file.write(body)
        except OSError as error:
            raise StoreError(_not_written(target, error.strerror)) from error
        return sha256

    def records(self, cells: Iterable[Cell]) -> dict[str, ImageRecord]:
        """The stored records of images and failures, by cell key; without those whose file is gone."""
        wanted = {cell.key for cell in cells}
        rows = self._database.execute("select key, path, sha256, failure, cell from images")
        found = {row[0]: ImageRecord(*row) for row in rows if row[0] in wanted}
        return {key: one for key, one in found.items() if one.path is None or (self.folder / one.path).is_file()}

    def adopt(
        self,
        images: Iterable[ImageRecord],
        observations: Iterable[ObservationRecord],
        clips: Iterable[ClipRecord] = (),
    ) -> None:
        """Take over records of other folders, in one transaction; the files of images and clips are here already."""
        with self._writing():
            self._database.executemany("insert or replace into images values (?, ?, ?, ?, ?)", images)
            self._database.executemany("insert or replace into clips values (?, ?)", clips)
            self._database.executemany("insert or replace into observations values (?, ?, ?)", observations)

    # Observations and scores

    def observation_records(self, keys: Iterable[str]) -> list[ObservationRecord]:
        """What any perceiver saw in these images, as it is stored."""
        wanted = set(keys)
        rows = self._database.execute("select key, perceiver, body from observations")
        return [ObservationRecord(*row) for row in rows if row[0] in wanted]

    def unobserved(self, cells: Iterable[Cell], perceiver: str) -> tuple[Cell, ...]:
        """The cells that this perceiver (by its fingerprint's digest) has not looked at, whether they have an image."""
        rows = self._database.execute("select key from observations where perceiver = ?", (perceiver,))
        seen = {key for (key,) in rows}
        return tuple(cell for cell in cells if cell.key not in seen)

    def observations(self, keys: Iterable[str], perceiver: str) -> dict[str, Observation]:
        """What this perceiver (by its fingerprint's digest) saw already, by key."""
        wanted = set(keys)
        rows = self._database.execute("select key, body from observations where perceiver = ?", (perceiver,))
        return {key: _decode(body, Observation) for key, body in rows if key in wanted}

    def save_observations(self, perceiver: str, seen: Mapping[str, Observation]) -> None:
        """Store what was seen, in one transaction."""
        rows = [(key, perceiver, encode(observation)) for key, observation in seen.items()]
        with self._writing():
            self._database.executemany("insert or replace into observations values (?, ?, ?)", rows)

    def scores(self, keys: Iterable[str]) -> dict[str, tuple[Score, ...]]:
        """The stored scores, by cell key."""
        wanted = set(keys)
        rows = self._database.execute("select key, body from scores")
        return {key: _decode(body, tuple[Score, ...]) for key, body in rows if key in wanted}

    def save_scores(self, scores: Mapping[str, tuple[Score, ...]]) -> None:
        """Replace all scores, in one transaction: they always belong to the latest plan."""
        rows = [(key, encode(given)) for key, given in scores.items()]
        with self._writing():
            self._database.execute("delete from scores")
            self._database.executemany("insert into scores values (?, ?)", rows)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction, whole or not at all; raises StoreError where the disk is full or fails."""
        try:
            with self._database:
                yield
        except sqlite3.OperationalError as error:
            raise StoreError(_not_written(self.folder / DATABASE, str(error))) from error

    # Facts

    def write_json(self, name: str, value: object) -> None:
        """Write a JSON file into the run folder, whole or not at all."""
        target = self.folder / name
        try:
            with replacing(target) as file:
                file.write(encode_readably(value))
        except OSError as error:
            raise StoreError(_not_written(target, error.strerror)) from error

    def read_json(self, name: str, kind: type[T]) -> T:
        """Read a JSON file of the run folder; raises StoreError where it is missing or not what it should be."""
        path = self.folder / name
        if not path.is_file():
            raise StoreError(f"'{self.folder}' holds no {name}; give the folder of a run, such as runs/demo.")
        return _decode(path.read_bytes(), kind, str(path))


def _lock(path: Path) -> IO[bytes]:
    """An exclusive lock that ends with the process, however it ends; the file says whose it is, or was."""
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        with file:
            file.seek(0)
            holder = file.read(200).decode("utf-8", "replace").strip()
        raise StoreError(
            f"another process is using '{path.parent}'{f' ({holder})' if holder else ''}; "
            "wait for it, or choose folder=PATH."
        ) from error
    # the lock holds also where a full disk takes no name
    with suppress(OSError):
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}\n".encode())
        file.flush()
    return file


def clip_path(sha256: str) -> str:
    """Where a clip lies, relative to the run folder."""
    return f"clips/{sha256[:2]}/{sha256}.webp"


def read_stored(image: StoredImage) -> Image.Image:
    """A stored image as RGB, in any process; raises StoreError where the file is not the one that was stored."""
    data = _read(image.path)
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise StoreError(f"{image.path} was changed after it was stored; delete it and run again.")
    with Image.open(io.BytesIO(data)) as stored:
        converted: Image.Image = stored.convert("RGB")
    return converted


def _not_written(path: Path, reason: str | None) -> str:
    return f"cannot write '{path}' ({reason}); make room or choose another folder=PATH, nothing stored is lost."


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read stored image {path}: {error.strerror}; delete it and run again.") from error


def _decode(body: bytes, kind: type[T], where: str = DATABASE) -> T:
    try:
        return decode(body, kind)
    except DecodeError as error:
        raise StoreError(f"{where} was written by another version or is damaged: {error}.") from error
