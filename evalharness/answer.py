"""What a gate answers, for machines as for people: the verdict, what it was judged against, how the two differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evalharness.compare import Difference, compare
from evalharness.gate import exit_code
from evalharness.report.html import PAGE_NAME
from evalharness.report.markdown import Focus, difference_row
from evalharness.report.worst import WorstImage, worst_images
from evalharness.sides import OTHER_SEEDS, Side, obstacles
from evalharness.types import BASELINE, Decision, FinishedRun, Verdict

FORMAT = 1
"""Raised when a field's meaning changes or one is lost."""
WORDS = {"better": "better", "worse": "worse", "open": "cannot be told apart", "no pairs": "no equal draws"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """What a run was judged against; `notes` are sentences on where it comes from."""

    subject: str
    strength: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The verdict as JSON holds it. `folder` is the run's, and `report` and the images' paths begin there.

    `subject` is spoken of at length, at `strength`: the promoted one that is best, else the leader. `differences` are
    its own minus the rival's, or minus the baseline's where there is no rival.
    """

    format: int
    run: str
    folder: str
    report: str
    suite: str
    decision: Decision
    exit_code: int
    reason: str
    rival: Rival | None
    subject: str | None
    strength: float | None
    verdicts: tuple[Verdict, ...]
    differences: tuple[Difference, ...]
    worst: tuple[WorstImage, ...]


def answer_of(folder: Path, run: FinishedRun, against: Side | None) -> Answer:
    """What a judged run in `folder` answers; `against` is what it was judged against."""
    ours, theirs = _spoken_of(run), against or _baseline(run)
    reasons = obstacles(ours, theirs) if ours and theirs else ()
    return Answer(
        format=FORMAT,
        run=run.run,
        folder=str(folder),
        report=PAGE_NAME,
        suite=run.suite,
        decision=run.judgement.decision,
        exit_code=exit_code(run.judgement.decision),
        reason=run.judgement.reason,
        rival=_rival(run, theirs, reasons) if theirs else None,
        subject=ours.subject if ours else None,
        strength=ours.strength if ours else None,
        verdicts=run.judgement.verdicts,
        differences=compare(ours, theirs).differences if ours and theirs and not reasons else (),
        worst=worst_images(run, ours.subject) if ours else (),
    )


def focus_of(answer: Answer) -> Focus | None:
    """The answer's subject and differences in words."""
    if answer.subject is None or answer.strength is None:
        return None
    rival = answer.rival
    return Focus(
        subject=answer.subject,
        title=f"{answer.subject} (strength {answer.strength:g})",
        rival="" if rival is None else _named(rival),
        notes=() if rival is None else rival.notes,
        differences=tuple(
            difference_row(one.metric, one.ours, one.theirs, one.paired, WORDS[one.says]) for one in answer.differences
        ),
        worst=answer.worst,
    )


def _spoken_of(run: FinishedRun) -> Side | None:
    """The likeliest best of those that were promoted, else the leader, else the first; at its likeliest strength."""
    judgement = run.judgement
    promoted = [one.subject for one in judgement.verdicts if one.decision is Decision.PROMOTE]
    leader = judgement.selection.leader
    wanted = promoted or ([one.subject for one in judgement.verdicts] if leader is None else [leader])
    ranked = sorted(judgement.selection.candidates, key=lambda one: -one.probability_best)
    arms = [*((one.subject, one.strength) for one in ranked), *((one.subject, one.strength) for one in run.cells)]
    return next((Side(run=run, subject=name, strength=strength) for name, strength in arms if name in wanted), None)


def _baseline(run: FinishedRun) -> Side | None:
    if not any(cell.subject == BASELINE for cell in run.cells):
        return None
    return Side(run=run, subject=BASELINE, strength=0.0)


def _rival(run: FinishedRun, theirs: Side, reasons: Sequence[str]) -> Rival:
    return Rival(subject=theirs.subject, strength=theirs.strength, notes=_notes(run, theirs, reasons))


def _notes(run: FinishedRun, theirs: Side, reasons: Sequence[str]) -> tuple[str, ...]:
    """Where the other side comes from, and what is unusual about the comparison."""
    others = [f"There are no equal draws ({OTHER_SEEDS})."] if run.judgement.reason.endswith(f"({OTHER_SEEDS})") else []
    refused = [f"No differences are shown, for {'; '.join(reasons)}."] if reasons else []
    return (*theirs.notes, *others, *refused)


def _named(rival: Rival) -> str:
    if rival.subject == BASELINE:
        return "the base model without LoRA"
    return f"{rival.subject} (strength {rival.strength:g})"
