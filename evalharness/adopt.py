"""Images of other run folders taken into one: hard-linked or copied, each checked against its digest."""

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from evalharness.errors import StoreError
from evalharness.replacing import replacing
from evalharness.store import ImageRecord, Store
from evalharness.types import Cell

KEY = re.compile(r"[0-9a-f]{64}")


def adopt(store: Store, others: Iterable[tuple[Store, Sequence[Cell]]]) -> None:
    """Take these cells' images and observations from each other store.

    Files come first, then all records in one transaction, so that a merge that is killed can be repeated. An image
    that is here stays; a failure gives way to an image. Raises StoreError for a file that is not what was stored.
    """
    images: list[ImageRecord] = []
    taken: list[tuple[Store, list[str]]] = []
    for other, cells in others:
        here = store.records(cells)
        new = [one for key, one in other.records(cells).items() if key not in here or _better(one, here[key])]
        for one in new:
            _take_file(one, other.folder, store.folder)
        images += new
        taken.append((other, [one.key for one in new]))
    store.adopt(images, (seen for other, keys in taken for seen in other.observation_records(keys)))


def _better(theirs: ImageRecord, ours: ImageRecord) -> bool:
    return ours.path is None and theirs.path is not None


def _take_file(record: ImageRecord, source: Path, target: Path) -> None:
    if record.path is None:
        return
    # a record of another folder must not lead out of this one
    relative = f"images/{record.key[:2]}/{record.key}.png"
    if record.path != relative or not KEY.fullmatch(record.key):
        raise StoreError(f"'{source}' keeps an image as '{record.path}', where '{relative}' is the rule; run it again.")
    body = (source / relative).read_bytes()
    if hashlib.sha256(body).hexdigest() != record.sha256:
        raise StoreError(f"{source / relative} was changed after it was stored; delete it and run that shard again.")
    (target / relative).parent.mkdir(exist_ok=True)
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
