"""A run's page to take elsewhere: a folder with the page and the pictures it shows, or one file that holds them all."""

import base64
import io
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from evalharness.replacing import write_whole
from evalharness.report.html import PAGE_NAME, render, write_report
from evalharness.report.thumbnails import FOLDER, LONGEST, QUALITY, UNREADABLE, opened
from evalharness.types import FinishedRun

SINGLE_NAME = "report_single.html"
FULL_QUALITY = 90
"""WebP quality of full images inside the page; the run's own PNGs stay as they are."""


def write_folder(folder: Path, given: FinishedRun, target: Path) -> Path:
    """The page, its thumbnails, images and clips under `target`, nothing else of the run; returns the page's path."""
    write_report(folder, given)
    shown = [path for path in given.images.values() if isinstance(path, str)]
    small = [f"{FOLDER}/{cell.key}.webp" for cell in given.cells]
    for relative in (PAGE_NAME, *dict.fromkeys((*shown, *small, *given.clips.values()))):
        _copy(folder / relative, target / relative)
    return target / PAGE_NAME


def _copy(source: Path, target: Path) -> None:
    """Nothing where there is no source (an image that was lost), or where the target is the same already."""
    if not source.is_file() or (target.exists() and target.samefile(source)):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def write_single(folder: Path, given: FinishedRun) -> Path:
    """`folder/report_single.html`: thumbnails and full images inside it, as WebP; returns its path."""
    paths = [path if isinstance(path := given.images.get(cell.key), str) else None for cell in given.cells]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pairs = list(pool.map(lambda path: inside(folder / path) if path else (None, 0), paths))
    full, small = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return write_whole(folder / SINGLE_NAME, render(given, {"embedded": full, "thumbnails": small}))


def inside(source: Path) -> tuple[str | None, str | int]:
    """The image and its thumbnail as addresses; 0 where the image is small enough to be its own."""
    try:
        image = opened(source)
    except UNREADABLE:
        return None, 0
    full = _address(image, FULL_QUALITY)
    if max(image.size) <= LONGEST:
        return full, 0
    image.thumbnail((LONGEST, LONGEST), reducing_gap=2.0)
    return full, _address(image, QUALITY)


def _address(image: Image.Image, quality: int) -> str:
    body = io.BytesIO()
    image.save(body, "WEBP", quality=quality, method=2)
    return "data:image/webp;base64," + base64.b64encode(body.getvalue()).decode("ascii")
