"""The gate: rules applied to every subject, a three-valued verdict with its reasons, and which subject is best.

How certain a verdict is. Each check tests two claims, each at 5 % one-sided, clustered by prompt:
- PASS: 'the truth misses the threshold' is refuted, that is, the 95 % one-sided bound is on the right side.
  A subject is promoted only if *all* checks pass, so a subject that misses any threshold is promoted with at most
  5 % probability without further correction (intersection-union test; Berger, Technometrics 24, 1982).
- FAIL: 'the truth meets the threshold' is refuted, by Holm's procedure over the subject's checks. *Any* failure
  rejects, so without the correction a good subject would be rejected more often the more is checked.
Everything else is INCONCLUSIVE. Intervals shown are two-sided 90 %, whose ends are those 95 % one-sided bounds.
"""

from collections.abc import Mapping, Sequence

from evalharness.errors import InputError, unknown
from evalharness.stats.checks import examine, outcomes
from evalharness.stats.choice import choose
from evalharness.stats.gaps import find_gaps
from evalharness.stats.slices import matching
from evalharness.stats.strength import is_about_strength
from evalharness.stats.summary import deltas_to_baseline, summarise
from evalharness.stats.table import Mask, Table, tabulate
from evalharness.training import likely_cause
from evalharness.types import (
    BASELINE,
    Cell,
    Check,
    Criteria,
    Decision,
    Judgement,
    MetricInfo,
    Outcome,
    Rule,
    Score,
    Selection,
    Subject,
    Verdict,
)

ALPHA = 0.05
EXIT_CODES: Mapping[Decision, int] = {Decision.PROMOTE: 0, Decision.REJECT: 3, Decision.INCONCLUSIVE: 4}


def judge(
    cells: Sequence[Cell],
    scores: Mapping[str, Sequence[Score]],
    criteria: Criteria,
    subjects: Sequence[Subject],
    metrics: Mapping[str, MetricInfo],
) -> Judgement:
    """Everything a run concludes; pure, and the same for the same cells in any number of calls.

    `scores` are by cell key; cells without any (their image could not be made) count as unscored. Cells name their
    subject by `Subject.name`; BASELINE and PROMOTED are compared against, not judged. All subjects at all strengths
    enter the selection, but a rejected one leads only where all are rejected. Raises InputError for criteria that
    name unknown metrics or slices.
    """
    _check_names(criteria, metrics)
    table = tabulate(cells, scores, list(metrics))
    judged = [subject for subject in subjects if subject.name != BASELINE]
    slices = [matching(table, rule.where) for rule in criteria.gates]
    # Growing data is looked at several times: the error is shared between the looks, whichever turns out the last.
    alpha = ALPHA / criteria.looks
    verdicts = tuple(_verdict(subject, table, criteria.gates, slices, metrics, alpha) for subject in judged)
    rejected = {verdict.subject for verdict in verdicts if verdict.decision is Decision.REJECT}
    selection = choose(table, judged, rejected, criteria, metrics, alpha)
    decision, reason = _conclude(verdicts, selection)
    return Judgement(
        summaries=summarise(table),
        deltas=deltas_to_baseline(table),
        verdicts=verdicts,
        selection=selection,
        decision=decision,
        reason=reason,
        gaps=find_gaps(table, metrics),
    )


def check_criteria(cells: Sequence[Cell], criteria: Criteria, metrics: Mapping[str, MetricInfo]) -> None:
    """Raise InputError for what `judge` would refuse, before any image is made; cells are all that may be."""
    _check_names(criteria, metrics)
    table = tabulate(cells, {}, [])
    for rule in (*criteria.gates, *criteria.constraints):
        matching(table, rule.where)


def exit_code(decision: Decision) -> int:
    """0 promoted, 3 rejected, 4 inconclusive."""
    return EXIT_CODES[decision]


def _check_names(criteria: Criteria, metrics: Mapping[str, MetricInfo]) -> None:
    constraints = [rule for rule in criteria.constraints if not is_about_strength(rule)]
    rules = (*criteria.gates, *constraints)
    for name in (*(rule.metric for rule in rules), *criteria.weights):
        if name not in metrics:
            raise InputError(unknown("metric", name, metrics))
    for rule in rules:
        if rule.at_least is None and rule.at_most is None:
            raise InputError(f"the rule for '{rule.metric}' asks for nothing; give it at_least or at_most.")
        if rule.aggregate == "share_passing" and rule.passing is None:
            raise InputError(f"the rule for '{rule.metric}' counts passing images; say what passes with 'passing'.")


def _verdict(
    subject: Subject,
    table: Table,
    rules: Sequence[Rule],
    slices: Sequence[Mask],
    metrics: Mapping[str, MetricInfo],
    alpha: float,
) -> Verdict:
    own = table.subjects == subject.name
    tested = [
        examine(table, own & rows, rule, metrics[rule.metric], alpha) for rule, rows in zip(rules, slices, strict=True)
    ]
    checks = outcomes(tested, alpha)
    decision = _decide([check.outcome for check in checks])
    reason = _verdict_reason(decision, checks) + _causes(subject, checks)
    return Verdict(subject=subject.name, decision=decision, checks=checks, reason=reason)


def _causes(subject: Subject, checks: Sequence[Check]) -> str:
    """What the files' own training explains of the failures, as the end of the reason."""
    failed = dict.fromkeys(check.rule.metric for check in checks if check.outcome is Outcome.FAIL)
    causes = [cause for metric in failed if (cause := likely_cause(metric, subject.loras))]
    return "".join(f" ({cause})" for cause in causes)


def _decide(outcomes: Sequence[Outcome]) -> Decision:
    if Outcome.FAIL in outcomes:
        return Decision.REJECT
    return Decision.PROMOTE if set(outcomes) == {Outcome.PASS} else Decision.INCONCLUSIVE


def _verdict_reason(decision: Decision, checks: Sequence[Check]) -> str:
    if not checks:
        return "Not enough evidence: the suite has no rules, so nothing was asked"
    if decision is Decision.PROMOTE:
        return f"Promoted: {'all ' + str(len(checks)) + ' checks' if len(checks) > 1 else 'its one check'} passed"
    wanted = Outcome.FAIL if decision is Decision.REJECT else Outcome.INCONCLUSIVE
    said = "Rejected" if decision is Decision.REJECT else "Not enough evidence"
    return f"{said}: {'; '.join(check.reason for check in checks if check.outcome is wanted)}"


def _conclude(verdicts: Sequence[Verdict], selection: Selection) -> tuple[Decision, str]:
    chances: dict[str, float] = {}
    for candidate in selection.candidates:
        chances[candidate.subject] = max(chances.get(candidate.subject, 0.0), candidate.probability_best)
    promoted = [verdict for verdict in verdicts if verdict.decision is Decision.PROMOTE]
    if promoted:
        first = max((verdict.subject for verdict in promoted), key=lambda name: chances.get(name, 0.0))
        others = f" (and {len(promoted) - 1} more)" if len(promoted) > 1 else ""
        return Decision.PROMOTE, f"{first}{others} can be promoted."
    if verdicts and all(verdict.decision is Decision.REJECT for verdict in verdicts):
        return Decision.REJECT, f"Nothing can be promoted: {verdicts[0].subject} and all others are rejected."
    return Decision.INCONCLUSIVE, "Not enough evidence to promote or reject."
