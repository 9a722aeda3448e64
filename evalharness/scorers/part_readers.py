"""Who reads eyes, brows and mouth: offline perception, tags, or a CLIP that was asked about crops of them."""

from dataclasses import replace

from evalharness.scorers.clip_parts import answered_parts
from evalharness.scorers.tag_parts import NAMES, ReadFace, with_tags
from evalharness.types import Face, Observation

READERS = ("offline", "tags", "clip")


def read_by(observation: Observation, face: Face | None, first: str = "offline") -> ReadFace | None:
    """The face with its parts as the first of READERS who tells anything of them read them, and who that was.

    A CLIP is asked only where it is first: what it says of crops is not calibrated. What it was not asked about stays
    with the others, in their order.
    """
    told = with_tags(observation, face, "offline" if first == "clip" else first)
    if first != "clip" or told is None or face is None:
        return told
    answered = answered_parts(observation, face)
    if not answered:
        return told
    names = {name for group in answered for name in NAMES[group]}
    kept = tuple(part for part in told.face.parts if part.name not in names or part.state == "missing")
    parts = tuple(part for group in answered.values() for part in group)
    said = ", ".join(f"{group} ({parts[0].note})" for group, parts in answered.items())
    by = f"{said} read by {observation.judges.get('answers')}"
    left = told.said if len(answered) < len(NAMES) else ""
    return ReadFace(face=replace(told.face, parts=(*kept, *parts)), said="; ".join(s for s in (by, left) if s))
