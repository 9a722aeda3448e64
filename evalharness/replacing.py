"""A file that is whole or absent, whatever happens while it is written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(target: Path, mark: str = "") -> Iterator[IO[bytes]]:
    """A file that appears under its name only when it is complete and on disk.

    What a kill leaves half written, the next writer replaces. Where two may write at once, each has its own `mark`.
    """
    temporary = target.with_name(f".{target.name}{mark}.part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(target: Path, text: str) -> Path:
    """Write a text as UTF-8 and return its path; a file that is already there stays whole until the new one is."""
    with replacing(target, f".{os.getpid()}") as file:
        # a lone surrogate of a file's name cannot be UTF-8; it is shown as '?'
        file.write(text.encode("utf-8", "replace"))
    return target
