"""Eyes, brows and mouth as a CLIP answered for crops of each: parts whose emotions are its probabilities."""

from collections.abc import Mapping
from dataclasses import replace

from evalharness.scorers.tag_parts import NAMES
from evalharness.types import Face, Observation, Part

PREFIX = "parts."
"""Of questions that were asked of crops, and not of the picture."""
SHOWN = ("present", "closed")


def answered_parts(observation: Observation, face: Face) -> dict[str, tuple[Part, ...]]:
    """The parts that a CLIP was asked about, by group (eyes, brows, mouth); each keeps its place and its state."""
    found: dict[str, tuple[Part, ...]] = {}
    for group, names in NAMES.items():
        shares = observation.answers.get(f"{PREFIX}{group}")
        parts = tuple(part for part in face.parts if part.name in names and part.state in SHOWN)
        if shares and parts:
            found[group] = tuple(_as_answered(part, shares) for part in parts)
    return found


def _as_answered(part: Part, shares: Mapping[str, float]) -> Part:
    top = max(shares, key=lambda word: shares[word])
    return replace(part, confidence=shares[top], emotions=shares, note=f"{top} {shares[top]:.2f}")
