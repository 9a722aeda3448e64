"""The perceiver `anime`: all that offline perception sees, and what models made for drawn characters add."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from PIL import Image

from evalharness.errors import PerceptionError, unknown
from evalharness.models.cache import digests, present
from evalharness.models.table import Model, find_model
from evalharness.perception.anime.ccip import embedding_of
from evalharness.perception.anime.corrupt import find_corruption
from evalharness.perception.anime.detector import find_boxes, find_eyes, joined
from evalharness.perception.anime.session import Runtime, imported
from evalharness.perception.anime.tagger import tags_of
from evalharness.perception.offline import OfflinePerceiver
from evalharness.types import Observation

VERSION = 1
KINDS = ("tagger", "identity", "corruption", "faces", "heads", "eyes")


class AnimePerceiver:
    """Sees what offline perception sees, and tags, identity, corruption and faces by models for drawn characters.

    Args:
        models: the name of a model of the table for each of KINDS (tagger, identity, ...); null or left out:
            nobody looks for that.
        device: cpu, or cuda (with the package onnxruntime-gpu).
        threads: of the processor for each model, 0 = as many as there are cores.
        offline: the options of offline perception, which a suite may preset.
    """

    def __init__(
        self, *, models: Mapping[str, str | None] | None = None, device: str = "cpu", threads: int = 0, **offline: Any
    ) -> None:
        given = {kind: name for kind, name in (models or {}).items() if name is not None}
        for kind in given:
            if kind not in KINDS:
                raise PerceptionError(unknown("kind of model", kind, KINDS))
        self.models: dict[str, Model] = {kind: find_model(given[kind], kind) for kind in KINDS if kind in given}  # type: ignore[arg-type]
        self.runtime = Runtime(device=device, threads=threads)
        self.offline = OfflinePerceiver(**offline)

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """Offline perception's, the models' names and digests, and where they run."""
        try:
            runs = version("onnxruntime-gpu" if self.runtime.device == "cuda" else "onnxruntime")
        except PackageNotFoundError:
            imported()
            runs = "of another package"
        own: dict[str, str | int | float | bool] = {
            "perceiver": "anime",
            "version": VERSION,
            "onnxruntime": runs,
            "device": self.runtime.device,
        }
        looked = {kind: f"{one.name} {' '.join(d[:12] for d in digests(one))}" for kind, one in self.models.items()}
        return own | looked | {f"offline {name}": value for name, value in self.offline.fingerprint().items()}

    def ready(self) -> None:
        """Raise PerceptionError for a package or a model that is not here."""
        imported()
        for model in self.models.values():
            present(model)

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        """One observation per image, in order; raises PerceptionError for a model that is missing or not as pinned."""
        seen = self.offline.observe(images)
        return [self._more(image.convert("RGB"), one) for image, one in zip(images, seen, strict=True)]

    def _more(self, image: Image.Image, seen: Observation) -> Observation:
        models, runtime = self.models, self.runtime
        if tagger := models.get("tagger"):
            judges = {**seen.judges, "tags": tagger.name}
            seen = replace(seen, tags=tags_of(image, tagger, runtime), judges=judges)
        if identity := models.get("identity"):
            embeddings = {**seen.embeddings, identity.name: embedding_of(image, identity, runtime)}
            seen = replace(seen, embeddings=embeddings, judges={**seen.judges, "identity": identity.name})
        if corruption := models.get("corruption"):
            findings = (*seen.findings, find_corruption(image, corruption, runtime))
            seen = replace(seen, findings=findings, judges={**seen.judges, "corrupted": corruption.name})
        if detector := models.get("faces"):
            seen = _with_faces(seen, image, detector, runtime)
        if detector := models.get("heads"):
            found = tuple(head.box for head in find_boxes(image, detector, runtime))
            judges = {**seen.judges, "heads": detector.name}
            seen = replace(seen, boxes={**seen.boxes, "heads": found}, judges=judges)
        if (detector := models.get("eyes")) and (eyes := find_eyes(image, seen.faces, detector, runtime)) is not None:
            judges = {**seen.judges, "eyes": detector.name}
            seen = replace(seen, boxes={**seen.boxes, "eyes": eyes}, judges=judges)
        return seen


def _with_faces(seen: Observation, image: Image.Image, detector: Model, runtime: Runtime) -> Observation:
    """Faces counted by the detector; it sees profiles, so that none is no blindness."""
    faces = joined(find_boxes(image, detector, runtime), seen.faces)
    blind = {question: why for question, why in seen.blind.items() if question != "face"}
    return replace(seen, faces=faces, blind=blind, judges={**seen.judges, "faces": detector.name})
