"""Cells -> images -> observations -> scores; what is there already is not made, looked at or lost."""

from collections.abc import Mapping, Sequence

from evalharness.backends.optional import expect
from evalharness.generate import generate
from evalharness.lookers import Lookers
from evalharness.observe import look_meanwhile, observe, observe_prompts
from evalharness.plan import Plan
from evalharness.prepare import Tools
from evalharness.scorers.base import score_images
from evalharness.store import Store
from evalharness.types import Cell, Observation, Progress, Reference, Score

Scores = Mapping[str, tuple[Score, ...]]


def measure(
    plan: Plan, cells: Sequence[Cell], tools: Tools, reference: Reference | None, store: Store, progress: Progress
) -> Scores:
    """Every metric of the cells, by cell key; what is made, seen and scored is stored at once."""
    observations = make_and_look(plan, cells, tools, store, progress)
    return _scored(cells, observations, tools, reference, store)


def make_and_look(
    plan: Plan, cells: Sequence[Cell], tools: Tools, store: Store, progress: Progress
) -> Mapping[str, Observation]:
    """The images that the cells have not yet, and what is seen in all of them, by cell key."""
    with tools.lookers(cells, store, drawing=True) as lookers:
        _make(plan, cells, tools, store, progress, lookers)
        return observe(cells, lookers, store, progress)


def look_and_score(
    cells: Sequence[Cell], tools: Tools, reference: Reference | None, store: Store, progress: Progress
) -> Scores:
    """Every metric of the images that are there, by cell key."""
    with tools.lookers(cells, store, drawing=False) as lookers:
        observations = observe(cells, lookers, store, progress)
    return _scored(cells, observations, tools, reference, store)


def _make(plan: Plan, cells: Sequence[Cell], tools: Tools, store: Store, progress: Progress, lookers: Lookers) -> None:
    todo = store.missing(plan.makeable(cells))
    batches = plan.batches(todo, tools.maker.batch_size)
    expect(tools.maker, todo)
    with progress("images", len(todo)) as advance:
        for made in generate(batches, plan.baseline, tools.maker, store):
            look_meanwhile(made, lookers, store)
            advance(len(made))


def _scored(
    cells: Sequence[Cell],
    observations: Mapping[str, Observation],
    tools: Tools,
    reference: Reference | None,
    store: Store,
) -> Scores:
    prompts = observe_prompts(cells, tools.perceiver, store)
    scores = score_images(tools.scorers, cells, observations, store.images(cells), reference, prompts)
    store.save_scores(scores)
    return scores
