"""A finished run judged again by its own rules, alone or against an earlier subject; no image is made or looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from evalharness.errors import InputError
from evalharness.gate import judge
from evalharness.record import RunRecord, load_run
from evalharness.sides import Side, obstacles
from evalharness.store import Store
from evalharness.types import BASELINE, PROMOTED, Cell, FinishedRun, Judgement, Score


def regate(folder: Path, against: Side | None = None) -> FinishedRun:
    """Judge the stored scores by the suite's rules, and keep the new verdict in the run.

    `against` gives the rules with `relative_to: promoted` something to compare with. Raises InputError where that is
    not comparable, and StoreError for a folder without a run.
    """
    run = load_run(folder)
    cells, scores = _beside(run, against) if against else ((), {})
    with Store(folder) as store:
        suite = store.read_json("run.json", RunRecord).suite
        judged = judge((*run.cells, *cells), {**run.scores, **scores}, suite.criteria, run.subjects, run.metrics)
        own = _of_this_run(judged)
        store.write_json("verdict.json", own)
    return replace(run, judgement=own)


def _beside(run: FinishedRun, against: Side) -> tuple[Sequence[Cell], Mapping[str, Sequence[Score]]]:
    """The other side's cells and scores under the name PROMOTED, with keys of their own."""
    judged = next((cell for cell in run.cells if cell.subject != BASELINE), None)
    if judged is None:
        raise InputError("this run has no subject beside the baseline, so nothing can be judged against another.")
    if reasons := obstacles(Side(run=run, subject=judged.subject, strength=judged.strength), against):
        raise InputError(f"'{against.subject}' cannot be compared with this run: {'; '.join(reasons)}.")
    return against.under(PROMOTED)


def _of_this_run(judged: Judgement) -> Judgement:
    """Without the rows of the other side: the verdict is this run's."""
    return replace(
        judged,
        summaries=tuple(one for one in judged.summaries if one.subject != PROMOTED),
        deltas=tuple(one for one in judged.deltas if one.subject != PROMOTED),
    )
