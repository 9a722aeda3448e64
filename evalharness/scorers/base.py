"""What a scorer is, in both its kinds, and the one step that applies several."""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from evalharness.scorers.neighbours import Neighbours, find_neighbours
from evalharness.types import Cell, Failure, MetricInfo, Observation, Reference, Score


class Metric(Protocol):
    """How to read what a scorer measures."""

    name: ClassVar[str]
    version: ClassVar[int]
    unit: ClassVar[str]
    higher_is_better: ClassVar[bool]


class Scorer(Metric, Protocol):
    """One metric. Pure: the same cell, observation and reference give the same score, without pixels or files."""

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge one image; what cannot be judged is `unscored`, with the reason."""
        ...


@runtime_checkable
class NeighbourScorer(Metric, Protocol):
    """One metric of an image beside other images of its run; as pure as a Scorer."""

    def score_beside(self, cell: Cell, observation: Observation, neighbours: Neighbours) -> Score:
        """Judge one image; what cannot be judged is `unscored`, with the reason."""
        ...


AnyScorer = Scorer | NeighbourScorer


def info(scorer: Metric) -> MetricInfo:
    """How to read the scorer's numbers."""
    return MetricInfo(
        name=scorer.name, version=scorer.version, unit=scorer.unit, higher_is_better=scorer.higher_is_better
    )


def unscored(metric: str, reason: str) -> Score:
    """The score of what cannot be judged."""
    return Score(metric=metric, value=None, reason=reason)


def score_images(
    scorers: Sequence[AnyScorer],
    cells: Sequence[Cell],
    observations: Mapping[str, Observation],
    images: Mapping[str, str | Failure],
    reference: Reference | None,
    prompts: Mapping[str, Observation] | None = None,
) -> dict[str, tuple[Score, ...]]:
    """Every scorer's judgement of every cell, by cell key; a cell without an image is unscored, with the reason.

    `prompts` is what perception read in the run's prompts, by their plain text, where it reads texts.
    """
    neighbours = find_neighbours(cells, observations, prompts)
    judges = [_judge(scorer, neighbours, reference) for scorer in scorers]
    scores: dict[str, tuple[Score, ...]] = {}
    for cell in cells:
        image = images[cell.key]
        if isinstance(image, Failure):
            scores[cell.key] = tuple(unscored(scorer.name, image.reason) for scorer in scorers)
        else:
            seen = observations[cell.key]
            scores[cell.key] = tuple(judge(cell, seen) for judge in judges)
    return scores


def _judge(
    scorer: AnyScorer, neighbours: Mapping[str, Neighbours], reference: Reference | None
) -> Callable[[Cell, Observation], Score]:
    """Either kind of scorer as a function of the cell and what was seen in it."""
    if isinstance(scorer, NeighbourScorer):
        return lambda cell, seen: scorer.score_beside(cell, seen, neighbours[cell.key])
    return lambda cell, seen: scorer.score(cell, seen, reference)
