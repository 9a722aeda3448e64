"""Eyes, brows and mouth as tags tell them, for what offline perception cannot read; tags see the whole picture."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from evalharness.scorers.tag_evidence import evidence, in_words, likely, tagger_of
from evalharness.types import EMOTIONS, Box, Face, Observation, Part

ENOUGH = 0.5
"""Confidence from which what offline perception read of a part is taken; a part found missing is always taken."""
NAMES: Mapping[str, tuple[Literal["left_eye", "right_eye", "brows", "mouth"], ...]] = {
    "eyes": ("left_eye", "right_eye"),
    "brows": ("brows",),
    "mouth": ("mouth",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFace:
    """A face to judge, and who read what of it in words; '' where offline perception read all."""

    face: Face
    said: str = ""


def with_tags(observation: Observation, face: Face | None, first: str = "offline") -> ReadFace | None:
    """The main face, with parts from tags where nobody read them well enough; None where nobody can tell.

    The first who is sure enough wins: with `first` offline, offline perception from `ENOUGH` on, then the tagger; with
    `first` tags, the tagger where it tells anything of a part. Then what offline perception doubts. Without a found
    face, tags alone make one of the whole picture.
    """
    told, judge = tagged_parts(observation), observation.judges.get("parts")
    by = f"eyes, brows and mouth read by {judge}" if judge else ""
    if not told:
        return None if face is None else ReadFace(face=face, said=by)
    if face is None:
        whole = Box(x=0.0, y=0.0, width=float(observation.width), height=float(observation.height))
        face = Face(box=whole, confidence=0.0)
    taken = [group for group in told if not _stays(face, group, ENOUGH if first == "offline" else math.inf)]
    if not taken:
        return ReadFace(face=face, said=by)
    names = {name for group in taken for name in NAMES[group]}
    kept = tuple(part for part in face.parts if part.name not in names)
    parts = tuple(part for group in taken for part in told[group])
    said = ", ".join(f"{group} ({told[group][0].note})" for group in taken)
    return ReadFace(face=replace(face, parts=(*kept, *parts)), said=f"{said} read by {tagger_of(observation)}")


def tagged_parts(observation: Observation) -> dict[str, tuple[Part, ...]]:
    """The parts that tags tell of, by group (eyes, brows, mouth); empty unless the face of one person is to be seen."""
    one, found = evidence().one_person, {}
    if not likely(observation, one.shown) or likely(observation, (*one.others, *one.hidden)):
        return {}
    for group, rows in evidence().parts.items():
        if seen := likely(observation, rows):
            found[group] = tuple(_part(name, seen, emotions_of(seen, rows)) for name in NAMES[group])
    return found


def emotions_of(seen: Mapping[str, float], rows: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The rows' mean, weighted by the tags' probabilities: a distribution over emotions that sums to 1."""
    total = sum(seen.values())
    shares = dict.fromkeys(EMOTIONS, 0.0)
    for tag, probability in seen.items():
        open_share = (1.0 - sum(rows[tag].values())) / len(EMOTIONS)
        for name in EMOTIONS:
            shares[name] += probability / total * (rows[tag].get(name, 0.0) + open_share)
    return shares


def _part(
    name: Literal["left_eye", "right_eye", "brows", "mouth"], seen: Mapping[str, float], emotions: Mapping[str, float]
) -> Part:
    state: Literal["present", "closed"] = "closed" if name.endswith("eye") and "closed_eyes" in seen else "present"
    return Part(name=name, state=state, confidence=max(seen.values()), emotions=emotions, note=in_words(seen))


def _stays(face: Face, group: str, enough: float) -> bool:
    """Whether what offline perception says of a group is taken: it is missing, or was read with enough confidence."""
    parts = [part for part in face.parts if part.name in NAMES[group]]
    return any(
        part.state == "missing" or (part.state in ("present", "closed") and part.confidence >= enough) for part in parts
    )
