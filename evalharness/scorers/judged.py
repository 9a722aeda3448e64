"""Does the picture show what its prompt asks for? By a vision-language model that was asked about each of it."""

from collections.abc import Iterator
from typing import ClassVar

from evalharness.scorers.base import unscored
from evalharness.types import Cell, Expectation, Observation, Reference, Score

EXPECTED = ("emotion", "view", "hair_side", "hairstyle", "faces", "thing")
"""Groups of questions that a prompt's expectation asks for; all others are axes of the suite's prompts."""


class Judged:
    """The mean probability that what is asked for is so, and what is forbidden is not, 0..1.

    Asked for is what the prompt's expectation says (emotion, view, hair side, hairstyle, faces, forbidden things), and
    the labels of its axes that the judge's table has a question for (`axes: {outfit: hoodie}` is `outfit.hoodie`); what
    it has none for is left out. Every score of it is the judge's word alone.

    Args:
        only: groups that count, as [outfit, place]; all where none are given.
    """

    name: ClassVar[str] = "judged"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def __init__(self, *, only: tuple[str, ...] | list[str] | None = None) -> None:
        self.only = None if only is None else frozenset(only)

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Average what was asked for; unscored where no judge looked, or none of it was asked or answered."""
        judge = observation.judges.get("affirmed")
        if judge is None:
            return unscored(self.name, "no vision-language model was asked (perception=judge)")
        asked = [(name, so) for name, so in asked_of(cell) if self.only is None or name.partition(".")[0] in self.only]
        if not asked:
            return unscored(self.name, "the prompt asks for nothing that a judge may be asked about")
        fits = {
            name: observation.affirmed[name] if so else 1.0 - observation.affirmed[name]
            for name, so in asked
            if name in observation.affirmed
        }
        if not fits:
            return unscored(self.name, self._silent(judge, [name for name, _ in asked], observation))
        worst = min(fits, key=lambda name: fits[name])
        value = sum(fits.values()) / len(fits)
        counted = f"{len(fits)} question{'s' if len(fits) > 1 else ''}"
        reason = f"as asked with {value:.2f} over {counted} by {judge}; worst: {_words(worst)} ({fits[worst]:.2f})"
        return Score(metric=self.name, value=value, reason=reason, judge_alone=True)

    def _silent(self, judge: str, names: list[str], observation: Observation) -> str:
        said = [observation.blind[key] for name in names if (key := f"judge {name}") in observation.blind]
        return said[0] if said else f"{judge} has no question about {', '.join(map(_words, names))}"


def asked_of(cell: Cell) -> Iterator[tuple[str, bool]]:
    """What a cell's prompt asks for, as a judge's questions are named, and whether it is to be so."""
    expect = cell.prompt.expect
    yield from ((name, True) for name in _expected(expect))
    yield from ((f"thing.{thing}", False) for thing in expect.forbid)
    # a label of an axis that is an expectation, too, means what the expectation says
    yield from ((f"{axis}.{label}", True) for axis, label in cell.prompt.axes.items() if axis not in EXPECTED)


def _expected(expect: Expectation) -> Iterator[str]:
    for group in ("emotion", "view", "hair_side", "hairstyle", "faces"):
        if (answer := getattr(expect, group)) is not None:
            yield f"{group}.{answer}"


def _words(name: str) -> str:
    """`thing.rope` -> 'no rope'; `emotion.happy` -> 'emotion happy'."""
    group, _, answer = name.partition(".")
    return f"{'no' if group == 'thing' else group.replace('_', ' ')} {answer.replace('_', ' ')}"
