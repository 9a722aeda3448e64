"""A finished run judged again by its own rules, alone or against an earlier subject; no image is made or looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from evalharness.errors import InputError
from evalharness.gate import judge
from evalharness.record import RunRecord, load_run
from evalharness.sides import OTHER_SEEDS, Side, beside, obstacles
from evalharness.store import Store
from evalharness.suite import Suite
from evalharness.types import BASELINE, PROMOTED, Cell, Check, FinishedRun, Judgement, Score


def regate(folder: Path, against: Side | None = None) -> FinishedRun:
    """Judge the stored scores by the suite's rules, and keep the new verdict in the run.

    `against` gives the rules with `relative_to: promoted` something to compare with. Raises InputError where that is
    not comparable or no rule asks for it, and StoreError for a folder without a run.
    """
    run = load_run(folder)
    cells, scores, others = _beside(run, against) if against else ((), {}, False)
    with Store(folder) as store:
        suite = store.read_json("run.json", RunRecord).suite
        _check_asked(suite, against)
        judged = judge((*run.cells, *cells), {**run.scores, **scores}, suite.criteria, run.subjects, run.metrics)
        own = _of_this_run(_marked(judged) if others else judged)
        store.write_json("verdict.json", own)
    return replace(run, judgement=own)


def _check_asked(suite: Suite, against: Side | None) -> None:
    """Whoever names a rival must not read 'passed' where nothing was compared with it."""
    if against and not any(rule.relative_to == "promoted" for rule in suite.gates):
        raise InputError(
            f"suite '{suite.name}' has no rule with relative_to: promoted, so '{against.subject}' would change "
            "nothing; give its gates one, and repeat the run (no image is made twice)."
        )


def _beside(run: FinishedRun, against: Side) -> tuple[Sequence[Cell], Mapping[str, Sequence[Score]], bool]:
    """The other side's cells and scores under the name PROMOTED, and whether they are of other seeds."""
    judged = next((cell for cell in run.cells if cell.subject != BASELINE), None)
    if judged is None:
        raise InputError("this run has no subject beside the baseline, so nothing can be judged against another.")
    if reasons := obstacles(Side(run=run, subject=judged.subject, strength=judged.strength), against):
        raise InputError(f"'{against.subject}' cannot be compared with this run: {'; '.join(reasons)}.")
    theirs, scores = against.under(PROMOTED)
    cells, others = beside(run.cells, theirs)
    return cells, scores, others


def _marked(judged: Judgement) -> Judgement:
    """Says in every check against the other side, and in the conclusion, that the seeds are others."""
    verdicts = tuple(
        replace(verdict, checks=tuple(_marked_check(check) for check in verdict.checks)) for verdict in judged.verdicts
    )
    return replace(judged, verdicts=verdicts, reason=f"{judged.reason} ({OTHER_SEEDS})")


def _marked_check(check: Check) -> Check:
    if check.rule.relative_to != "promoted":
        return check
    return replace(check, reason=f"{check.reason} ({OTHER_SEEDS})")


def _of_this_run(judged: Judgement) -> Judgement:
    """Without the rows of the other side: the verdict is this run's."""
    return replace(
        judged,
        summaries=tuple(one for one in judged.summaries if one.subject != PROMOTED),
        deltas=tuple(one for one in judged.deltas if one.subject != PROMOTED),
    )
