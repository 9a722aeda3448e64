"""The perceiver `photo`: all that another perceiver sees, with faces of photographs read by mediapipe."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from PIL import Image

from evalharness.digest import file_digest
from evalharness.errors import PerceptionError
from evalharness.models.cache import digests, present
from evalharness.models.table import find_model
from evalharness.perception.beside import LooksBeside, Names, head_of, looks_first
from evalharness.perception.photo.landmarker import Found, face_of, find_faces, imported
from evalharness.perception.photo.skin import skin_texture
from evalharness.perception.photo.units import TABLE
from evalharness.types import Observation

VERSION = 2
NO_FACE = "no face was found, neither by mediapipe, which sees photographs, nor as an anime face"


class PhotoPerceiver(LooksBeside):
    """Sees what another perceiver sees; where mediapipe finds faces, they take the place of the other's.

    Args:
        landmarks: the name of a landmarks model of the table.
        least: how sure mediapipe must be of a face, 0..1.
        beside: the perceiver that looks first: offline or anime.
        models: those of anime, where it looks first.
        others: that perceiver's options, which a suite may preset.
    """

    def __init__(
        self,
        *,
        landmarks: str = "face-landmarker",
        least: float = 0.5,
        beside: Names = "offline",
        models: Mapping[str, str | None] | None = None,
        **others: Any,
    ) -> None:
        if not 0.0 < least <= 1.0:
            raise PerceptionError(f"perception.options.least is {least}; it must be above 0 and at most 1.")
        self.model = find_model(landmarks, "landmarks")
        self.least = least
        super().__init__(looks_first(beside, "photo", models, others), head_of(beside))

    def own_fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """The model's name and digest, the table of units, and mediapipe's version."""
        try:
            runs = version("mediapipe")
        except PackageNotFoundError:
            imported()
            runs = "of another package"
        return {
            "perceiver": "photo",
            "version": VERSION,
            "mediapipe": runs,
            "least": self.least,
            "model": f"{self.model.name} {' '.join(digest[:12] for digest in digests(self.model))}",
            "units": file_digest(TABLE)[:12],
        }

    def own_ready(self) -> None:
        """Raise PerceptionError for a package or a model that is not here."""
        imported()
        present(self.model)

    def add(self, images: Sequence[Image.Image], seen: Sequence[Observation]) -> list[Observation]:
        """The observations, each with the faces that mediapipe finds, where it finds one."""
        found = find_faces(images, self.model, self.least)
        return [self._more(*three) for three in zip(images, seen, found, strict=True)]

    def _more(self, image: Image.Image, seen: Observation, found: Sequence[Found]) -> Observation:
        if not found:
            return seen if seen.faces else replace(seen, blind={**seen.blind, "face": NO_FACE})
        faces = tuple(face_of(one, image, self.model, self.least) for one in found)
        blind = {question: why for question, why in seen.blind.items() if question != "face"}
        judges = {**seen.judges, "faces": self.model.name, "parts": self.model.name}
        outlines = [part.outline for part in faces[0].parts]
        texture = skin_texture(image, found[0].points, outlines)
        if isinstance(texture, str):
            return replace(seen, faces=faces, blind={**blind, "skin_texture": texture}, judges=judges)
        measures = {**seen.measures, "skin_texture": round(texture, 4)}
        return replace(seen, faces=faces, blind=blind, judges=judges, measures=measures)
