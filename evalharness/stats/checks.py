"""One rule applied to some cells: what was measured, how surely the rule is kept or missed, and why, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalharness.stats.holm import holm
from evalharness.stats.intervals import Evidence, estimate, weigh
from evalharness.stats.paired import pair
from evalharness.stats.table import Column, Mask, Table
from evalharness.stats.words import Finding, doubt, fact
from evalharness.types import BASELINE, PROMOTED, Check, MetricInfo, Outcome, Rule

RIVALS: Mapping[str, str] = {"baseline": BASELINE, "promoted": PROMOTED}
"""Whose cells a rule's `relative_to` means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """A finding with its p-values: against 'the threshold is missed' and against 'it is met'; None = too few scores."""

    finding: Finding
    missed: float | None
    met: float | None


def examine(table: Table, rows: Mask, rule: Rule, metric: MetricInfo, alpha: float) -> Tested:
    """What the cells of `rows` (cells,) say of the rule; the interval shown has the one-sided bounds of `alpha`."""
    rows_of = table.rows if rule.judge_alone else table.vouched_rows
    ours = _counted(rows_of(rows, rule.metric), rule, metric)
    if rule.relative_to in RIVALS:
        rival = table.subjects == RIVALS[rule.relative_to]
        pairs = pair(ours, _counted(rows_of(rival, rule.metric), rule, metric))
        values, prompts, unscored = pairs.differences, pairs.prompts, pairs.unscored
    else:
        scored = np.isfinite(ours.values)
        values, prompts, unscored = ours.values[scored], ours.prompts[scored], int(np.count_nonzero(~scored))
    evidence = weigh(values, prompts, signed=rule.relative_to in RIVALS)
    counts = (len(values), unscored, len(np.unique(prompts)))
    shown = estimate(evidence, 1.0 - 2.0 * alpha, counts)
    passed, alone = int(np.count_nonzero(values > 0.0)), 0 if rule.judge_alone else table.alone(rows, rule.metric)
    finding = Finding(rule=rule, metric=metric, estimate=shown, passed=passed, judge_alone=alone)
    missed, met = _doubts(evidence, rule) if len(values) >= max(rule.minimum_scored, 1) else (None, None)
    return Tested(finding=finding, missed=missed, met=met)


def outcomes(tested: Sequence[Tested], alpha: float) -> tuple[Check, ...]:
    """Every check's outcome: failures by Holm's procedure over all of them, passes each on its own."""
    decidable = [index for index, one in enumerate(tested) if one.met is not None]
    failures = holm([one.met for one in tested if one.met is not None], alpha)
    failed = {index for index, failure in zip(decidable, failures, strict=True) if failure}
    return tuple(_check(one, index in failed, len(decidable), alpha) for index, one in enumerate(tested))


def _counted(column: Column, rule: Rule, metric: MetricInfo) -> Column:
    """The values themselves, 0/1 for whether each passes on its own (unscored stays so), or 0/1 for 'was scored'."""
    scored = np.isfinite(column.values)
    if rule.aggregate == "share_scored":
        values = scored.astype(np.float64)
    elif rule.aggregate == "share_passing" and rule.passing is not None:
        passes = column.values >= rule.passing if metric.higher_is_better else column.values <= rule.passing
        values = np.where(scored, passes.astype(np.float64), np.nan)
    else:
        values = column.values
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


def _check(tested: Tested, failed: bool, checks: int, alpha: float) -> Check:
    finding = tested.finding
    if failed:
        outcome, reason = Outcome.FAIL, fact(finding)
    elif tested.missed is not None and tested.missed <= alpha:
        outcome, reason = Outcome.PASS, fact(finding)
    else:
        alone = tested.met is not None and tested.met <= alpha
        outcome, reason = Outcome.INCONCLUSIVE, doubt(finding, checks, alone)
    return Check(rule=finding.rule, outcome=outcome, estimate=finding.estimate, reason=reason)
