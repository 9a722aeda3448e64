"""Digests: of values, by their canonical JSON, and of files, by their bytes."""

import hashlib
from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from evalharness.codec import encode

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def digest(value: object) -> str:
    """SHA-256 (64 hex digits) of a value's canonical JSON: dataclasses as objects, keys sorted."""
    return hashlib.sha256(encode(value)).hexdigest()


def without_defaults(value: T, later: Collection[str]) -> T:
    """A dataclass for `digest`, which leaves out those of the fields `later` that are at their defaults.

    So fields that were added later leave digests as they were.
    """
    plain = [item.name for item in fields(value) if item.name in later and getattr(value, item.name) == item.default]
    return replace(value, **dict.fromkeys(plain, msgspec.UNSET)) if plain else value


def file_digest(path: Path) -> str:
    """SHA-256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path, pattern: str = "**/*") -> str:
    """SHA-256 over the relative names and bytes of a folder's files, in name order."""
    files = sorted(p for p in folder.glob(pattern) if p.is_file())
    return digest([(p.relative_to(folder).as_posix(), file_digest(p)) for p in files])
