"""A maker that draws cheap pictures without any model: for our tests, and for users' tests of suites and gates."""

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from PIL import Image

from evalharness.backends.base import Fact
from evalharness.backends.options import checked_options, number, words
from evalharness.backends.pixels import clip_bytes
from evalharness.digest import digest, without_defaults
from evalharness.embedded import CLIP
from evalharness.errors import BackendError
from evalharness.types import BASELINE, Cell, Failure, Subject

SIZE = 64
LARGEST = 128
_DEFAULTS: Mapping[str, object] = {"fail_on": (), "delay": 0.0, "quality": {}}


class FakeMaker:
    """Draws a disc on a ground, in milliseconds; nothing but the cell and the subject's identity decides a pixel.

    Prompt and seed decide the drawing, subject and strength shift its colour, so equal draws stay comparable.
    Options: `fail_on` (ids of prompts that fail), `delay` (seconds per batch), `quality` (subject name -> 0..1; 1, the
    default, is a clean drawing and 0 nothing but noise). Model, device and dtype are accepted and mean nothing.
    """

    draws_clips = True

    def __init__(
        self,
        model: str = "",
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 8,
        options: Mapping[str, object] | None = None,
    ) -> None:
        chosen = checked_options(options or {}, _DEFAULTS)
        self.batch_size = batch_size
        self._fail_on = frozenset(words(chosen, "fail_on"))
        self._delay = number(chosen, "delay")
        self._quality = _qualities(chosen["quality"])

    def fingerprint(self) -> Mapping[str, Fact]:
        """Says that no model is behind the pictures; `quality` is part of it because it changes them."""
        return {"maker": "fake", "model": "none, drawn for tests", "drawing": 1, "quality": digest(self._quality)}

    def native_size(self) -> tuple[int, int]:
        """64 by 64 pixels."""
        return SIZE, SIZE

    def prove(self, subject: Subject) -> None:
        """Nothing to prove: any subject changes the drawing."""

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image.Image | Failure]:
        """One drawing per cell of the cell's size, at most 128 pixels a side; the listed prompts fail."""
        batches = -(-len(cells) // self.batch_size)
        time.sleep(self._delay * batches)
        return [image for _, frames in groupby(cells, lambda cell: cell.clip) for image in self._clip(subject, frames)]

    def _clip(self, subject: Subject, cells: Iterable[Cell]) -> list[Image.Image | Failure]:
        """The images of one clip's frames, each with the whole clip; of a still the image alone."""
        wanted = list(cells)
        images, setting = [self._one(subject, cell) for cell in wanted], wanted[0].setting
        if setting.frames == 1:
            return images
        others = (replace(wanted[0], setting=replace(setting, frame=frame)) for frame in range(setting.frames))
        drawn = [image for one in others if isinstance(image := self._one(subject, one), Image.Image)]
        body = clip_bytes(drawn) if drawn else b""
        for image in images:
            if isinstance(image, Image.Image):
                image.info[CLIP] = body
        return images

    def _one(self, subject: Subject, cell: Cell) -> Image.Image | Failure:
        if cell.prompt.id in self._fail_on:
            return Failure(reason=f"the fake maker was told to fail on prompt '{cell.prompt.id}'")
        identity = BASELINE if cell.strength == 0 else f"{subject.identity}@{cell.strength:g}"
        quality = 1.0 if cell.strength == 0 else self._quality.get(subject.name, 1.0)
        return draw(identity, cell, quality)


def draw(identity: str, cell: Cell, quality: float = 1.0) -> Image.Image:
    """A disc whose place and colours come from (prompt, seed) and whose tint comes from `identity`.

    In a clip it moves to the right. A share of 1 - `quality` of each pixel is noise. Both generators are seeded from
    digests, so that a drawing is the same in every process.
    """
    setting = without_defaults(cell.setting.clip, ("frames", "frame"))
    rng = _generator(cell.prompt.text, cell.prompt.negative, cell.seed, setting)
    width, height = min(cell.setting.width, LARGEST), min(cell.setting.height, LARGEST)
    ground, disc = rng.uniform(160, 255, 3), rng.uniform(20, 140, 3)
    center, radius = rng.uniform(0.35, 0.65, 2), rng.uniform(0.2, 0.3)
    tint = np.zeros(3) if identity == BASELINE else _generator(identity).uniform(-20, 20, 3)
    rows, columns = np.mgrid[0:height, 0:width]
    moved = 0.2 * cell.setting.frame / cell.setting.frames
    inside = np.hypot(columns / width - center[0] - moved, rows / height - center[1]) < radius
    clean = np.where(inside[..., None], disc + tint, ground)
    noisy = quality * clean + (1 - quality) * rng.uniform(0, 255, clean.shape)
    return Image.fromarray(noisy.clip(0, 255).round().astype(np.uint8))


def _generator(*parts: object) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(digest(parts).encode()).digest()[:8]))


def _qualities(value: object) -> dict[str, float]:
    """The option `quality` as a mapping of names to 0..1; raises BackendError for anything else."""
    if not isinstance(value, Mapping):
        raise BackendError(f"backend.options.quality is {value!r}; it must map subject names to 0..1.")
    qualities = {str(name): number(value, name) for name in value}
    for name, quality in qualities.items():
        if quality > 1:
            raise BackendError(f"backend.options.quality of '{name}' is {quality}; it must be in 0..1.")
    return qualities
