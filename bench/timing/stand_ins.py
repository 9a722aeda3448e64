"""A perceiver that sees nothing, and a maker that waits as a device lets the processor wait."""

import time
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from evalharness import registry
from evalharness.backends.fake import FakeMaker
from evalharness.types import Cell, Failure, Observation, Subject


class Blind:
    """A perceiver that sees nothing, in no time."""

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """Its name."""
        return {"perceiver": "blind"}

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        """The images' sizes."""
        return [Observation(width=image.width, height=image.height) for image in images]


class Waiting(FakeMaker):
    """A stand-in for a device: waits for each image, and then gives one that was drawn before."""

    ready: tuple[Image.Image, ...] = ()
    seconds = 0.0

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """Its name, and the kind of device it stands in for."""
        return {"maker": "waiting", "device": "cuda"}

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image.Image | Failure]:
        """Wait for each image; a shade per subject lets the proof hold that its LoRA changes pixels."""
        time.sleep(self.seconds * len(cells))
        shade = np.uint8(8 * bool(subject.loras))
        drawn = (np.asarray(self.ready[(cell.seed + len(cell.prompt.id)) % len(self.ready)]) for cell in cells)
        return [Image.fromarray(pixels ^ shade) for pixels in drawn]


def register() -> None:
    """Make the bench's own maker and perceiver known by name."""
    registry.TABLES = {
        **registry.TABLES,
        "backend": {**registry.TABLES["backend"], "waiting": f"{__name__}:Waiting"},
        "perception": {**registry.TABLES["perception"], "blind": f"{__name__}:Blind"},
    }
