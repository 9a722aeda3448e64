"""Gates and the objective of a suite: rules about metrics that the suite measures."""

from collections.abc import Collection, Mapping
from typing import Any

from evalharness.errors import SuiteError
from evalharness.suite.strict import convert, listed, one_of, only_known
from evalharness.types import Rule

CELL_FIELDS = ("strength", "seed", "guidance_scale")


def read_gates(raw: Any, scorers: Collection[str], axes: Collection[str], place: str) -> tuple[Rule, ...]:
    """The rules; each names a metric of this suite, at least one limit, and cells that exist; else SuiteError."""
    return tuple(_rule(one, scorers, axes, f"{place} gates[{index}]") for index, one in enumerate(listed(raw)))


def _rule(raw: object, scorers: Collection[str], axes: Collection[str], place: str) -> Rule:
    if isinstance(raw, Mapping):
        one_of(raw.get("aggregate"), ("mean", "share_passing"), "aggregate", f"{place}.aggregate")
        one_of(raw.get("relative_to"), ("absolute", "baseline", "promoted"), "relation", f"{place}.relative_to")
    rule = convert(raw, Rule, place)
    one_of(rule.metric, scorers, "metric", f"{place}.metric")
    for name in rule.where:
        one_of(name, (*axes, *CELL_FIELDS), "axis", f"{place}.where")
    if rule.at_least is None and rule.at_most is None:
        raise SuiteError(f"{place} has neither at_least nor at_most; give the limit that '{rule.metric}' must keep.")
    if (rule.aggregate == "share_passing") != (rule.passing is not None):
        raise SuiteError(f"{place}: 'passing' and 'aggregate: share_passing' go together; give both or neither.")
    if rule.minimum_scored < 1:
        raise SuiteError(f"{place}.minimum_scored is {rule.minimum_scored}; at least 1 image must have been scored.")
    return rule


def read_objective(raw: object, gates: Collection[Rule], scorers: Collection[str], place: str) -> Mapping[str, float]:
    """Metric -> weight for 'best'; without one, the metrics that a gate wants to be at least something, equally."""
    if raw is None:
        return {rule.metric: 1.0 for rule in gates if rule.at_least is not None}
    for metric, weight in only_known(raw, scorers, f"{place} objective").items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            raise SuiteError(f"{place} objective.{metric} is {weight!r}; a weight is a number above 0.")
    assert isinstance(raw, Mapping)
    return {metric: float(weight) for metric, weight in raw.items()}
