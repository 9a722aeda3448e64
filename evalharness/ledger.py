"""The folder of promoted LoRAs, as later runs read it: a ledger, and what was measured of each promotion.

DIR/promotions.jsonl                    one line a promotion, oldest first
DIR/NAME-DIGEST/measured-DIGEST.json    cells and scores of the promoted subject and the baseline, named by its bytes
"""

import fcntl
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from evalharness.codec import DecodeError, decode, encode
from evalharness.errors import InputError
from evalharness.report.card import Override
from evalharness.types import Cell, MetricInfo, Score

LEDGER = "promotions.jsonl"
"""One line a promotion, oldest first; a promotion counts from the moment its line is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A line of the ledger. `folder` is relative to the ledger; `run` is the run's name.

    `strengths` is the one that is meant to be used, or all that were measured; `measured` is the SHA-256 of the
    measurement's file. Both are empty in lines of before they were kept.
    """

    subject: str
    digest: str
    folder: str
    run: str
    suite: str
    suite_digest: str
    decision: str
    override: Override | None
    date: str
    strengths: tuple[float, ...] = ()
    measured: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What later runs are judged against; the run's own folder is not needed for it.

    `record` holds the groups of facts by which measurements are compared: suite, maker and perception.
    """

    suite: str
    record: Mapping[str, Any]
    cells: tuple[Cell, ...]
    scores: Mapping[str, tuple[Score, ...]]
    metrics: Mapping[str, MetricInfo]


def measured_name(digest: str) -> str:
    """The file of a measurement, by the SHA-256 of its bytes: another one never takes its place."""
    return f"measured-{digest[:12]}.json"


def enter(folder: Path, promotion: Promotion) -> None:
    """Append a line and flush it to the disk; what is left of a line that was cut off before goes."""
    with (folder / LEDGER).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _end_last_line(file)
        file.write(encode(promotion) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    flush(folder)


def flush(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def promotions(folder: Path) -> tuple[tuple[Promotion, ...], tuple[str, ...]]:
    """All promotions, oldest first, and sentences on what was left out of account.

    A last line without an end that is no promotion is an append that was cut off: that promotion never counted, so
    it is left out. Raises InputError without a ledger, or for a damaged line.
    """
    ledger = folder / LEDGER
    if not ledger.is_file():
        raise InputError(f"'{folder}' holds no {LEDGER}; give the folder of promoted LoRAs with --promoted-in DIR.")
    *lines, tail = ledger.read_bytes().split(b"\n")
    found = [_promotion(line, f"line {number} of '{ledger}'") for number, line in enumerate(lines, 1)]
    last, notes = _line(tail), []
    if last is not None:
        found.append(last)
    elif tail:
        notes.append(f"the last line of '{ledger}' was cut off, so that promotion does not count; promote it again.")
    return tuple(found), tuple(notes)


def latest(folder: Path, suite: str) -> tuple[Promotion, tuple[str, ...]]:
    """The last promotion by this suite, and sentences on what was left out of account.

    Raises InputError as `promotions` does, and without a promotion by this suite.
    """
    found, notes = promotions(folder)
    for promotion in reversed(found):
        if promotion.suite == suite:
            return promotion, notes
    raise InputError(f"'{folder / LEDGER}' has no promotion by suite '{suite}'; there are {_listed(found)}.")


def read_measured(folder: Path, promotion: Promotion) -> Measured:
    """What was measured of a promotion; raises InputError where it is missing or not what it was."""
    home = folder / promotion.folder
    again = f"promote '{promotion.subject}' again"
    if not home.is_dir():
        raise InputError(f"'{home}' is no longer there; put the folder back, or {again}.")
    if not promotion.measured:
        raise InputError(f"'{promotion.subject}' was promoted without its measurement; {again}.")
    path = home / measured_name(promotion.measured)
    if not path.is_file():
        raise InputError(f"'{path}' is missing, so nothing can be compared with it; put the file back, or {again}.")
    body = path.read_bytes()
    if hashlib.sha256(body).hexdigest() != promotion.measured:
        raise InputError(f"'{path}' was changed since the promotion; put the file back, or {again}.")
    try:
        return decode(body, Measured)
    except DecodeError as error:
        raise InputError(f"'{path}' was written by another version: {error}; {again}.") from error


def _end_last_line(file: IO[bytes]) -> None:
    """A new line must not be glued to what a cut-off append left, else both would be lost."""
    file.seek(0)
    tail = file.read().rpartition(b"\n")[2]
    if not tail:
        return
    if _line(tail) is not None:
        file.write(b"\n")
    else:
        file.truncate(file.seek(-len(tail), os.SEEK_END))


def _line(body: bytes) -> Promotion | None:
    try:
        return decode(body, Promotion)
    except DecodeError:
        return None


def _promotion(body: bytes, where: str) -> Promotion:
    """A finished line: nothing cuts one off, so what is wrong with it was done to it."""
    try:
        return decode(body, Promotion)
    except DecodeError as error:
        raise InputError(f"{where} is damaged: {error}; put the file back, or take that line out.") from error


def _listed(promotions: Iterable[Promotion]) -> str:
    return ", ".join(f"'{one}'" for one in sorted({promotion.suite for promotion in promotions})) or "none"
