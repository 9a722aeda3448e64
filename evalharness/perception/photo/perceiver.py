"""The perceiver `photo`: all that another perceiver sees, with faces of photographs read by mediapipe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from PIL import Image

from evalharness.digest import file_digest
from evalharness.errors import PerceptionError
from evalharness.models.cache import digests
from evalharness.models.table import find_model
from evalharness.perception.base import Perceiver
from evalharness.perception.photo.landmarker import face_of, find_faces, imported
from evalharness.perception.photo.units import TABLE
from evalharness.registry import find
from evalharness.types import Observation

VERSION = 1
NO_FACE = "no face was found, neither by mediapipe, which sees photographs, nor as an anime face"


class PhotoPerceiver:
    """Sees what another perceiver sees; where mediapipe finds faces, they take the place of the other's.

    Args:
        model: the name of a landmarks model of the table.
        least: how sure mediapipe must be of a face, 0..1.
        beside: the perceiver that looks first: offline or anime.
        others: that perceiver's options, which a suite may preset.
    """

    def __init__(self, *, model: str, least: float = 0.5, beside: str = "offline", **others: Any) -> None:
        if not 0.0 < least <= 1.0:
            raise PerceptionError(f"perception.options.least is {least}; it must be above 0 and at most 1.")
        if beside == "photo":
            raise PerceptionError("perception.options.beside is photo; photo looks beside another perceiver.")
        self.model = find_model(model, "landmarks")
        self.least = least
        self.beside: Perceiver = find("perception", beside)(**others)
        self.name = beside

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """The other perceiver's, the model's name and digest, the table of units, and mediapipe's version."""
        try:
            runs = version("mediapipe")
        except PackageNotFoundError:
            imported()
            runs = "of another package"
        own: dict[str, str | int | float | bool] = {
            "perceiver": "photo",
            "version": VERSION,
            "mediapipe": runs,
            "least": self.least,
            "model": f"{self.model.name} {' '.join(digest[:12] for digest in digests(self.model))}",
            "units": file_digest(TABLE)[:12],
        }
        return own | {f"{self.name} {name}": value for name, value in self.beside.fingerprint().items()}

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        """One observation per image, in order; raises PerceptionError for a model that is missing or not as pinned."""
        seen = self.beside.observe(images)
        return [self._more(image.convert("RGB"), one) for image, one in zip(images, seen, strict=True)]

    def _more(self, image: Image.Image, seen: Observation) -> Observation:
        found = find_faces(image, self.model, self.least)
        if not found:
            return seen if seen.faces else replace(seen, blind={**seen.blind, "face": NO_FACE})
        faces = tuple(face_of(one, image, self.model, self.least) for one in found)
        blind = {question: why for question, why in seen.blind.items() if question != "face"}
        judges = {**seen.judges, "faces": self.model.name, "parts": self.model.name}
        return replace(seen, faces=faces, blind=blind, judges=judges)
