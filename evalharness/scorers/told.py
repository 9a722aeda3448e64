"""Is an unwanted thing to be seen? Vision models are asked in turn; the first that is sure decides."""

from evalharness.scorers.answered import Told, answered
from evalharness.scorers.counted import counted
from evalharness.scorers.tag_things import tagged
from evalharness.types import Observation

ASKED = (counted, tagged, answered)
"""Boxes can be counted; a tagger was taught the words of things; a CLIP was not."""


def told_of(thing: str, observation: Observation) -> Told | None:
    """What the first sure model says of a thing, else the first that looked for it; None where none did."""
    said = [told for ask in ASKED if (told := ask(thing, observation))]
    return next((told for told in said if told.seen is not None), said[0] if said else None)
