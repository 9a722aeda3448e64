"""The verdict in one sentence of the reader's words, and the checks of the subject that it names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalharness.report.complaints import complaint
from evalharness.report.names import labels, listed
from evalharness.report.verdict_rows import CheckRow, Texts, verdict_rows
from evalharness.stats.decide import times_needed
from evalharness.stats.settle import rounded
from evalharness.types import Check, Decision, FinishedRun, Outcome, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """`sentence` is the verdict; `notes` say what else a reader must know; `checks` are those of `subject`."""

    sentence: str
    notes: tuple[str, ...]
    subject: str
    checks: tuple[CheckRow, ...]


def headline(given: FinishedRun, texts: Texts) -> Headline:
    """What the whole run concludes; where nobody was judged, the judgement's own reason."""
    verdict = _named(given)
    if verdict is None:
        return Headline(sentence=given.judgement.reason, notes=(), subject="", checks=())
    sentence, notes = _SAID[given.judgement.decision](given, verdict, texts)
    (row,) = [row for row in verdict_rows(given.judgement, given.metrics, texts) if row.subject == verdict.subject]
    return Headline(
        sentence=sentence, notes=tuple(notes), subject=labels(given.subjects, texts)[row.subject], checks=row.checks
    )


def _chances(given: FinishedRun) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for one in given.judgement.selection.candidates:
        found[one.subject] = max(found.get(one.subject, 0.0), one.probability_best)
    return found


def _named(given: FinishedRun) -> Verdict | None:
    """The subject that the sentence is about: of those with the run's decision the one most probably best."""
    chances, leader = _chances(given), given.judgement.selection.leader
    same = [verdict for verdict in given.judgement.verdicts if verdict.decision is given.judgement.decision]
    return max(
        same or given.judgement.verdicts,
        key=lambda verdict: (chances.get(verdict.subject, 0.0), verdict.subject == leader),
        default=None,
    )


def _at(given: FinishedRun, subject: str, texts: Texts) -> str:
    """' at strength 0.7' where several were measured, or one that is not 1."""
    strengths = {cell.strength for cell in given.cells if cell.subject == subject}
    if strengths <= {1.0}:
        return ""
    arms = [one for one in given.judgement.selection.candidates if one.subject == subject]
    best = max(arms, key=lambda one: one.probability_best, default=None)
    if best is None and len(strengths) > 1:
        return ""
    return texts["at_strength"].format(strength=f"{best.strength if best else next(iter(strengths)):g}")


def _promoted(given: FinishedRun, verdict: Verdict, texts: Texts) -> tuple[str, Sequence[str]]:
    names = labels(given.subjects, texts)
    sentence = texts["headline_promote"].format(subject=names[verdict.subject], at=_at(given, verdict.subject, texts))
    also = [one.subject for one in given.judgement.verdicts if one.decision is Decision.PROMOTE and one is not verdict]
    notes = [texts["headline_promote_all"].format(count=len(verdict.checks))]
    if also:
        others = listed(also, given.subjects, texts)
        name = "headline_also_one" if len(also) == 1 else "headline_also"
        notes.append(_capital(texts[name].format(subjects=others, count=len(also))))
    leader = given.judgement.selection.leader
    if leader is not None and leader != verdict.subject:
        notes.append(_capital(texts["headline_leader_open"].format(subject=names.get(leader, leader))))
    return sentence, notes


def _rejected(given: FinishedRun, verdict: Verdict, texts: Texts) -> tuple[str, Sequence[str]]:
    failed = [check for check in verdict.checks if check.outcome is Outcome.FAIL]
    worst = "; ".join(complaint(check, given, verdict.subject, texts) for check in failed) or verdict.reason
    if len(given.judgement.verdicts) == 1:
        return texts["headline_reject"].format(reason=worst), ()
    name = labels(given.subjects, texts)[verdict.subject]
    count = len(given.judgement.verdicts)
    return texts["headline_reject_all"].format(count=count, subject=name, reason=worst), ()


def _open(given: FinishedRun, verdict: Verdict, texts: Texts) -> tuple[str, Sequence[str]]:
    subject = labels(given.subjects, texts)[verdict.subject]
    unsure = [check for check in verdict.checks if check.outcome is Outcome.INCONCLUSIVE]
    if not unsure:
        return texts["headline_open_none"], ()
    more = _more_images(given, verdict, unsure)
    name = "headline_open" if more else "headline_open_far"
    notes = [f"{_capital(check.reason)}." for check in unsure]
    return texts[name].format(count=more, subject=subject), notes


def _more_images(given: FinishedRun, verdict: Verdict, unsure: Sequence[Check]) -> int | None:
    """How many more images of the subject would decide all its open checks; None where no number can be told.

    All its images grow alike, by the factor of the check that needs the most.
    """
    factors = [times_needed(check, len(verdict.checks)) for check in unsure]
    if None in factors:
        return None
    images = sum(cell.subject == verdict.subject for cell in given.cells)
    return rounded((max(factor for factor in factors if factor is not None) - 1.0) * images)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


_SAID = {Decision.PROMOTE: _promoted, Decision.REJECT: _rejected, Decision.INCONCLUSIVE: _open}
