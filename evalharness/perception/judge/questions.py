"""The table of what a judge is asked: each answer's question, and its negation."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from evalharness.errors import PerceptionError
from evalharness.paths import resolve

TABLE = Path(__file__).with_suffix(".toml")
FORM, PLACE = "form", "{question}"


Question = tuple[str, ...]
"""What is put to the model, and its negation, where it has one."""


def asks_file(given: str | None) -> Path:
    """The table that is given, else ours."""
    return TABLE if given is None else resolve(given)


@lru_cache
def read_questions(path: Path) -> Mapping[str, Question]:
    """Questions by `group.answer`, in the table's order; raises PerceptionError for what is no such table."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        form = msgspec.convert(raw.pop(FORM, {}), dict[str, str]).get("question", PLACE)
        groups = msgspec.convert(raw, dict[str, dict[str, tuple[str, ...]]])
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PerceptionError(f"the questions of {path} cannot be read: {str(error).rstrip('.')}.") from None
    if PLACE not in form:
        raise PerceptionError(f"form.question of {path} is {form!r}; it must hold {PLACE}.")
    asked = {f"{group}.{answer}": texts for group, answers in groups.items() for answer, texts in answers.items()}
    for name, texts in asked.items():
        if len(texts) not in (1, 2) or not all(texts):
            raise PerceptionError(f"{name} of {path} has {len(texts)} texts; give a question, or it and its negation.")
    if not asked:
        raise PerceptionError(f"{path} asks nothing; give groups of answers, as [emotion] happy = ['...'].")
    return {name: tuple(form.replace(PLACE, text) for text in texts) for name, texts in asked.items()}
