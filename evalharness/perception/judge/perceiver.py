"""The perceiver `judge`: all that another perceiver sees, and a vision-language model's answers of yes or no."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from PIL import Image

from evalharness.digest import file_digest
from evalharness.errors import PerceptionError
from evalharness.models.cache import digests, present
from evalharness.models.table import find_model
from evalharness.perception.base import read_texts
from evalharness.perception.beside import LooksBeside, looks_first
from evalharness.perception.judge.ask import answers_to
from evalharness.perception.judge.calibrated import probability, scaling_of
from evalharness.perception.judge.network import Runtime
from evalharness.perception.judge.questions import asks_file, read_questions
from evalharness.types import Observation

VERSION = 1
SAID = 0.1
"""Probability of yes and no together below which the model did not answer the question."""


class JudgePerceiver(LooksBeside):
    """Sees what another perceiver sees, and asks a vision-language model about every picture.

    Args:
        judge: the name of a judge model of the table.
        asks: a table of questions (see questions.toml), null = ours.
        calibration: {temperature, bias} of its answers, null = as the model says (see calibrated.py).
        device: cpu or cuda.
        dtype: float32, bfloat16, float16, or auto: float32 on the CPU, bfloat16 on a GPU.
        beside: the perceiver that looks first: offline, anime, clip or photo.
        others: that perceiver's options, which a suite may preset; among them `models` of anime, and the name of a clip
            model as `clip`, where they look first.
    """

    def __init__(
        self,
        *,
        judge: str,
        asks: str | None = None,
        calibration: Mapping[str, float] | None = None,
        device: str = "cpu",
        dtype: str = "auto",
        beside: str = "offline",
        **others: Any,
    ) -> None:
        self.runtime = Runtime(device=device, dtype=dtype)
        self.model = find_model(judge, "judge")
        self.asks = asks
        self.scaling = scaling_of(calibration)
        models, clip = others.pop("models", None), others.pop("clip", None)
        if beside == "clip":
            others |= {"model": _needed(clip), "device": device}
        super().__init__(looks_first(beside, "judge", models, others), beside)

    def own_fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """The model's revision and digests, the questions, and how answers become numbers."""
        own: dict[str, str | int | float | bool] = {
            "perceiver": "judge",
            "version": VERSION,
            "device": self.runtime.device,
            "dtype": self.runtime.numbers,
            "model": " ".join((self.model.name, self.model.revision, *(one[:12] for one in digests(self.model)))),
            "questions": file_digest(asks_file(self.asks))[:12],
            "temperature": self.scaling.temperature,
            "bias": self.scaling.bias,
        }
        packages = {name: version(name) for name in ("torch", "transformers")}
        return own | packages

    def own_ready(self) -> None:
        """Raise PerceptionError for a model that is not here."""
        present(self.model)

    def add(self, images: Sequence[Image.Image], seen: Sequence[Observation]) -> list[Observation]:
        """The observations, each with the answers."""
        return [self._more(*both) for both in zip(images, seen, strict=True)]

    def observe_texts(self, texts: Sequence[str]) -> list[Observation]:
        """The texts as the other perceiver reads them."""
        return read_texts(self.beside, texts)

    def _more(self, image: Image.Image, seen: Observation) -> Observation:
        questions, name = read_questions(asks_file(self.asks)), self.model.name
        texts = list(dict.fromkeys(text for one in questions.values() for text in one))
        given = dict(zip(texts, answers_to(image, texts, self.model, self.runtime), strict=True))
        affirmed, blind = {}, {}
        for key, one in questions.items():
            heard = [given[text] for text in one]
            if (said := min(answer.said for answer in heard)) < SAID:
                blind[f"judge {key}"] = f"{name} answered neither yes nor no ({said:.2f} of what it might say)"
            else:
                affirmed[key] = round(probability(heard, self.scaling), 4)
        judges = {**seen.judges, "affirmed": name}
        return replace(seen, affirmed=affirmed, blind={**seen.blind, **blind}, judges=judges)


def _needed(clip: str | None) -> str:
    if clip is None:
        raise PerceptionError(
            "perception.options.beside is clip, which looks with the model that it is told; "
            "give perception.options.clip=clip-vit-b-32-laion2b, or another of `evalharness models list`."
        )
    return clip
