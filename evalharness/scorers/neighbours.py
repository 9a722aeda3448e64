"""The images beside an image: of the model without LoRA on the same draw, and of the same question at other seeds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evalharness.types import BASELINE, Cell, Observation, Setting

MOST_SEEDS = 8
"""Of more images the next ones in seed order, round in a ring, so that work grows with the cells, not their square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What was seen beside an image.

    `base` is the no-LoRA image of the same draw (the baseline's own image is its own), None where there is none;
    `seeds` are images of the same subject, strength, prompt and setting at other seeds. `prompts` are all prompts of
    the run as perception read them, by their plain text; empty where it reads no texts.
    """

    base: Observation | None = None
    seeds: tuple[Observation, ...] = ()
    prompts: Mapping[str, Observation] = field(default_factory=dict)


def like_base(cell: Cell, neighbours: Neighbours) -> Observation | str:
    """What an image is held against, the base's of the same draw; or the reason why it is not."""
    if not cell.prompt.expect.like_base:
        return "the prompt does not expect a picture like the base's (like_base)"
    if cell.subject == BASELINE:
        return "this is the baseline itself, which others are compared with"
    return neighbours.base or "there is no image of the model without LoRA on the same draw"


def find_neighbours(
    cells: Sequence[Cell],
    observations: Mapping[str, Observation],
    prompts: Mapping[str, Observation] | None = None,
) -> dict[str, Neighbours]:
    """The neighbours of every observed cell, by its key; cells whose image is missing are nobody's neighbour."""
    seen = [cell for cell in cells if cell.key in observations]
    base = {cell.pair_key: observations[cell.key] for cell in seen if cell.subject == BASELINE}
    return {
        cell.key: Neighbours(
            base=base.get(cell.pair_key),
            seeds=tuple(observations[other.key] for other in others),
            prompts=prompts or {},
        )
        for ring in _rings(seen)
        for cell, others in zip(ring, _next_ones(ring), strict=True)
    }


def _rings(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that differ in their seed alone, each group in seed order."""
    rings: dict[tuple[str, float, str, Setting], list[Cell]] = defaultdict(list)
    for cell in sorted(cells, key=lambda one: one.seed):
        rings[cell.subject, cell.strength, cell.prompt.id, cell.setting].append(cell)
    return list(rings.values())


def _next_ones(ring: list[Cell]) -> list[list[Cell]]:
    twice, count = ring + ring, min(len(ring) - 1, MOST_SEEDS)
    return [twice[start + 1 : start + 1 + count] for start in range(len(ring))]
