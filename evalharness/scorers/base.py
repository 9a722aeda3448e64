"""What a scorer is, and the one step that applies several."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from evalharness.types import Cell, Failure, MetricInfo, Observation, Reference, Score


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


def score_images(
    scorers: Sequence[Scorer],
    cells: Sequence[Cell],
    observations: Mapping[str, Observation],
    images: Mapping[str, str | Failure],
    reference: Reference | None,
) -> dict[str, tuple[Score, ...]]:
    """Every scorer's judgement of every cell, by cell key; a cell without an image is unscored, with the reason."""
    scores: dict[str, tuple[Score, ...]] = {}
    for cell in cells:
        image = images[cell.key]
        if isinstance(image, Failure):
            scores[cell.key] = tuple(unscored(scorer.name, image.reason) for scorer in scorers)
        else:
            seen = observations[cell.key]
            scores[cell.key] = tuple(scorer.score(cell, seen, reference) for scorer in scorers)
    return scores
