"""A failed check as a complaint about pictures: 'hair on the wrong side in 9 of 24 images'."""

from collections.abc import Mapping

import numpy as np

from evalharness.report import numbers
from evalharness.report.verdict_rows import Texts, metric_name
from evalharness.stats.slices import matching
from evalharness.stats.table import tabulate
from evalharness.types import Check, FinishedRun, MetricInfo, Rule

HALF = 0.5
"""Below it a share says 'rather not', where a rule does not say what passes."""


def complaint(check: Check, given: FinishedRun, subject: str, texts: Texts) -> str:
    """What is wrong with the subject's pictures, in how many of them where that can be counted, and what was asked."""
    rule, info = check.rule, given.metrics.get(check.rule.metric)
    if info is None or rule.relative_to != "absolute" or rule.aggregate == "share_scored":
        return check.reason
    limit = image_limit(rule, info)
    measured = texts["measured_asked"].format(
        metric=metric_name(rule.metric, texts).replace("_", " "),
        measured=numbers.interval(check.estimate, _unit(rule, info)),
        asked=_asked(rule, info, texts),
    )
    bad, scored = _count(given, subject, rule, limit, info)
    if limit is None or not bad:
        return measured
    words = texts["complaint_count"].format(what=_word(rule.metric, texts), bad=bad, scored=scored)
    return f"{words} ({measured})"


def image_limit(rule: Rule, info: MetricInfo) -> float | None:
    """The value beyond which a single image is bad by this rule; None where the rule says nothing about one.

    A rule about a share of passing images names it; one about a mean of shares means half; one about another mean is
    taken at its word.
    """
    if rule.aggregate == "share_passing":
        return rule.passing
    if rule.aggregate == "share_scored" or rule.relative_to != "absolute":
        return HALF if info.unit == "" else None
    return HALF if info.unit == "" else rule.at_least if info.higher_is_better else rule.at_most


def limits(given: FinishedRun) -> Mapping[str, float]:
    """By metric, the value beyond which an image is bad: by the gate's rules, and half for shares without a rule."""
    found = {name: HALF for name, info in given.metrics.items() if info.unit == ""}
    for check in (check for verdict in given.judgement.verdicts for check in verdict.checks):
        info = given.metrics.get(check.rule.metric)
        limit = None if info is None else image_limit(check.rule, info)
        if limit is not None:
            found[check.rule.metric] = limit
    return found


def _unit(rule: Rule, info: MetricInfo) -> str:
    return info.unit if rule.aggregate == "mean" else ""


def _asked(rule: Rule, info: MetricInfo, texts: Texts) -> str:
    bounds = (("at_least", rule.at_least), ("at_most", rule.at_most))
    return ", ".join(
        f"{texts[word]} {numbers.number(limit, _unit(rule, info))}" for word, limit in bounds if limit is not None
    )


def _word(metric: str, texts: Texts) -> str:
    return texts.get(f"complaint_{metric}", metric_name(metric, texts).replace("_", " "))


def _count(given: FinishedRun, subject: str, rule: Rule, limit: float | None, info: MetricInfo) -> tuple[int, int]:
    """How many of the subject's images that the rule is about are bad, of how many that could be judged."""
    table = tabulate(given.cells, given.scores, [rule.metric])
    values = table.values[rule.metric][(table.subjects == subject) & matching(table, rule.where)]
    values = values[np.isfinite(values)]
    if limit is None:
        return 0, len(values)
    return int(np.count_nonzero(values < limit if info.higher_is_better else values > limit)), len(values)
