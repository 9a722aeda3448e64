"""Which subject is best, with what probability, and whom the evidence cannot separate from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalharness.stats.intervals import clustered_interval, weigh
from evalharness.stats.sequence import log_e_value
from evalharness.stats.settle import settle
from evalharness.stats.table import Codes, Floats, Mask
from evalharness.types import Candidate, Check, Estimate, Selection

LEVEL = 0.95
SIMULATIONS = 20_000
ROUNDING = 1e-9


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
        """Whether the evidence allows that the rival is as good as the leader, among so many comparisons."""
        differences = self.values[leader] - self.values[rival]
        both = np.isfinite(differences)
        if self.growing is not None:
            largest = self.growing.largest
            return largest is None or log_e_value(differences[both], largest) < -math.log(self.alpha)
        bounds = weigh(differences[both], self.prompts[both], signed=True).bounds(1.0 - self.alpha)
        return bounds is None or bounds[0] <= 0.0 <= bounds[1]


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
    values = np.array([entrant.values for entrant in entrants]).reshape(len(entrants), len(prompts))
    scored = np.isfinite(values).any(axis=1)
    common = np.isfinite(values[scored]).all(axis=0)
    if growing is None and common.any():
        values = np.where(common, values, np.nan)
    running = scored & np.array([entrant.eligible for entrant in entrants], dtype=bool)
    race = Race(values=values, prompts=prompts, running=running, level=level, growing=growing)
    means = prompt_means(race.behind, prompts)
    means = means[:, np.isfinite(means[running]).all(axis=0) & running.any()]
    estimates = [_estimate(row, race) for row in values]
    if not means.size:
        return _nobody(entrants, estimates)
    leader = _leader(entrants, means.mean(axis=1), running)
    chances = np.zeros(len(entrants))
    drawn = posterior(means[running], rng, _unseen(race)[running])
    chances[running] = probability_best(drawn)
    loss = float((drawn.max(axis=1) - drawn[:, np.count_nonzero(running[:leader])]).mean())
    known = growing is not None and chances[leader] >= 1.0 - (1.0 - level) / growing.looks
    tied = [
        index == leader or (bool(runs) and not known and race.inseparable(leader, index))
        for index, runs in enumerate(running)
    ]
    rivals = [index for index, near in enumerate(tied) if near and index != leader]
    advice = settle(values[leader], values[rivals], prompts, race.alpha) if rivals else ""
    found = _selection(entrants, leader, chances, tied, estimates)
    return replace(found, advice=advice, expected_loss=loss if means.shape[1] > 1 else None)


def prompt_means(values: Floats, prompts: Codes) -> Floats:
    """Means (entrants, prompts) of the finite ones of values (entrants, draws); NaN where there is none."""
    codes = np.unique(prompts, return_inverse=True)[1]
    member = np.equal.outer(codes, np.arange(np.max(codes, initial=-1) + 1)).astype(np.float64)
    finite = np.isfinite(values)
    counts = finite @ member
    means: Floats = np.divide(
        np.where(finite, values, 0.0) @ member, counts, out=np.full(counts.shape, np.nan), where=counts > 0
    )
    return means


def posterior(
    means: Floats, rng: np.random.Generator, noise: Floats | None = None, simulations: int = SIMULATIONS
) -> Floats:
    """Draws (simulations, entrants) of the true means, from prompt means (entrants, prompts).

    A multivariate Student-t at the means, with the prompts' sample covariance / prompts as its scale and prompts - 1
    degrees, so that every paired difference has exactly the width of its Student-t interval. A Bayesian bootstrap over
    prompts has the same centre, but is narrower by sqrt((m - 1) / (m + 1)): 15 % at 6 prompts. One prompt tells
    nothing: all are equal. `noise` (entrants,) is an additional standard deviation of each.
    """
    entrants, prompts = means.shape
    if prompts == 1:
        return np.zeros((1, entrants))
    centred = means - means.mean(axis=1, keepdims=True)
    spread = rng.standard_normal((simulations, prompts)) @ centred.T / np.sqrt(prompts * (prompts - 1.0))
    stretch = np.sqrt((prompts - 1.0) / rng.chisquare(prompts - 1.0, size=(simulations, 1)))
    drawn: Floats = means.mean(axis=1) + spread * stretch
    if noise is not None and noise.any():
        drawn += noise * rng.standard_normal(drawn.shape)
    return drawn


def probability_best(drawn: Floats) -> Floats:
    """P(best) of each entrant by draws (simulations, entrants); sums to 1, exact ties share."""
    # Rounding must not decide between entrants with the same values.
    winners = drawn >= drawn.max(axis=1, keepdims=True) - ROUNDING
    shares: Floats = (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


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


def _selection(
    entrants: Sequence[Entrant],
    leader: int,
    chances: Floats,
    tied: Sequence[bool],
    estimates: Sequence[Estimate],
) -> Selection:
    candidates = [_candidate(*facts) for facts in zip(entrants, estimates, chances.tolist(), tied, strict=True)]
    near = [entrant for i, entrant in enumerate(entrants) if tied[i] and i != leader]
    said = f"{entrants[leader].label} is best with probability {chances[leader]:.2f}"
    rest = f"; {_in_words(near)} cannot be told apart from it" if near else ""
    return Selection(
        leader=entrants[leader].subject,
        strength=entrants[leader].strength,
        candidates=tuple(candidates),
        reason=said + rest,
    )


def _candidate(entrant: Entrant, objective: Estimate, chance: float, tied: bool) -> Candidate:
    return Candidate(
        subject=entrant.subject,
        strength=entrant.strength,
        objective=objective,
        probability_best=chance,
        tied=tied,
        constraints=entrant.constraints,
    )


def _nobody(entrants: Sequence[Entrant], estimates: Sequence[Estimate]) -> Selection:
    candidates = [_candidate(entrant, found, 0.0, False) for entrant, found in zip(entrants, estimates, strict=True)]
    return Selection(leader=None, candidates=tuple(candidates), reason="no draw is scored for all subjects")


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
