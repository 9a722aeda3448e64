"""What a CLIP or a judge answered: a thing that is to be seen or not, or a question's surest answer."""

from dataclasses import dataclass

from evalharness.types import Observation

SURE = 0.9
"""Probability from which an answer is taken. Zero-shot probabilities are not calibrated: they are rather too sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a vision model says of a thing: seen, surely not seen, or not sure (None), and who says so."""

    seen: bool | None
    words: str


def answered(thing: str, observation: Observation) -> Told | None:
    """What was answered to the yes-or-no question about a thing; None where nobody asked it."""
    judge, shares = observation.judges.get("answers"), observation.answers.get(thing, {})
    if judge is None or set(shares) != {"yes", "no"}:
        return None
    return _told(thing, shares["yes"], judge)


def affirmed(thing: str, observation: Observation) -> Told | None:
    """What a judge says of a thing; None where none was asked about it, or it answered neither yes nor no."""
    judge, yes = observation.judges.get("affirmed"), observation.affirmed.get(f"thing.{thing}")
    return None if judge is None or yes is None else _told(thing, yes, judge)


def _told(thing: str, yes: float, judge: str) -> Told:
    name = thing.replace("_", " ")
    if yes >= SURE:
        return Told(seen=True, words=f"{name} seen by {judge} ({yes:.2f})")
    if yes <= 1.0 - SURE:
        return Told(seen=False, words=f"no {name} by {judge} ({yes:.2f})")
    return Told(seen=None, words=f"{judge} is not sure of {name} ({yes:.2f})")


def surest(question: str, observation: Observation) -> tuple[str, float] | None:
    """The likeliest answer to a question and its probability; None where nobody asked it."""
    shares = observation.answers.get(question)
    return max(shares.items(), key=lambda pair: pair[1]) if shares else None
