"""A copy of the best save so far, in a folder of its own: what a trainer may delete in its folder."""

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from evalharness.codec import DecodeError, decode, encode_readably
from evalharness.digest import file_digest
from evalharness.errors import InputError
from evalharness.replacing import replacing
from evalharness.types import Subject

NOTE = "best.json"
NOT_IN_NAMES = re.compile(r"[^\w .()+-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """best.json: which file of the folder is ours (`file`), of what, and what was known of it."""

    subject: str
    digest: str
    strength: float | None
    verdict: str
    reason: str
    run: str
    file: str = ""


def kept_in(folder: Path) -> Kept | None:
    """What the folder keeps; raises InputError for a best.json that is not ours."""
    note = folder / NOTE
    if not note.is_file():
        return None
    try:
        return decode(note.read_bytes(), Kept)
    except DecodeError as error:
        raise InputError(f"'{note}' is not of a kept LoRA ({error}); choose another folder with --keep-best.") from None


def keep(folder: Path, best: Subject, note: Kept) -> Path | None:
    """Copy the best's file in, write best.json, take the last best's out; None for a stack, or a file that is gone.

    At any moment best.json names a whole file. A file that is not ours is never replaced or deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = kept_in(folder)
    same = earlier is not None and earlier.digest == best.identity and (folder / earlier.file).is_file()
    target = folder / earlier.file if earlier and same else _free_path(folder, best)
    if not target.is_file():
        source = best.loras[0].path
        if not (best.is_one_file and source.is_file()):
            return None
        with source.open("rb") as original, replacing(target) as copy:
            shutil.copyfileobj(original, copy)
    with replacing(folder / NOTE) as file:
        file.write(encode_readably(replace(note, file=target.name)))
    if earlier and earlier.file != target.name:
        (folder / earlier.file).unlink(missing_ok=True)
    return target


def _free_path(folder: Path, best: Subject) -> Path:
    """A name that no other file has; the very same weights may be there already."""
    stem = NOT_IN_NAMES.sub("_", best.name)
    target = folder / f"{stem}.safetensors"
    if target.exists() and file_digest(target) != best.identity:
        return folder / f"{stem}-{best.identity[:16]}.safetensors"
    return target
