"""Canaries of perception: pictures whose truth is known, each shown as it is and as it must not be seen."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image, ImageOps

from evalharness.doctor.line import Line, State
from evalharness.errors import HarnessError
from evalharness.paths import resolve
from evalharness.perception.base import Perceiver
from evalharness.types import Observation, Part

BUILT_IN = "offline"
CLEARLY = 0.08
"""Share of the hair by which one side must have more."""
BROWN = (33.7, 14.3, 22.0)
"""Hair of the drawn character in CIELAB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What was seen of the drawn character: neutral, happy, mirrored, red and blue exchanged, twice, not at all."""

    neutral: Observation
    happy: Observation
    mirrored: Observation
    exchanged: Observation
    twice: Observation
    nothing: Observation


def canaries(perceiver: Perceiver, name: str) -> Iterator[Line]:
    """A line for each part: what it saw, or that it does not see the drawings as they were drawn.

    Our own perceiver must; one of somebody else's that does not may be made for other pictures, and is warned of.
    """
    try:
        seen = _look(perceiver)
    except HarnessError as error:
        yield Line(topic="perception", state=State.MISSING, says=str(error), do=str(error).rpartition("; ")[2])
        return
    bad = State.MISSING if name == BUILT_IN else State.WARNING
    for topic, (check, drawn) in CHECKS.items():
        if check(seen):
            yield Line(topic=topic, says=f"{drawn}: seen as drawn")
        else:
            do = "compare the packages above with those needed; scores of this part mean nothing here"
            yield Line(topic=topic, state=bad, says=f"{drawn}: NOT seen as drawn by perceiver {name}", do=do)


def _look(perceiver: Perceiver) -> _Seen:
    with Image.open(resolve("demo:sakichan/01.png")) as first, Image.open(resolve("demo:sakichan/02.png")) as second:
        neutral, happy = first.convert("RGB"), second.convert("RGB")
    red, green, blue = neutral.split()
    twice = Image.new("RGB", (2 * neutral.width + 8, neutral.height), "black")
    twice.paste(neutral, (0, 0))
    twice.paste(happy, (neutral.width + 8, 0))
    shown = (
        neutral,
        happy,
        ImageOps.mirror(neutral),
        Image.merge("RGB", (blue, green, red)),
        twice,
        Image.new("RGB", neutral.size, (128, 128, 128)),
    )
    return _Seen(**dict(zip(_Seen.__dataclass_fields__, perceiver.observe(shown), strict=True)))


def _part(seen: Observation, name: str) -> Part | None:
    parts = seen.faces[0].parts if len(seen.faces) == 1 else ()
    return next((part for part in parts if part.name == name), None)


def _is(seen: Observation, name: str, *states: str) -> bool:
    part = _part(seen, name)
    return part is not None and part.state in states


def _mouth_says(seen: Observation, emotion: str) -> bool:
    part = _part(seen, "mouth")
    return part is not None and max(part.emotions, key=lambda word: part.emotions[word], default="") == emotion


def _to_the_right(seen: Observation) -> float:
    return seen.hair.right - seen.hair.left if seen.hair else 0.0


def _lab(seen: Observation, region: str) -> tuple[float, float, float]:
    return next((color.lab for color in seen.colors if color.region == region), (math.inf, math.inf, math.inf))


def _is_brown(seen: Observation) -> bool:
    return math.dist(_lab(seen, "hair"), BROWN) < 12.0


def _is_warm(seen: Observation) -> bool:
    """Whether the eyes are more yellow than blue, as brown ones are however pale."""
    return 0.0 < _lab(seen, "eyes")[2] < math.inf


CHECKS: dict[str, tuple[Callable[[_Seen], bool], str]] = {
    "face": (lambda seen: len(seen.neutral.faces) == 1 and not seen.nothing.faces, "one face, and none in a grey area"),
    "eyes": (
        lambda seen: all(_is(seen.neutral, side, "present", "closed") for side in ("left_eye", "right_eye")),
        "two eyes",
    ),
    "brows": (lambda seen: _is(seen.neutral, "brows", "present"), "brows"),
    "mouth": (
        lambda seen: _mouth_says(seen.neutral, "neutral") and _mouth_says(seen.happy, "happy"),
        "a neutral mouth and a happy one",
    ),
    "hair side": (
        lambda seen: _to_the_right(seen.neutral) > CLEARLY and _to_the_right(seen.mirrored) < -CLEARLY,
        "a ponytail at the image's right, and at its left when mirrored",
    ),
    "hair colour": (
        lambda seen: _is_brown(seen.neutral) and not _is_brown(seen.exchanged),
        "brown hair, which is not brown when red and blue are exchanged",
    ),
    "eye colour": (
        lambda seen: _is_warm(seen.neutral) and not _is_warm(seen.exchanged),
        "brown eyes, which are not brown when red and blue are exchanged",
    ),
    "collages": (
        lambda seen: len(seen.neutral.panels) == 1 and len(seen.twice.panels) == 2,
        "one picture, and two beside each other",
    ),
}
"""Per part: whether it sees what was drawn, and that in words."""
