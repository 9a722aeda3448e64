"""A maker that opens images which already exist, so that they are scored like generated ones."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from evalharness.backends.base import Fact
from evalharness.backends.options import checked_options
from evalharness.errors import BackendError, InputError
from evalharness.paths import IMAGE_SUFFIXES, resolve
from evalharness.types import Cell, Failure, Subject

LARGEST_PIXELS = 64_000_000


class FolderMaker:
    """Opens each cell's `source`; a relative one is looked for in the folder `model`. Never writes, never resizes."""

    def __init__(
        self,
        model: str = "",
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 8,
        options: Mapping[str, object] | None = None,
    ) -> None:
        checked_options(options or {}, {})
        self.batch_size = batch_size
        self._folder = resolve(model)

    def fingerprint(self) -> Mapping[str, Fact]:
        """Nothing here can change a pixel: the files are what they are."""
        return {"maker": "folder"}

    def native_size(self) -> tuple[int, int]:
        """Raises BackendError: existing images have each their own size."""
        raise BackendError("images of a folder have each their own size; set the suite's width and height instead.")

    def prove(self, subject: Subject) -> None:
        """Nothing to prove: whoever made the images applied the subject."""

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image.Image | Failure]:
        """The image of each cell as RGB, or why it cannot be read."""
        return [self._open(cell) for cell in cells]

    def _open(self, cell: Cell) -> Image.Image | Failure:
        if cell.source is None:
            return Failure(reason=f"the cell of prompt '{cell.prompt.id}' names no image file")
        return read_image(self._folder / cell.source)


def reference_files(folder: Path) -> list[Path]:
    """The images of a folder of references, in name order; raises InputError where there is none."""
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise InputError(f"references '{folder}' holds no image; give a folder with PNG, JPEG or WebP files.")
    return files


def read_reference(path: Path) -> Image.Image:
    """A reference image as RGB; raises InputError where it cannot be read."""
    image = read_image(path)
    if isinstance(image, Failure):
        raise InputError(f"reference image: {image.reason}; remove or replace it.")
    return image


def read_image(path: Path) -> Image.Image | Failure:
    """A file's first frame as RGB, or the reason why not; more than 64 megapixels are refused before decoding."""
    if not path.is_file():
        return Failure(reason=f"{path} does not exist")
    try:
        with warnings.catch_warnings():
            # our own limit is stricter and speaks in words
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                width, height = image.size
                if width * height > LARGEST_PIXELS:
                    return Failure(reason=f"{path} has {width} x {height} pixels; at most 64 megapixels are read")
                converted: Image.Image = image.convert("RGB")
                return converted
    except Exception as error:  # a damaged file makes Pillow raise nearly every built-in type
        return Failure(reason=f"{path} cannot be read as an image ({error})")
