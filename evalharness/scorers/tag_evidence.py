"""What tags say: the table tag_evidence.toml, and whether a tag was seen, surely not seen, or neither."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from evalharness.models.table import threshold_of
from evalharness.types import Observation

TABLE = Path(__file__).with_suffix(".toml")
CLEAR = 0.5
"""Share of a tagger's threshold below which a tag counts as absent; between the two nobody can tell."""


class OnePerson(msgspec.Struct, frozen=True):
    """Tags by which a picture shows the face of one person: one of `shown`, none of `others` and `hidden`."""

    shown: tuple[str, ...]
    others: tuple[str, ...]
    hidden: tuple[str, ...]


class Evidence(msgspec.Struct, frozen=True):
    """The table: thing -> tags; part -> tag -> emotion -> share."""

    things: Mapping[str, tuple[str, ...]]
    one_person: OnePerson
    parts: Mapping[str, Mapping[str, Mapping[str, float]]]


@lru_cache
def evidence() -> Evidence:
    """The table as it ships."""
    return msgspec.convert(tomllib.loads(TABLE.read_text(encoding="utf-8")), Evidence)


def tagger_of(observation: Observation) -> str | None:
    """The model that tagged the picture, or None where none did."""
    return observation.judges.get("tags")


def likely(observation: Observation, tags: Iterable[str]) -> dict[str, float]:
    """Those of the tags that the picture's tagger sees, by its own threshold; empty where nobody tagged."""
    tagger = tagger_of(observation)
    if tagger is None:
        return {}
    least = threshold_of(tagger)
    return {tag: observation.tags[tag] for tag in tags if observation.tags.get(tag, 0.0) >= least}


def unlikely(observation: Observation, tags: Iterable[str]) -> bool:
    """Whether a tagger looked and is sure enough that none of the tags is to be seen."""
    tagger = tagger_of(observation)
    if tagger is None:
        return False
    most = CLEAR * threshold_of(tagger)
    return all(observation.tags.get(tag, 0.0) < most for tag in tags)


def in_words(tags: Mapping[str, float], most: int = 3) -> str:
    """The likeliest of some tags: 'smile 0.93, blush 0.41'."""
    likeliest = sorted(tags, key=lambda tag: -tags[tag])[:most]
    return ", ".join(f"{tag.replace('_', ' ')} {tags[tag]:.2f}" for tag in likeliest)
