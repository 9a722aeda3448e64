"""The tags that a tagger knows: its selected_tags.csv (tag_id, name, category, count)."""

import csv
from functools import lru_cache
from pathlib import Path

from evalharness.errors import HarnessError, PerceptionError
from evalharness.models.cache import checked_file
from evalharness.models.table import find_model

GENERAL = 0
"""The category of what is to be seen; 4 are characters' names, 9 ratings."""


def read_tags(path: Path) -> tuple[tuple[str, int], ...]:
    """Names and categories in the order of the tagger's output; raises PerceptionError for another kind of file."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [(row["name"], int(float(row["category"]))) for row in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise PerceptionError(f"{path} is no table of tags (tag_id, name, category, count): {error!r}.") from None
    return tuple(rows)


def general_tags(tagger: str) -> frozenset[str] | None:
    """The names of a tagger's general tags, or None where its table is not in the cache: a small file, pinned."""
    try:
        model = find_model(tagger, "tagger")
        return _general(checked_file(model, list(model.files)[1]))
    except HarnessError:
        return None


@lru_cache
def _general(path: Path) -> frozenset[str]:
    return frozenset(name for name, category in read_tags(path) if category == GENERAL)


def spelt(tag: str) -> str:
    """A tag as the vocabulary spells it: lower case, underscores for spaces, no blanks at the ends."""
    return "_".join(tag.lower().split())
