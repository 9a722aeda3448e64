"""Gates, objective and constraints of a suite: rules about metrics that the suite measures."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from evalharness.errors import SuiteError
from evalharness.suite.strict import convert, listed, one_of, only_known
from evalharness.types import STRENGTH_NEEDED, Rule

CELL_FIELDS = ("strength", "seed", "sampler", "steps", "guidance_scale", "frame")


def read_gates(raw: Any, scorers: Collection[str], axes: Collection[str], place: str) -> tuple[Rule, ...]:
    """The rules; each names a metric of this suite, at least one limit, and cells that exist; else SuiteError."""
    return tuple(_rule(one, scorers, axes, f"{place} gates[{index}]") for index, one in enumerate(listed(raw)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What to maximise (metric -> weight), among what breaks no constraint."""

    weights: Mapping[str, float]
    constraints: tuple[Rule, ...] = ()


def _rule(raw: object, scorers: Collection[str], axes: Collection[str], place: str) -> Rule:
    if isinstance(raw, Mapping):
        one_of(raw.get("aggregate"), ("mean", "share_passing", "share_scored"), "aggregate", f"{place}.aggregate")
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


def read_objective(
    raw: object, gates: Collection[Rule], scorers: Collection[str], axes: Collection[str], place: str
) -> Objective:
    """Metric -> weight, or `maximise` with such weights beside a list of `constraints`, which are rules as gates are.

    Without weights, the metrics that a gate wants to be at least something count equally.
    """
    here = f"{place} objective"
    parted = isinstance(raw, Mapping) and ("maximise" in raw or "constraints" in raw)
    given = only_known(raw, ("maximise", "constraints"), here) if parted else {"maximise": raw}
    constraints = [
        _rule(one, (*scorers, STRENGTH_NEEDED), axes, f"{here}.constraints[{index}]")
        for index, one in enumerate(listed(given.get("constraints", [])))
    ]
    weights = given.get("maximise")
    return Objective(
        weights={rule.metric: 1.0 for rule in gates if rule.at_least is not None}
        if weights is None
        else _weights(weights, scorers, here),
        constraints=tuple(constraints),
    )


def _weights(raw: object, scorers: Collection[str], place: str) -> Mapping[str, float]:
    known = only_known(raw, scorers, place)
    for metric, weight in known.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < float("inf"):
            raise SuiteError(f"{place}.{metric} is {weight!r}; a weight is a number above 0.")
    return {metric: float(weight) for metric, weight in known.items()}
