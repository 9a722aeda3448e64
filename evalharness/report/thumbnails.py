"""Small pictures for the page's grid, kept beside the images: made once, and again only for an image that changed."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from evalharness.types import Cell, Failure

FOLDER = "thumbnails"
LONGEST = 256
"""Pixels of a thumbnail's longer side; smaller images keep their size."""
QUALITY, METHOD = 80, 0
"""WebP's quality, and its effort: more of it takes 20 to 60 % longer for a fifth fewer bytes (128 px, measured)."""
FORMATS = ("PNG", "JPEG", "WEBP")
LARGEST_IMAGE = 64_000_000
"""Pixels; what is larger is not opened for a thumbnail."""

UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning)

Images = Mapping[str, str | Failure]


def write_thumbnails(folder: Path, cells: tuple[Cell, ...], images: Images) -> frozenset[str]:
    """Make what is missing under `folder/thumbnails`; the keys of the cells that have one.

    A thumbnail that is not older than its image is kept. An image that cannot be read has none: the page then shows
    the image itself, or what the browser makes of it. Threads suffice, since Pillow works outside Python's lock.
    """
    named = [cell.key for cell in cells if cell.key.isalnum()]
    made = [(key, folder / path) for key in named if isinstance(path := images.get(key), str)]
    if not made:
        return frozenset()
    home = folder / FOLDER
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(lambda one: _is_there(home / f"{one[0]}.webp", one[1]), made)
        return frozenset(key for (key, _), there in zip(made, done, strict=True) if there)


def _is_there(target: Path, source: Path) -> bool:
    try:
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            return True
        _write(target, source)
    except UNREADABLE:
        return False
    return True


def _write(target: Path, source: Path) -> None:
    """Under a name of its own until it is whole, so that a process that ends early leaves no half picture."""
    small = opened(source, LONGEST)
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        small.save(temporary, "WEBP", quality=QUALITY, method=METHOD)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def opened(source: Path, longest: int | None = None) -> Image.Image:
    """An image in RGB, no side longer than `longest` pixels; raises ValueError for one that is too large to open."""
    with Image.open(source, formats=FORMATS) as image:
        if image.width * image.height > LARGEST_IMAGE:
            raise ValueError(
                f"'{source}' has {image.width} x {image.height} pixels; at most {LARGEST_IMAGE} are opened."
            )
        image.draft("RGB", (longest or image.width,) * 2)
        small: Image.Image = image.convert("RGB")
    if longest is not None:
        small.thumbnail((longest, longest), reducing_gap=2.0)
    return small
