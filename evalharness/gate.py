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
from dataclasses import dataclass

import numpy as np

from evalharness.digest import digest
from evalharness.errors import InputError, unknown
from evalharness.stats.best import Entrant, select
from evalharness.stats.holm import holm
from evalharness.stats.intervals import Evidence, estimate, weigh
from evalharness.stats.objective import combine, draws_of, signed_weights
from evalharness.stats.paired import pair
from evalharness.stats.slices import matching
from evalharness.stats.summary import deltas_to_baseline, summarise
from evalharness.stats.table import Column, Floats, Mask, Table, tabulate
from evalharness.stats.words import Finding, doubt, fact
from evalharness.types import (
    BASELINE,
    PROMOTED,
    Cell,
    Check,
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
RIVALS: Mapping[str, str] = {"baseline": BASELINE, "promoted": PROMOTED}
"""Whose cells a rule's `relative_to` means."""
EXIT_CODES: Mapping[Decision, int] = {Decision.PROMOTE: 0, Decision.REJECT: 3, Decision.INCONCLUSIVE: 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A finding with its p-values: against 'the threshold is missed' and against 'it is met'; None = too few scores."""

    finding: Finding
    missed: float | None
    met: float | None


def judge(
    cells: Sequence[Cell],
    scores: Mapping[str, Sequence[Score]],
    rules: Sequence[Rule],
    subjects: Sequence[Subject],
    objective: Mapping[str, float],
    metrics: Mapping[str, MetricInfo],
) -> Judgement:
    """Everything a run concludes; pure, and the same for the same cells in any number of calls.

    `scores` are by cell key; cells without any (their image could not be made) count as unscored. Cells name their
    subject by `Subject.name`; BASELINE and PROMOTED are compared against, not judged. `objective` weighs metrics for
    the selection: all subjects enter it, but a rejected one leads only where all are rejected. Raises InputError for
    rules or an objective that name unknown metrics or slices.
    """
    _check_names(rules, objective, metrics)
    table = tabulate(cells, scores, list(metrics))
    judged = [subject for subject in subjects if subject.name != BASELINE]
    slices = [matching(table, rule.where) for rule in rules]
    verdicts = tuple(_verdict(subject, table, rules, slices, metrics) for subject in judged)
    selection = _select(table, judged, verdicts, signed_weights(objective, metrics), list(objective))
    decision, reason = _conclude(verdicts, selection)
    return Judgement(
        summaries=summarise(table),
        deltas=deltas_to_baseline(table),
        verdicts=verdicts,
        selection=selection,
        decision=decision,
        reason=reason,
    )


def exit_code(decision: Decision) -> int:
    """0 promoted, 3 rejected, 4 inconclusive."""
    return EXIT_CODES[decision]


def _check_names(rules: Sequence[Rule], objective: Mapping[str, float], metrics: Mapping[str, MetricInfo]) -> None:
    for name in (*(rule.metric for rule in rules), *objective):
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
) -> Verdict:
    own = table.subjects == subject.name
    tested = [_test(table, own & rows, rule, metrics[rule.metric]) for rule, rows in zip(rules, slices, strict=True)]
    decidable = [index for index, test in enumerate(tested) if test.met is not None]
    failures = holm([test.met for test in tested if test.met is not None], ALPHA)
    failed = {index for index, failure in zip(decidable, failures, strict=True) if failure}
    checks = tuple(_check(test, index in failed, len(decidable)) for index, test in enumerate(tested))
    decision = _decide([check.outcome for check in checks])
    return Verdict(subject=subject.name, decision=decision, checks=checks, reason=_verdict_reason(decision, checks))


def _test(table: Table, rows: Mask, rule: Rule, metric: MetricInfo) -> Tested:
    ours = _passing(table.rows(rows, rule.metric), rule, metric)
    if rule.relative_to in RIVALS:
        rival = table.subjects == RIVALS[rule.relative_to]
        pairs = pair(ours, _passing(table.rows(rival, rule.metric), rule, metric))
        values, prompts, unscored = pairs.differences, pairs.prompts, pairs.unscored
    else:
        scored = np.isfinite(ours.values)
        values, prompts, unscored = ours.values[scored], ours.prompts[scored], int(np.count_nonzero(~scored))
    evidence = weigh(values, prompts, signed=rule.relative_to in RIVALS)
    counts = (len(values), unscored, len(np.unique(prompts)))
    shown = estimate(evidence, 1.0 - 2.0 * ALPHA, counts)
    finding = Finding(rule=rule, metric=metric, estimate=shown, passed=int(np.count_nonzero(values > 0.0)))
    missed, met = _doubts(evidence, rule) if len(values) >= max(rule.minimum_scored, 1) else (None, None)
    return Tested(finding=finding, missed=missed, met=met)


def _passing(column: Column, rule: Rule, metric: MetricInfo) -> Column:
    """The values themselves, or 0/1 for whether each passes on its own; unscored stays unscored."""
    if rule.aggregate == "mean" or rule.passing is None:
        return column
    passes = column.values >= rule.passing if metric.higher_is_better else column.values <= rule.passing
    values = np.where(np.isfinite(column.values), passes.astype(np.float64), np.nan)
    return Column(pairs=column.pairs, prompts=column.prompts, values=values)


def _doubts(evidence: Evidence, rule: Rule) -> tuple[float, float]:
    """p-values against 'missed' and against 'met'."""
    limits = []
    if rule.at_least is not None:
        limits.append((evidence.doubt_above(rule.at_least), evidence.doubt_below(rule.at_least)))
    if rule.at_most is not None:
        limits.append((evidence.doubt_below(rule.at_most), evidence.doubt_above(rule.at_most)))
    # A range is missed on either side, so its refutation is corrected for two looks; it is kept only on both.
    return max(missed for missed, _ in limits), min(1.0, len(limits) * min(met for _, met in limits))


def _check(test: Tested, failed: bool, checks: int) -> Check:
    finding = test.finding
    if failed:
        outcome, reason = Outcome.FAIL, fact(finding)
    elif test.missed is not None and test.missed <= ALPHA:
        outcome, reason = Outcome.PASS, fact(finding)
    else:
        alone = test.met is not None and test.met <= ALPHA
        outcome, reason = Outcome.INCONCLUSIVE, doubt(finding, checks, alone)
    return Check(rule=finding.rule, outcome=outcome, estimate=finding.estimate, reason=reason)


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


def _select(
    table: Table, subjects: Sequence[Subject], verdicts: Sequence[Verdict], weights: Floats, metrics: list[str]
) -> Selection:
    if not subjects or not metrics:
        missing = "there is no subject beside the baseline" if metrics else "the suite declares no objective"
        return Selection(leader=None, candidates=(), reason=missing)
    scores, prompts = draws_of(table, [subject.name for subject in subjects], metrics)
    rejected = [verdict.decision is Decision.REJECT for verdict in verdicts]
    labels = _labels(subjects)
    entrants = [
        Entrant(
            subject=subject.name,
            label=labels[index],
            epoch=subject.epoch,
            values=values,
            eligible=all(rejected) or not rejected[index],
        )
        for index, (subject, values) in enumerate(zip(subjects, combine(scores, weights), strict=True))
    ]
    seed = int(digest(sorted(cell.key for cell in table.cells))[:16], 16)
    return select(entrants, prompts, np.random.default_rng(seed))


def _labels(subjects: Sequence[Subject]) -> list[str]:
    """'epoch 8' where every subject has an epoch of its own, else names."""
    epochs = [subject.epoch for subject in subjects]
    if None in epochs or len(set(epochs)) < len(epochs):
        return [subject.name for subject in subjects]
    return [f"epoch {epoch}" for epoch in epochs]


def _conclude(verdicts: Sequence[Verdict], selection: Selection) -> tuple[Decision, str]:
    chances = {candidate.subject: candidate.probability_best for candidate in selection.candidates}
    promoted = [verdict for verdict in verdicts if verdict.decision is Decision.PROMOTE]
    if promoted:
        first = max((verdict.subject for verdict in promoted), key=lambda name: chances.get(name, 0.0))
        others = f" (and {len(promoted) - 1} more)" if len(promoted) > 1 else ""
        return Decision.PROMOTE, f"{first}{others} can be promoted."
    if verdicts and all(verdict.decision is Decision.REJECT for verdict in verdicts):
        return Decision.REJECT, f"Nothing can be promoted: {verdicts[0].subject} and all others are rejected."
    return Decision.INCONCLUSIVE, "Not enough evidence to promote or reject."
