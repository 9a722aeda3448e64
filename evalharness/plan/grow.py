"""An adaptive run: a few seeds for all, then more images only where they decide which subject is best."""

from collections.abc import Sequence

from evalharness.plan.cells import Plan
from evalharness.suite import Suite
from evalharness.types import BASELINE, Candidate, Cell, Selection

LEAST_CHANCE = 0.02
"""Who is less likely to be the best on these prompts gets no more seeds, for the moment; it may still be tied."""

Arm = tuple[str, float]


def opening(plan: Plan, suite: Suite) -> tuple[Cell, ...]:
    """The cells to begin with: all of them, or the first seeds of everyone where the suite has a budget."""
    if suite.budget is None:
        return plan.cells
    first = set(suite.seeds[: suite.budget.ladder(len(suite.seeds))[0]])
    return tuple(cell for cell in plan.cells if cell.seed in first)


def more(plan: Plan, suite: Suite, cells: Sequence[Cell], selection: Selection) -> tuple[Cell, ...]:
    """The cells to make next, in the plan's order; none where the best is known, or seeds or images are used up.

    A pure function of what was made and what it says, so that a run that was stopped goes on as if it had not been.
    The baseline has every seed that any subject has.
    """
    budget = suite.budget
    if budget is None or settled(selection, budget.tolerance):
        return ()
    used = _seeds_used(cells)
    ladder = budget.ladder(len(suite.seeds))
    held = _seeds_used(plan.cells)  # fewer than the ladder's for a subject whose file is gone
    open_arms = [arm for arm in _contenders(selection) if used[arm] < min(ladder[-1], held[arm])]
    if not open_arms:
        return ()
    target = min(rung for rung in ladder for arm in open_arms if rung > used[arm])
    wanted = {arm for arm in open_arms if used[arm] < target} | {(BASELINE, 0.0)}
    ranks = {seed: rank for rank, seed in enumerate(suite.seeds)}
    made = {cell.key for cell in cells}
    new = tuple(
        cell
        for cell in plan.cells
        if (cell.subject, cell.strength) in wanted and ranks[cell.seed] < target and cell.key not in made
    )
    return () if budget.images is not None and len(cells) + len(new) > budget.images else new


def settled(selection: Selection, tolerance: float) -> bool:
    """Whether nobody can be mistaken for the best, or more seeds can hardly change who it is on these prompts.

    That is so where the leader is expected to be worse than the best by less than the tolerance.
    """
    rivals = [one for one in selection.candidates if one.tied and not selection.leads(one)]
    return not rivals or (selection.loss_here is not None and selection.loss_here < tolerance)


def _contenders(selection: Selection) -> list[Arm]:
    return [
        _arm(one)
        for one in selection.candidates
        if one.tied and ((one.probability_here or 0.0) >= LEAST_CHANCE or selection.leads(one))
    ]


def _arm(candidate: Candidate) -> Arm:
    return candidate.subject, candidate.strength


def _seeds_used(cells: Sequence[Cell]) -> dict[Arm, int]:
    seeds: dict[Arm, set[int]] = {}
    for cell in cells:
        seeds.setdefault((cell.subject, cell.strength), set()).add(cell.seed)
    return {arm: len(found) for arm, found in seeds.items()}
