"""Cells -> images -> observations -> scores; what is there already is not made, looked at or lost."""

from collections.abc import Mapping, Sequence

from evalharness.generate import generate
from evalharness.observe import observe
from evalharness.plan import Plan
from evalharness.prepare import Tools
from evalharness.scorers.base import score_images
from evalharness.store import Store
from evalharness.types import Cell, Progress, Reference, Score


def measure(
    plan: Plan, cells: Sequence[Cell], tools: Tools, reference: Reference | None, store: Store, progress: Progress
) -> Mapping[str, tuple[Score, ...]]:
    """Every metric of the cells, by cell key; each of the three steps is stored before the next begins."""
    make(plan, cells, tools, store, progress)
    return look_and_score(cells, tools, reference, store, progress)


def make(plan: Plan, cells: Sequence[Cell], tools: Tools, store: Store, progress: Progress) -> None:
    """The images that the cells have not yet."""
    todo = store.missing(plan.makeable(cells))
    with progress("images", len(todo)) as advance:
        generate(plan.batches(todo, tools.maker.batch_size), plan.baseline, tools.maker, store, advance)


def look_and_score(
    cells: Sequence[Cell], tools: Tools, reference: Reference | None, store: Store, progress: Progress
) -> Mapping[str, tuple[Score, ...]]:
    """Every metric of the images that are there, by cell key."""
    observations = observe(cells, tools.perceiver, store, progress)
    scores = score_images(tools.scorers, cells, observations, store.images(cells), reference)
    store.save_scores(scores)
    return scores
