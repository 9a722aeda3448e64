"""What a scorer is, and the one step that applies several."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from evalharness.types import Cell, MetricInfo, Observation, Reference, Score


class Scorer(Protocol):
    """One metric. Pure: the same cell, observation and reference give the same score, without pixels or files."""

    name: ClassVar[str]
    version: ClassVar[int]
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool]

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge one image; what cannot be judged is `unscored`, with the reason."""
        ...


def info(scorer: Scorer) -> MetricInfo:
    """How to read the scorer's numbers."""
    return MetricInfo(
        name=scorer.name, version=scorer.version, unit=scorer.unit, higher_is_better=scorer.higher_is_better
    )


def unscored(metric: str, reason: str) -> Score:
    """The score of what cannot be judged."""
    return Score(metric=metric, value=None, reason=reason)


def score_all(
    scorers: Sequence[Scorer], cell: Cell, observation: Observation, reference: Reference | None
) -> tuple[Score, ...]:
    """Every scorer's judgement of one image, in the scorers' order."""
    return tuple(scorer.score(cell, observation, reference) for scorer in scorers)
