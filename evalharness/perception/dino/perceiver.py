"""The perceiver `dino`: all that another perceiver sees, and an embedding that was taught by pictures alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from PIL import Image

from evalharness.errors import PerceptionError, unknown
from evalharness.models.cache import digests, present
from evalharness.models.table import find_model
from evalharness.perception.base import read_texts
from evalharness.perception.beside import LooksBeside, Names, head_of, looks_first
from evalharness.perception.dino.network import picture_embedding
from evalharness.types import Observation

VERSION = 1
DIGITS = 5
"""Of an embedding's numbers: enough that cosines keep four digits."""
DEVICES = ("cpu", "cuda")


class DinoPerceiver(LooksBeside):
    """Sees what another perceiver sees, and compares pictures with pictures by a DINO.

    Args:
        dino: the name of a pictures model of the table.
        device: cpu or cuda.
        beside: the perceiver that looks first: offline, anime, photo or clip; of several the last one looks first.
        models: those of anime, where it looks first.
        others: those perceivers' options, which a suite may preset.
    """

    def __init__(
        self,
        *,
        dino: str = "dinov2-small",
        device: str = "cpu",
        beside: Names = "offline",
        models: Mapping[str, str | None] | None = None,
        **others: Any,
    ) -> None:
        if device not in DEVICES:
            raise PerceptionError(unknown("device of perception", device, DEVICES))
        self.model = find_model(dino, "pictures")
        self.device = device
        super().__init__(looks_first(beside, "dino", models, others, device=device), head_of(beside))

    def own_fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """The model's name and digests, and where it runs."""
        own: dict[str, str | int | float | bool] = {
            "perceiver": "dino",
            "version": VERSION,
            "device": self.device,
            "model": f"{self.model.name} {' '.join(digest[:12] for digest in digests(self.model))}",
        }
        packages = {name: version(name) for name in ("transformers", "torch")}
        return own | packages

    def own_ready(self) -> None:
        """Raise PerceptionError for a model that is not here."""
        present(self.model)

    def add(self, images: Sequence[Image.Image], seen: Sequence[Observation]) -> list[Observation]:
        """The observations, each with its embedding."""
        return [self._more(*both) for both in zip(images, seen, strict=True)]

    def observe_texts(self, texts: Sequence[str]) -> list[Observation]:
        """The texts as the other perceiver reads them."""
        return read_texts(self.beside, texts)

    def _more(self, image: Image.Image, seen: Observation) -> Observation:
        name, found = self.model.name, picture_embedding(image, self.model, self.device)
        short = tuple(float(f"{value:.{DIGITS}g}") for value in found)
        return replace(seen, embeddings={**seen.embeddings, name: short}, judges={**seen.judges, "pictures": name})
