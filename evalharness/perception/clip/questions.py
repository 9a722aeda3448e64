"""What a CLIP is asked of a picture and of a face's parts: question -> answer -> prompts, averaged (zero-shot)."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from evalharness.digest import file_digest
from evalharness.errors import PerceptionError
from evalharness.models.cache import checked_file
from evalharness.models.table import Model, find_model
from evalharness.paths import resolve
from evalharness.perception.anime.session import Numbers
from evalharness.perception.clip.network import opened_clip, text_embeddings

TABLE = Path(__file__).with_suffix(".toml")
OWN = "questions.toml"
"""The file of a model that is asked in words of its own."""
PARTS = "parts."
"""Before the names of questions that are asked of crops: eyes, brows, mouth."""
Questions = Mapping[str, Mapping[str, tuple[str, ...]]]


def questions_file(given: str | None, model: Model) -> Path:
    """The table a CLIP is asked from: the one that is given, else the model's own, else ours."""
    if given is not None:
        return resolve(given)
    return checked_file(model, OWN) if OWN in model.files else TABLE


@lru_cache
def read_questions(path: Path) -> Questions:
    """A table of questions, those about parts as `parts.eyes`; raises PerceptionError where it is not one."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        parts = msgspec.convert(raw.pop("parts", {}), dict[Literal["eyes", "brows", "mouth"], dict[str, Any]])
        raw |= {f"{PARTS}{name}": answers for name, answers in parts.items()}
        found = msgspec.convert(raw, dict[str, dict[str, tuple[str, ...]]])
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PerceptionError(f"the questions of {path} cannot be read: {str(error).rstrip('.')}.") from None
    for question, answers in found.items():
        if len(answers) < 2 or not all(answers.values()):
            raise PerceptionError(
                f"question '{question}' of {path} needs two answers or more, each with a prompt or more."
            )
    return found


def answers_of(
    seen: Numbers, asked: Path, model: Model, device: str, part: str | None = None
) -> dict[str, dict[str, float]]:
    """Each question's probabilities for a picture's embedding: softmax of the scaled cosines, as CLIP was taught.

    Radford et al. 2021, section 3.1. They sum to 1 over a question's answers, whichever of them fits. Of a crop of a
    `part` (eyes, brows, mouth) only the question about it is asked.
    """
    scale = opened_clip(model, device).scale
    found = {}
    for question, prompts in _embedded(asked, file_digest(asked), model.name, device).items():
        if question.startswith(PARTS) if part is None else question != f"{PARTS}{part}":
            continue
        logits = scale * np.array(list(prompts.values())) @ seen
        shares = np.exp(logits - np.max(logits))
        shares = shares / shares.sum()
        found[question] = {answer: round(float(share), 4) for answer, share in zip(prompts, shares, strict=True)}
    return found


@lru_cache(maxsize=4)
def _embedded(asked: Path, _digest: str, name: str, device: str) -> dict[str, dict[str, Numbers]]:
    """The answers' mean embeddings, of length 1."""
    model = find_model(name, "clip")
    found: dict[str, dict[str, Numbers]] = {}
    for question, answers in read_questions(asked).items():
        found[question] = {}
        for answer, prompts in answers.items():
            mean = text_embeddings(list(prompts), model, device).mean(axis=0)
            found[question][answer] = np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)
    return found
