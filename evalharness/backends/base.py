"""What an image maker is: the seam between the harness and anything that can draw."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from PIL.Image import Image

from evalharness.types import Cell, Failure, Subject

Fact = str | int | float | bool


class Maker(Protocol):
    """Makes images. Constructed with the options of conf/backend/<name>.yaml as keyword arguments.

    Constructing is cheap: models load at the first `prove` or `generate`, so that a plan costs nothing.

    A maker may have more than this: see optional.py.
    """

    batch_size: int

    def fingerprint(self) -> Mapping[str, Fact]:
        """All that can change a pixel beside the cell: maker, weights' digest, dtype, device type, versions.

        Equal fingerprints promise images equal to within one 8-bit step. Raises BackendError for a missing model.
        """
        ...

    def native_size(self) -> tuple[int, int]:
        """Width and height in pixels that the model was trained for."""
        ...

    def prove(self, subject: Subject) -> None:
        """Load the subject's LoRA files once and refuse them (SubjectError) unless every key found its layer."""
        ...

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image | Failure]:
        """One image per cell, in order; all cells are of this subject, of one strength and one size.

        The frames of one clip stand side by side.

        Each image depends on its own cell alone: noise comes from one CPU generator per cell.
        """
        ...
