"""Digests: of values, by their canonical JSON, and of files, by their bytes."""

import hashlib
from pathlib import Path

from evalharness.codec import encode


def digest(value: object) -> str:
    """SHA-256 (64 hex digits) of a value's canonical JSON: dataclasses as objects, keys sorted."""
    return hashlib.sha256(encode(value)).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (64 hex digits) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path, pattern: str = "**/*") -> str:
    """SHA-256 over the relative names and bytes of a folder's files, in name order."""
    files = sorted(p for p in folder.glob(pattern) if p.is_file())
    return digest([(p.relative_to(folder).as_posix(), file_digest(p)) for p in files])
