"""Does the ponytail hang on the asked side of the image? Read from the shape of the hair around the head."""

from typing import ClassVar

from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import box_mark, several
from evalharness.types import Cell, Hair, ImageSide, Mark, Observation, Reference, Score


class HairSide:
    """1.0 on the asked side, 0.0 on the other, 0.5 where gathered hair should hang and none does.

    Where perception gives probabilities of the sides, the likeliest one counts, if it is `sure`: an image passes or
    fails, and is not a little wrong because a network doubts. Asked 'none' (hair down, twin tails): 1.0 or 0.0.
    Where it gives shares of the mask only, with d = share of the hair mask beyond the head on
    the asked side minus that on the other, the value is 0.5 + d / (2 zone), held to 0..1; asked 'none': 1.0 while
    abs(d) <= zone, falling to 0.0 at twice the zone. A mirrored image with the mirrored expectation has the same value.

    Args:
        zone: difference of the two shares below which hair belongs to no side, > 0.
        minimum_confidence: hair masks less certain than this are not judged, 0..1.
        sure: probability that the likeliest side must exceed, 0.5..1; else nobody can tell. A higher one leaves out
            more images, and rather those of a LoRA that draws hair badly.
    """

    name: ClassVar[str] = "hair_side"
    version: ClassVar[int] = 2
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def __init__(self, *, zone: float = 0.08, minimum_confidence: float = 0.2, sure: float = 0.5) -> None:
        self.zone = zone
        self.sure = sure
        self.minimum_confidence = minimum_confidence

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge the side; unscored where none is asked, or hair or head are not clear."""
        asked = cell.prompt.expect.hair_side
        if asked is None:
            return unscored(self.name, "the prompt asks for no side")
        if crowd := several(observation):
            return unscored(self.name, f"{crowd}: whose hair is meant is not clear")
        hair = observation.hair
        if hair is None:
            return unscored(self.name, observation.blind.get("hair", "no hair was found"))
        if hair.confidence < self.minimum_confidence:
            return unscored(self.name, f"the hair mask is too uncertain ({hair.confidence:.2f})")
        if hair.sides and max(hair.sides.values()) <= self.sure:
            return unscored(self.name, f"the hair's shape tells no side ({_shares(hair)})")
        return Score(
            metric=self.name, value=self._value(hair, asked), reason=_reason(hair, asked), evidence=_marks(hair)
        )

    def _value(self, hair: Hair, asked: ImageSide) -> float:
        if hair.sides:
            side = max(hair.sides, key=lambda name: hair.sides[name])
            return 1.0 if side == asked else 0.5 if side == "none" != asked else 0.0
        to_the_right = hair.right - hair.left
        if asked == "none":
            return _between(2.0 - abs(to_the_right) / self.zone)
        return _between(0.5 + (to_the_right if asked == "right" else -to_the_right) / (2.0 * self.zone))


def _between(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _reason(hair: Hair, asked: ImageSide) -> str:
    return f"{_shares(hair)}; asked: {asked if asked != 'none' else 'neither side'}"


def _shares(hair: Hair) -> str:
    first, second = ("left", "right") if hair.left > hair.right else ("right", "left")
    shares = {"left": hair.left, "right": hair.right}
    seen = f"hair beyond the head: {100 * shares[first]:.0f} % {first}, {100 * shares[second]:.0f} % {second}"
    if not hair.sides:
        return seen
    side = max(hair.sides, key=lambda name: hair.sides[name])
    hangs = "hangs on neither side" if side == "none" else f"hangs {side}"
    return f"{hangs} ({hair.sides[side]:.2f}); {seen}"


def _marks(hair: Hair) -> tuple[Mark, ...]:
    marks = [Mark(kind="line", label="head axis", points=hair.axis)]
    if len(hair.outline) > 1:
        marks.append(Mark(kind="line", label="hair", points=(*hair.outline, hair.outline[0])))
    if hair.accessory:
        marks.append(box_mark("hair tie", hair.accessory))
    return tuple(marks)
