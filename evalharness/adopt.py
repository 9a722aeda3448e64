"""Images of other run folders taken into one: hard-linked or copied, each checked against its digest."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from evalharness.errors import StoreError
from evalharness.replacing import replacing
from evalharness.store import ClipRecord, ImageRecord, Store, clip_path
from evalharness.types import Cell

KEY = re.compile(r"[0-9a-f]{64}")


def adopt(store: Store, others: Iterable[tuple[Store, Sequence[Cell]]]) -> None:
    """Take these cells' images and observations from each other store.

    Files come first, then all records in one transaction, so that a merge that is killed can be repeated. An image
    that is here stays; a failure gives way to an image. Raises StoreError for a file that is not what was stored.
    """
    images: list[ImageRecord] = []
    clips: list[ClipRecord] = []
    taken: list[tuple[Store, list[str]]] = []
    for other, cells in others:
        here = store.records(cells)
        new = [one for key, one in other.records(cells).items() if key not in here or _better(one, here[key])]
        for one in new:
            _take_image(one, other.folder, store.folder)
        images += new
        keys = {one.key for one in new}
        known = other.clips(cell for cell in cells if cell.key in keys)
        clips += _take_clips(known.values(), other.folder, store.folder)
        taken.append((other, [one.key for one in new]))
    store.adopt(images, (seen for other, keys in taken for seen in other.observation_records(keys)), clips)


def _better(theirs: ImageRecord, ours: ImageRecord) -> bool:
    return ours.path is None and theirs.path is not None


def _take_image(record: ImageRecord, source: Path, target: Path) -> None:
    if record.path is None:
        return
    # a record of another folder must not lead out of this one
    relative = f"images/{record.key[:2]}/{record.key}.png"
    if record.path != relative or not KEY.fullmatch(record.key):
        raise StoreError(f"'{source}' keeps an image as '{record.path}', where '{relative}' is the rule; run it again.")
    _take_file(relative, record.sha256, source, target)


def _take_clips(records: Iterable[ClipRecord], source: Path, target: Path) -> list[ClipRecord]:
    """Bring each clip's file once; returns the records."""
    found = list(records)
    for sha256 in dict.fromkeys(one.sha256 for one in found):
        if not KEY.fullmatch(sha256):
            raise StoreError(f"'{source}' names a clip '{sha256}', which is no SHA-256; run it again.")
        _take_file(clip_path(sha256), sha256, source, target)
    return found


def _take_file(relative: str, sha256: str | None, source: Path, target: Path) -> None:
    body = (source / relative).read_bytes()
    if hashlib.sha256(body).hexdigest() != sha256:
        raise StoreError(f"{source / relative} was changed after it was stored; delete it and run that shard again.")
    (target / relative).parent.mkdir(parents=True, exist_ok=True)
    if not _linked(source / relative, target / relative):
        with replacing(target / relative) as file:
            file.write(body)


def _linked(source: Path, target: Path) -> bool:
    """Whether a hard link took the target's place; other disks, and some file systems, have none."""
    temporary = target.with_name(f".{target.name}.link")
    temporary.unlink(missing_ok=True)
    try:
        os.link(source, temporary)
    except OSError:
        return False
    temporary.replace(target)
    # of two names of one file, rename() leaves both
    temporary.unlink(missing_ok=True)
    return True
