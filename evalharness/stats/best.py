"""Which subject is best, with what probability, and whom the evidence cannot separate from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalharness.stats.intervals import clustered_interval, weigh
from evalharness.stats.posterior import ROUNDING, Outlook, outlook, posterior, posterior_here, prompt_means
from evalharness.stats.sequence import log_e_value
from evalharness.stats.settle import settle
from evalharness.stats.table import Codes, Floats, Mask
from evalharness.types import Candidate, Check, Estimate, Selection

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A subject at a strength with its objective per draw (draws,), NaN = unscored or not made.

    Draws are the same for all entrants. `label` is what sentences call it. Entrants that are not `eligible` are
    listed, but cannot lead.
    """

    subject: str
    label: str
    epoch: int | None
    values: Floats
    eligible: bool = True
    strength: float = 1.0
    constraints: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Growing:
    """Data that may be looked at several times while it grows: `looks` moments at which that could have ended it.

    `largest` is by how much the objective of two images can differ, None where that is not known.
    """

    looks: int
    largest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """All entrants as arrays: `values` (entrants, draws), `prompts` (draws,), and who may lead (entrants,)."""

    values: Floats
    prompts: Codes
    running: Mask
    level: float
    growing: Growing | None

    @property
    def behind(self) -> Floats:
        """Paired differences (entrants, draws) to the entrant with the most draws; NaN where one of them lacks it."""
        counts = np.where(self.running, np.isfinite(self.values).sum(axis=1), -1)
        behind: Floats = self.values - self.values[int(np.argmax(counts))]
        return behind

    @property
    def alpha(self) -> float:
        """The error of each comparison with the leader, so that all of them together keep the level."""
        return (1.0 - self.level) / max(int(self.running.sum()) - 1, 1)

    def inseparable(self, leader: int, rival: int) -> bool:
        """Whether the evidence allows that the rival is as good as the leader, among so many comparisons.

        Of growing data there are two kinds, each with half of the error: an e-value over images, for these prompts,
        and an interval over prompts, whose error is shared by the looks.
        """
        differences = self.values[leader] - self.values[rival]
        both = np.isfinite(differences)
        differences, prompts = differences[both], self.prompts[both]
        if self.growing is None:
            return _holds_zero(differences, prompts, self.alpha)
        largest, half = self.growing.largest, self.alpha / 2.0
        outweighed = largest is not None and log_e_value(differences, largest) >= -math.log(half)
        return not outweighed and _holds_zero(differences, prompts, half / self.growing.looks)


def select(
    entrants: Sequence[Entrant],
    prompts: Codes,
    rng: np.random.Generator,
    level: float = LEVEL,
    growing: Growing | None = None,
) -> Selection:
    """The entrant with the highest objective, by paired differences on the draws that all have; prompts is (draws,).

    `probability_best` answers 'which of the eligible ones is it', so it is 0 for the others. Tied entrants are those
    whose paired difference to the leader has an interval that contains 0, Bonferroni-corrected for the number of
    comparisons, so that the best is among leader and tied with probability `level`. Equal means: the earlier epoch.
    Growing data is compared pair by pair, since some have more draws than others, and by evidence that holds at
    every look; there nobody is tied, either, with a leader that is best with a probability of `level` at all looks.
    """
    race = _race(entrants, prompts, level, growing)
    estimates = [_estimate(row, race) for row in race.values]
    means = prompt_means(race.behind, prompts)
    means = means[:, np.isfinite(means[race.running]).all(axis=0) & race.running.any()]
    if not means.size:
        return _nobody(entrants, estimates)
    leader = _leader(entrants, means.mean(axis=1), race.running)
    unseen = _unseen(race)[race.running]
    anywhere = outlook(posterior(means[race.running], rng, unseen), race.running, leader)
    here = outlook(posterior_here(race.behind[race.running], prompts, rng, unseen), race.running, leader)
    tied = _tied(race, leader, float(anywhere.chances[leader]))
    return Selection(
        leader=entrants[leader].subject,
        strength=entrants[leader].strength,
        candidates=tuple(
            Candidate(
                subject=entrant.subject,
                strength=entrant.strength,
                objective=estimates[index],
                probability_best=float(anywhere.chances[index]),
                probability_here=float(here.chances[index]),
                tied=index in tied,
                constraints=entrant.constraints,
            )
            for index, entrant in enumerate(entrants)
        ),
        reason=_reason(entrants, leader, anywhere, tied - {leader}),
        expected_loss=anywhere.loss if means.shape[1] > 1 else None,
        loss_here=here.loss,
        advice=_advice(race, leader, tied - {leader}),
    )


def _race(entrants: Sequence[Entrant], prompts: Codes, level: float, growing: Growing | None) -> Race:
    values = np.array([entrant.values for entrant in entrants]).reshape(len(entrants), len(prompts))
    scored = np.isfinite(values).any(axis=1)
    common = np.isfinite(values[scored]).all(axis=0)
    if growing is None and common.any():
        values = np.where(common, values, np.nan)
    running = scored & np.array([entrant.eligible for entrant in entrants], dtype=bool)
    return Race(values=values, prompts=prompts, running=running, level=level, growing=growing)


def _tied(race: Race, leader: int, chance: float) -> set[int]:
    """The leader, and all that may be as good."""
    if race.growing is not None and chance >= 1.0 - (1.0 - race.level) / race.growing.looks:
        return {leader}
    runners = [int(index) for index in np.flatnonzero(race.running)]
    return {index for index in runners if index == leader or race.inseparable(leader, index)}


def _reason(entrants: Sequence[Entrant], leader: int, anywhere: Outlook, rivals: set[int]) -> str:
    near = [entrants[index] for index in sorted(rivals)]
    said = f"{entrants[leader].label} is best with probability {anywhere.chances[leader]:.2f}"
    return f"{said}; {_in_words(near)} cannot be told apart from it" if near else said


def _advice(race: Race, leader: int, rivals: set[int]) -> str:
    return settle(race.values[leader], race.values[sorted(rivals)], race.prompts, race.alpha) if rivals else ""


def _holds_zero(differences: Floats, prompts: Codes, alpha: float) -> bool:
    bounds = weigh(differences, prompts, signed=True).bounds(1.0 - alpha)
    return bounds is None or bounds[0] <= 0.0 <= bounds[1]


def _leader(entrants: Sequence[Entrant], means: Floats, running: Mask) -> int:
    def order(index: int) -> tuple[float, float, int]:
        epoch = entrants[index].epoch
        return -round(float(means[index]), 9), np.inf if epoch is None else float(epoch), index

    return min((int(index) for index in np.flatnonzero(running)), key=order)


def _unseen(race: Race) -> Floats:
    """For growing data, the doubt (entrants,) that few images leave: two more could differ as much as any did.

    The first looks at a handful of pass/fail images often show no spread at all, which is luck and not certainty: six
    passes against six failures are then as convincing as a sign test finds them.
    """
    if race.growing is None:
        return np.zeros(len(race.values))
    differences = np.abs(race.behind[race.running])
    most = float(np.nanmax(differences)) if np.isfinite(differences).any() else 0.0
    # where all are equal so far, the first difference may be as large as differences can be
    most = most if most > ROUNDING else race.growing.largest or 0.0
    doubts: Floats = 2.0 * most / np.maximum(np.isfinite(race.values).sum(axis=1), 1)
    return doubts


def _estimate(values: Floats, race: Race) -> Estimate:
    looks = 1 if race.growing is None else race.growing.looks
    scored = np.isfinite(values)
    unscored = len(values) - int(scored.sum())
    level = 1.0 - (1.0 - race.level) / looks
    return clustered_interval(values[scored], race.prompts[scored], level, unscored=unscored)


def _nobody(entrants: Sequence[Entrant], estimates: Sequence[Estimate]) -> Selection:
    candidates = tuple(
        Candidate(
            subject=entrant.subject,
            strength=entrant.strength,
            objective=found,
            probability_best=0.0,
            tied=False,
            constraints=entrant.constraints,
        )
        for entrant, found in zip(entrants, estimates, strict=True)
    )
    return Selection(leader=None, candidates=candidates, reason="no draw is scored for all subjects")


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _in_words(entrants: Sequence[Entrant]) -> str:
    """Labels as a list; epochs in a row as 'epochs 2 to 6'."""
    if not all(entrant.label == f"epoch {entrant.epoch}" for entrant in entrants):
        return _listed([entrant.label for entrant in entrants])
    runs: list[list[int]] = []
    for epoch in sorted(entrant.epoch for entrant in entrants if entrant.epoch is not None):
        if runs and epoch == runs[-1][-1] + 1:
            runs[-1].append(epoch)
        else:
            runs.append([epoch])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else _listed([str(epoch) for epoch in run]) for run in runs]
    return f"epoch{'s' if len(entrants) > 1 else ''} {_listed(words)}"
