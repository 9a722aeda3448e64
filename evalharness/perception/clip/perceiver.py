"""The perceiver `clip`: all that another perceiver sees, and a CLIP's embedding and answers to questions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from evalharness.digest import file_digest
from evalharness.errors import PerceptionError, unknown
from evalharness.models.cache import digests, present
from evalharness.models.table import find_model
from evalharness.perception.beside import LooksBeside, Names, head_of, looks_first
from evalharness.perception.clip.crops import main_face, part_crops
from evalharness.perception.clip.network import image_embedding, imported, text_embeddings
from evalharness.perception.clip.questions import PARTS, answers_of, questions_file, read_questions
from evalharness.types import Observation

VERSION = 1
DIGITS = 5
"""Of an embedding's numbers: enough that cosines keep four digits."""
DEVICES = ("cpu", "cuda")


class ClipPerceiver(LooksBeside):
    """Sees what another perceiver sees, and compares pictures with texts by a CLIP.

    Args:
        model: the name of a clip model of the table.
        questions: a table of questions (see questions.toml), null = the model's own, or ours.
        device: cpu or cuda.
        beside: the perceiver that looks first: offline, anime, photo or dino; of several the last one.
        models: those of anime, where it looks first.
        others: that perceiver's options, which a suite may preset.
    """

    def __init__(
        self,
        *,
        model: str,
        questions: str | None = None,
        device: str = "cpu",
        beside: Names = "offline",
        models: Mapping[str, str | None] | None = None,
        **others: Any,
    ) -> None:
        if device not in DEVICES:
            raise PerceptionError(unknown("device of perception", device, DEVICES))
        self.model = find_model(model, "clip")
        self.questions = questions
        self.device = device
        super().__init__(looks_first(beside, "clip", models, others, device=device), head_of(beside))

    def own_fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """The model's name and digests, the questions, and where it runs."""
        try:
            packages = {name: version(name) for name in ("open_clip_torch", "torch")}
        except PackageNotFoundError:
            imported()
            packages = {"open_clip_torch": "of another package"}
        own: dict[str, str | int | float | bool] = {
            "perceiver": "clip",
            "version": VERSION,
            "device": self.device,
            "model": f"{self.model.name} {' '.join(digest[:12] for digest in digests(self.model))}",
            "questions": file_digest(questions_file(self.questions, self.model))[:12],
        }
        return own | packages

    def own_ready(self) -> None:
        """Raise PerceptionError for a package or a model that is not here."""
        # to look for it takes no time, to import it takes seconds, which processes that look beside pay themselves
        if find_spec("open_clip") is None:
            imported()
        present(self.model)
        questions_file(self.questions, self.model)

    def add(self, images: Sequence[Image.Image], seen: Sequence[Observation]) -> list[Observation]:
        """The observations, each with its embedding and answers."""
        return [self._more(*both) for both in zip(images, seen, strict=True)]

    def observe_texts(self, texts: Sequence[str]) -> list[Observation]:
        """One observation per text, without width and height: its embedding, to compare pictures with."""
        if not texts:
            return []
        found = text_embeddings(list(texts), self.model, self.device)
        judges = {"likeness": self.model.name}
        return [
            Observation(width=0, height=0, embeddings={self.model.name: _short(one)}, judges=judges) for one in found
        ]

    def _more(self, image: Image.Image, seen: Observation) -> Observation:
        name, found = self.model.name, image_embedding(image, self.model, self.device)
        asked = questions_file(self.questions, self.model)
        answers = answers_of(found, asked, self.model, self.device) | self._of_parts(image, seen, asked)
        return replace(
            seen,
            embeddings={**seen.embeddings, name: _short(found)},
            answers={**seen.answers, **answers},
            judges={**seen.judges, "likeness": name, "answers": name},
        )

    def _of_parts(self, image: Image.Image, seen: Observation, asked: Path) -> dict[str, dict[str, float]]:
        """What is answered for crops of the main face's parts, where the table asks about them."""
        face, wanted = main_face(seen.faces), {name for name in read_questions(asked) if name.startswith(PARTS)}
        found: dict[str, dict[str, float]] = {}
        for part, crop in (part_crops(image, face) if face and wanted else {}).items():
            if f"{PARTS}{part}" in wanted:
                embedding = image_embedding(crop, self.model, self.device)
                found |= answers_of(embedding, asked, self.model, self.device, part)
        return found


def _short(found: Any) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in found)
