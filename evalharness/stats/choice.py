"""Which subject at which strength is best among those that break no constraint."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalharness.digest import digest
from evalharness.stats.best import Entrant, Growing, select
from evalharness.stats.checks import examine, outcomes
from evalharness.stats.objective import Arm, combine, draws_of, largest_difference, signed_weights
from evalharness.stats.slices import matching
from evalharness.stats.strength import check_strength, is_about_strength
from evalharness.stats.table import Floats, Mask, Table
from evalharness.types import Check, Criteria, MetricInfo, Outcome, Rule, Selection, Subject


def choose(
    table: Table,
    subjects: Sequence[Subject],
    rejected: Collection[str],
    criteria: Criteria,
    metrics: Mapping[str, MetricInfo],
    alpha: float,
) -> Selection:
    """The best arm (subject at a strength) by the criteria's weights; subjects are without the baseline.

    An arm is excluded by a failed constraint, and by its subject's rejection; where that excludes all, none of it
    counts, and the least bad is named.
    """
    if not subjects or not criteria.weights:
        missing = "there is no subject beside the baseline" if criteria.weights else "the suite declares no objective"
        return Selection(leader=None, candidates=(), reason=missing)
    arms = _arms(table, subjects)
    draws = draws_of(table, arms, list(criteria.weights))
    values = combine(draws, signed_weights(criteria.weights, metrics))
    slices = tuple(matching(table, rule.where) for rule in criteria.constraints)
    arena = _Arena(table=table, metrics=metrics, alpha=alpha, arms=tuple(arms), values=values, slices=slices)
    constraints = [arena.constraints(arm, criteria.constraints) for arm in arms]
    free = [
        arm[0] not in rejected and all(check.outcome is not Outcome.FAIL for check in checks)
        for arm, checks in zip(arms, constraints, strict=True)
    ]
    entrants = _entrants(arms, subjects, values, constraints, free if any(free) else [True] * len(arms))
    largest = largest_difference(criteria.weights, metrics)
    growing = Growing(looks=criteria.looks, largest=largest) if criteria.looks > 1 else None
    seed = int(digest(sorted(cell.key for cell in table.cells))[:16], 16)
    return select(entrants, draws.prompts, np.random.default_rng(seed), criteria.confidence, growing)


def _arms(table: Table, subjects: Sequence[Subject]) -> list[Arm]:
    names = {subject.name: index for index, subject in enumerate(subjects)}
    found = {(cell.subject, cell.strength) for cell in table.cells if cell.subject in names}
    return sorted(found, key=lambda arm: (names[arm[0]], arm[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arena:
    """What constraints are held against: all cells, each rule's slice of them, and the objective (arms, draws)."""

    table: Table
    metrics: Mapping[str, MetricInfo]
    alpha: float
    arms: tuple[Arm, ...]
    values: Floats
    slices: tuple[Mask, ...]

    def constraints(self, arm: Arm, rules: Sequence[Rule]) -> tuple[Check, ...]:
        """Each constraint's outcome for one arm, failures corrected by Holm; those about strength come last."""
        tested = [
            examine(self.table, self._rows(arm, rule, rows), rule, self.metrics[rule.metric], self.alpha)
            for rule, rows in zip(rules, self.slices, strict=True)
            if not is_about_strength(rule)
        ]
        return (*outcomes(tested, self.alpha), *self._about_strength(arm, rules))

    def _about_strength(self, arm: Arm, rules: Sequence[Rule]) -> list[Check]:
        own = [index for index, one in enumerate(self.arms) if one[0] == arm[0]]
        strengths = [self.arms[index][1] for index in own]
        return [check_strength(rule, arm, strengths, self.values[own]) for rule in rules if is_about_strength(rule)]

    def _rows(self, arm: Arm, rule: Rule, rows: Mask) -> Mask:
        """The arm's cells of a slice; its subject's at another strength where the rule names the one it is about."""
        own: Mask = (self.table.subjects == arm[0]) & rows
        return own if "strength" in rule.where else own & (self.table.strengths == arm[1])


def _entrants(
    arms: Sequence[Arm],
    subjects: Sequence[Subject],
    values: Floats,
    constraints: Sequence[tuple[Check, ...]],
    eligible: Sequence[bool],
) -> list[Entrant]:
    by_name = {subject.name: subject for subject in subjects}
    labels = _labels(arms, by_name)
    return [
        Entrant(
            subject=name,
            label=labels[index],
            epoch=by_name[name].epoch,
            values=values[index],
            eligible=eligible[index],
            strength=strength,
            constraints=constraints[index],
        )
        for index, (name, strength) in enumerate(arms)
    ]


def _labels(arms: Sequence[Arm], subjects: Mapping[str, Subject]) -> list[str]:
    """'epoch 8' where every subject has an epoch of its own, else names; the strength where there are several."""
    epochs = [subject.epoch for subject in subjects.values()]
    named = None in epochs or len(set(epochs)) < len(epochs)
    several = len({strength for _, strength in arms}) > 1
    return [
        (name if named else f"epoch {subjects[name].epoch}") + (f" at strength {strength:g}" if several else "")
        for name, strength in arms
    ]
