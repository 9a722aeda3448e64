"""Is anything to be seen that the prompt's expectation forbids: rope, animal ears, a collage?"""

from dataclasses import dataclass
from typing import ClassVar

from evalharness.scorers.answered import Told, affirmed
from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import box_mark, main_face, several
from evalharness.scorers.faces import asked_faces
from evalharness.scorers.told import told_of
from evalharness.types import Cell, Mark, Observation, Reference, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One forbidden thing: seen (True), proven absent (False), or beyond what perception can tell (None).

    `by_judge` = only a vision-language model can tell.
    """

    seen: bool | None
    words: str
    marks: tuple[Mark, ...] = ()
    by_judge: bool = False


class Artifacts:
    """1.0 nothing forbidden is there, 0.0 something is; unscored where absence cannot be told.

    Who is asked, in order: finders that were proven on such images, then a tagger, then a CLIP, then unproven finders;
    the first that is sure decides, and the reason names it where it is not offline perception. Of a collage, what
    offline perception sees comes before the models, and that it sees none comes after. What none of these can tell, a
    judge is asked last; a score that would be missing without it says so (`judge_alone`).
    Low detail is none where the references have it too.

    Args:
        strength: findings from this strength on count as seen, 0..1.
    """

    name: ClassVar[str] = "artifacts"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def __init__(self, *, strength: float = 0.5) -> None:
        self.strength = strength

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Look for each forbidden thing; one that is seen decides, one that nobody can rule out leaves it open."""
        forbidden = cell.prompt.expect.forbid
        if not forbidden:
            return unscored(self.name, "the prompt forbids nothing")
        sights = [self._sight(thing, cell, observation, reference) for thing in forbidden]
        seen = [sight for sight in sights if sight.seen]
        unknown = [sight for sight in sights if sight.seen is None]
        if not seen and unknown:
            return unscored(self.name, _joined(unknown))
        marks = tuple(mark for sight in seen for mark in sight.marks)
        # one thing that another saw is enough; that nothing is there, all must say
        alone = all(sight.by_judge for sight in seen) if seen else any(sight.by_judge for sight in sights)
        value, reason = (0.0, _joined(seen)) if seen else (1.0, _joined(sights))
        return Score(metric=self.name, value=value, reason=reason, evidence=marks, judge_alone=alone)

    def _usual(self, thing: str, reference: Reference) -> bool:
        """Whether at least half of the references show it: then it is the character's style and no fault."""
        shown = [
            any(finding.name == thing and finding.strength >= self.strength for finding in one.findings)
            for one in reference.observations
        ]
        return bool(shown) and 2 * sum(shown) >= len(shown)

    def _sight(self, thing: str, cell: Cell, observation: Observation, reference: Reference | None) -> Sight:
        if thing == "low_detail" and reference and self._usual(thing, reference):
            return Sight(seen=False, words="detail as low as the references'")
        return _or_judge(thing, self._look(thing, cell, observation), observation)

    def _look(self, thing: str, cell: Cell, observation: Observation) -> Sight:
        told = told_of(thing, observation)
        if thing == "collage" and (sight := _collage(cell, observation, told)):
            return sight
        if thing == "cut_face" and (face := main_face(observation)) and face.cut_by_frame:
            return Sight(seen=True, words="the frame cuts the face", marks=(box_mark("cut face", face.box),))
        found = [finding for finding in observation.findings if finding.name == thing]
        proven = any(finding.absence_counts for finding in found)
        if told and told.seen is not None and not proven:
            return Sight(seen=told.seen, words=told.words)
        strong = [finding for finding in found if finding.strength >= self.strength]
        name = thing.replace("_", " ")
        if strong:
            notes = ", ".join(finding.note for finding in strong if finding.note)
            marks = tuple(box_mark(name, finding.box) for finding in strong if finding.box)
            return Sight(seen=True, words=f"{name} seen ({notes})" if notes else f"{name} seen", marks=marks)
        if proven:
            return Sight(seen=False, words=f"no {name}")
        return Sight(seen=None, words=_open(name, told))


def _or_judge(thing: str, sight: Sight, observation: Observation) -> Sight:
    """What others saw; where they cannot tell, what a judge says."""
    told = affirmed(thing, observation) if sight.seen is None else None
    if told is None:
        return sight
    return Sight(seen=told.seen, words=told.words, by_judge=told.seen is not None)


def _open(name: str, told: Told | None) -> str:
    if told:
        return told.words
    return f"no {name} seen, but offline perception cannot rule it out: needs a vision model"


def _collage(cell: Cell, observation: Observation, told: Told | None) -> Sight | None:
    """A collage, by its panels or by more faces than asked; one panel is proof of none, no panel says nothing."""
    crowded = len(observation.panels) > 1 or len(observation.faces) > max(asked_faces(cell.prompt.expect) or 1, 1)
    if crowded:
        boxes = observation.panels if len(observation.panels) > 1 else tuple(f.box for f in observation.faces)
        words = f"collage seen ({several(observation)})"
        return Sight(seen=True, words=words, marks=tuple(box_mark("collage", box) for box in boxes))
    if told and told.seen is not None:
        return Sight(seen=told.seen, words=told.words)
    looked = len(observation.panels) == 1 and "panels" not in observation.blind
    return Sight(seen=False, words="no collage") if looked else None


def _joined(sights: list[Sight]) -> str:
    return "; ".join(sight.words for sight in sights)
