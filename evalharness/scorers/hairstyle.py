"""Is the hair worn as asked: let down, or gathered into a ponytail, a side ponytail or twin tails?"""

from typing import ClassVar

from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import box_mark, several
from evalharness.types import Cell, Hair, Mark, Observation, Reference, Score

DOWN = "down"


class Hairstyle:
    """1.0 where the hairstyle seen is the asked one, 0.0 where it is another.

    A hair tie that is still seen over hair that is down is said, but does not count: only about half of all ties are
    found, and one in ten of those found is none.

    In profile all gathered hair hangs behind the head: there only 'down' is told from 'gathered', so that a gathered
    style that was asked can be refuted and not confirmed.

    Args:
        sure: probability that the hairstyle seen must have, 0.5..1; below it nobody can tell.
        minimum_confidence: hair masks less certain than this are not judged, 0..1.
    """

    name: ClassVar[str] = "hairstyle"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def __init__(self, *, sure: float = 0.8, minimum_confidence: float = 0.2) -> None:
        self.sure = sure
        self.minimum_confidence = minimum_confidence

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge the hairstyle; unscored where none is asked, or hair, head or style are not clear."""
        asked = cell.prompt.expect.hairstyle
        if asked is None:
            return unscored(self.name, "the prompt asks for no hairstyle")
        hair = observation.hair
        if hair is None or (doubt := self._doubt(observation, hair, asked)):
            why = observation.blind.get("hair", "no hair was found") if hair is None else doubt
            return unscored(self.name, why)
        if (cell.prompt.expect.view or "").endswith("profile"):
            return self._in_profile(hair, asked)
        return self._judged(hair, asked, dict(hair.styles))

    def _doubt(self, observation: Observation, hair: Hair, asked: str) -> str:
        if crowd := several(observation):
            return f"{crowd}: whose hair is meant is not clear"
        if hair.confidence < self.minimum_confidence:
            return f"the hair mask is too uncertain ({hair.confidence:.2f})"
        known = ", ".join(_words(name) for name in hair.styles) or "none"
        return "" if asked in hair.styles else f"{_words(asked)} was not looked for (looked for: {known})"

    def _in_profile(self, hair: Hair, asked: str) -> Score:
        down = hair.styles.get(DOWN, 0.0)
        if asked != DOWN and 1.0 - down >= self.sure:
            return unscored(self.name, "gathered, but a profile does not show how many tails there are, nor where")
        return self._judged(hair, asked, {DOWN: down, "gathered": 1.0 - down})

    def _judged(self, hair: Hair, asked: str, styles: dict[str, float]) -> Score:
        seen = max(styles, key=lambda name: styles[name])
        if styles[seen] < self.sure:
            likely = ", ".join(f"{_words(name)} {share:.2f}" for name, share in styles.items() if share >= 0.1)
            return unscored(self.name, f"the hair's shape could be several hairstyles ({likely})")
        tied = hair.accessory is not None and seen == DOWN
        value = 1.0 if seen == asked else 0.0
        tie = "; something like a hair tie is still there" if tied else ""
        reason = f"{_words(seen)} ({styles[seen]:.2f}); asked: {_words(asked)}{tie}"
        return Score(metric=self.name, value=value, reason=reason, evidence=_marks(hair))


def _words(name: str) -> str:
    return name.replace("_", " ")


def _marks(hair: Hair) -> tuple[Mark, ...]:
    outline = (Mark(kind="line", label="hair", points=(*hair.outline, hair.outline[0])),) if hair.outline else ()
    return outline if hair.accessory is None else (*outline, box_mark("hair tie", hair.accessory))
