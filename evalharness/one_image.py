"""All that a run knows of one of its images: `evalharness show RUN IMAGE.png`, or `--cell KEY`."""

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from evalharness.errors import InputError
from evalharness.store import PNG_KEY
from evalharness.types import Cell, Failure, FinishedRun, Score

LEAST_PREFIX = 4
"""Characters of a key that must be given; fewer name a cell by luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneImage:
    """A cell with its image's path, or why there is none, and every score with its reason."""

    cell: Cell
    path: Path | None
    failure: str | None
    scores: tuple[Score, ...]


def one_image(run: FinishedRun, folder: Path, key: str) -> OneImage:
    """The image of the only cell whose key begins so; raises InputError where none or several do."""
    if len(key) < LEAST_PREFIX:
        raise InputError(f"'{key}' is too short to name a cell; give at least {LEAST_PREFIX} characters of its key.")
    found = [cell for cell in run.cells if cell.key.startswith(key.lower())]
    if not found:
        raise InputError(f"no cell of '{folder}' has a key that begins with '{key}'; images are named by their keys.")
    if len(found) > 1:
        raise InputError(f"{len(found)} cells have keys that begin with '{key}'; give more characters.")
    (cell,) = found
    image = run.images[cell.key]
    return OneImage(
        cell=cell,
        path=None if isinstance(image, Failure) else folder / image,
        failure=image.reason if isinstance(image, Failure) else None,
        scores=tuple(run.scores.get(cell.key, ())),
    )


def key_in(path: Path) -> str:
    """The cell's key that a PNG carries in its text, under whatever name it lies; no pixel is decoded.

    Raises InputError for what is no image, and for an image that no run has made.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            text = image.info.get(PNG_KEY)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is no PNG"
        raise InputError(f"'{path}' cannot be read ({reason}); give a PNG that a run has made.") from None
    try:
        key = json.loads(text)["cell"]["key"]
    except (TypeError, KeyError, ValueError, RecursionError):
        key = None
    if not isinstance(key, str):
        raise InputError(f"'{path}' carries no cell; only images that a run has made do.")
    return key
