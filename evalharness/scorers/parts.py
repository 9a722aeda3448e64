"""Are the mouth and both eyes there? The share of them that is, among those that can be read."""

from typing import ClassVar

from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import box_mark, main_face, part_mark
from evalharness.scorers.faces import no_face
from evalharness.types import Cell, Face, Mark, Observation, Part, Reference, Score

WANTED = {"left_eye": "left eye", "right_eye": "right eye", "mouth": "mouth"}
THERE = ("present", "closed")


class Parts:
    """Present parts / (present + missing parts) of the main face, in 0..1; hidden and unsure ones do not count."""

    name: ClassVar[str] = "parts"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge the main face; unscored without a face, or where none of its parts can be read."""
        face = main_face(observation)
        if face is None:
            return unscored(self.name, no_face(cell, observation))
        wanted = [part for part in face.parts if part.name in WANTED]
        there = sum(part.state in THERE for part in wanted)
        missing = [part for part in wanted if part.state == "missing"]
        if not there + len(missing):
            return unscored(self.name, "a face was found, but neither its eyes nor its mouth can be read")
        value = there / (there + len(missing))
        return Score(metric=self.name, value=value, reason=_reason(wanted), evidence=_marks(face, missing))


def _reason(wanted: list[Part]) -> str:
    missing = [WANTED[part.name] for part in wanted if part.state == "missing"]
    unread = [WANTED[part.name] for part in wanted if part.state in ("hidden", "unsure")]
    said = f"missing: {', '.join(missing)}" if missing else "nothing is missing"
    return f"{said}; not readable: {', '.join(unread)}" if unread else said


def _marks(face: Face, missing: list[Part]) -> tuple[Mark, ...]:
    marks = (part_mark(f"{WANTED[part.name]} missing", part) for part in missing)
    return (box_mark("face", face.box), *(mark for mark in marks if mark))
