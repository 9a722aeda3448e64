"""As many faces as asked, in one picture: 1; a collage, too many or none: 0."""

from typing import ClassVar

from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import box_mark
from evalharness.types import Cell, Expectation, Mark, Observation, Reference, Score

PROFILES = ("left_profile", "right_profile")


class Faces:
    """1.0 where the number of faces is the asked one and there is one panel, else 0.0."""

    name: ClassVar[str] = "faces"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge the count; unscored where nothing is asked or where no face may mean that none can be seen."""
        asked = asked_faces(cell.prompt.expect)
        found, panels = len(observation.faces), len(observation.panels)
        if asked is None:
            return unscored(self.name, "the prompt does not say how many faces must show")
        if panels <= 1 and found == 0 and (blind := _blind(cell.prompt.expect, observation)):
            return unscored(self.name, blind)
        turned = _turned(observation) if panels <= 1 and found == asked == 0 else ""
        value = 1.0 if panels <= 1 and found == asked else 0.0
        reason = f"{_reason(found, panels, asked)}{turned}"
        return Score(metric=self.name, value=value, reason=reason, evidence=_marks(observation))


def asked_faces(expect: Expectation) -> int | None:
    """The number of faces a prompt asks for: as it says, or what the view implies, or None."""
    if expect.faces is not None or expect.view is None:
        return expect.faces
    return 0 if expect.view == "behind" else 1


def no_face(cell: Cell, observation: Observation) -> str:
    """Why an image without a found face cannot be judged by its face, in words."""
    if asked_faces(cell.prompt.expect) == 0:
        return "no face is asked for"
    return observation.blind.get("face", "no face was found")


def _turned(observation: Observation) -> str:
    """What a detector of heads adds where no face is to be seen, in words; '' where none looked."""
    judge, heads = observation.judges.get("heads"), len(observation.boxes.get("heads", ()))
    if judge is None:
        return ""
    return f"; {heads} head{'' if heads == 1 else 's'} by {judge}{', turned away' if heads else ''}"


def _blind(expect: Expectation, observation: Observation) -> str | None:
    if asked_faces(expect) == 0 and observation.boxes.get("heads"):
        # a head without a face is one that is turned away, not a face that was overlooked
        return None
    if expect.view in PROFILES:
        return "face finder does not see profiles"
    return observation.blind.get("face")


def _reason(found: int, panels: int, asked: int) -> str:
    seen = f"{found} face{'' if found == 1 else 's'}"
    return f"{seen} in {panels} panels; asked: {asked} in one" if panels > 1 else f"{seen}; asked: {asked}"


def _marks(observation: Observation) -> tuple[Mark, ...]:
    panels = observation.panels if len(observation.panels) > 1 else ()
    faces = (box_mark(f"face {face.confidence:.2f}", face.box) for face in observation.faces)
    return (*(box_mark("panel", panel) for panel in panels), *faces)
