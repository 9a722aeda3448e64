"""Is an unwanted thing to be seen? What boxes of heads and eyes say, beside what offline perception saw."""

from evalharness.scorers.answered import Told
from evalharness.types import Observation

NO_EYES = ("missing_eyes", "no_eyes")
SEEN = 0.5
"""Strength from which a finding of offline perception counts."""


def counted(thing: str, observation: Observation) -> Told | None:
    """What detectors' boxes say of several people and of missing or doubled eyes; None of other things."""
    if thing == "several_people":
        return _several(observation)
    return _eyes(thing, observation) if thing in (*NO_EYES, "doubled_eyes") else None


def _several(observation: Observation) -> Told | None:
    judge, heads = observation.judges.get("heads"), observation.boxes.get("heads", ())
    if judge is None:
        return None
    words = f"{len(heads)} head{'' if len(heads) == 1 else 's'} by {judge}"
    return Told(seen=None if not heads else len(heads) > 1, words=words)


def _eyes(thing: str, observation: Observation) -> Told | None:
    """More than two boxes are a doubled eye; without any, eyes are missing only where offline perception says so, too.

    No box alone may be closed eyes, hair over them, or a look that the detector does not know.
    """
    judge, eyes = observation.judges.get("eyes"), observation.boxes.get("eyes", ())
    if judge is None:
        return None
    words = f"{len(eyes)} eye{'' if len(eyes) == 1 else 's'} by {judge}"
    if eyes:
        return Told(seen=len(eyes) > 2 if thing == "doubled_eyes" else False, words=words)
    if thing in NO_EYES and _missing(observation):
        return Told(seen=True, words=f"{words}, and none by offline perception")
    return Told(seen=None, words=words)


def _missing(observation: Observation) -> bool:
    """Whether offline perception saw no eyes: as a finding, or as parts of a face."""
    found = any(one.name == "missing_eyes" and one.strength >= SEEN for one in observation.findings)
    eyes = [part for face in observation.faces[:1] for part in face.parts if part.name.endswith("_eye")]
    return found or (bool(eyes) and all(part.state == "missing" for part in eyes))
