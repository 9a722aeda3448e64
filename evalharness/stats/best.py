"""Which subject is best, with what probability, and whom the evidence cannot separate from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalharness.stats.intervals import clustered_interval, weigh
from evalharness.stats.table import Codes, Floats, Mask
from evalharness.types import Candidate, Estimate, Selection

LEVEL = 0.95
SIMULATIONS = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A subject with its objective per draw (draws,), NaN = unscored; draws are the same for all entrants.

    `label` is what sentences call it. Entrants that are not `eligible` are listed, but cannot lead.
    """

    subject: str
    label: str
    epoch: int | None
    values: Floats
    eligible: bool = True


def select(entrants: Sequence[Entrant], prompts: Codes, rng: np.random.Generator, level: float = LEVEL) -> Selection:
    """The entrant with the highest objective, on the draws that all scored entrants have; prompts is (draws,).

    `probability_best` answers 'which of the eligible ones is it', so it is 0 for the others. Tied entrants are those
    whose paired difference to the leader has an interval that contains 0, Bonferroni-corrected for the number of
    comparisons, so that the best is among leader and tied with probability `level`. Equal means: the earlier epoch.
    """
    scored = np.array([np.isfinite(entrant.values).any() for entrant in entrants], dtype=bool)
    running = scored & np.array([entrant.eligible for entrant in entrants], dtype=bool)
    values = np.array([entrant.values for entrant in entrants]).reshape(len(entrants), len(prompts))
    common = np.isfinite(values[scored]).all(axis=0) & scored.any()
    if not running.any() or not common.any():
        return _nobody(entrants, prompts, level)
    values, prompts = values[:, common], prompts[common]
    means = prompt_means(values, prompts)
    leader = _leader(entrants, means.mean(axis=1), running)
    chances = np.zeros(len(entrants))
    chances[running] = probability_best(means[running], rng)
    tied = [
        runs and _inseparable(values[leader] - row, prompts, level, running)
        for runs, row in zip(running.tolist(), values, strict=True)
    ]
    estimates = [_estimate(row, prompts, level, len(common)) for row in values]
    return _selection(entrants, leader, chances, tied, estimates)


def prompt_means(values: Floats, prompts: Codes) -> Floats:
    """Means (entrants, prompts) of values (entrants, draws)."""
    codes = np.unique(prompts, return_inverse=True)[1]
    member = np.equal.outer(codes, np.arange(np.max(codes) + 1)).astype(np.float64)
    means: Floats = values @ member / member.sum(axis=0)
    return means


def probability_best(means: Floats, rng: np.random.Generator, simulations: int = SIMULATIONS) -> Floats:
    """P(best) of each entrant from prompt means (entrants, prompts); sums to 1, exact ties share.

    Posterior: a multivariate Student-t at the means, with the prompts' sample covariance / prompts as its scale and
    prompts - 1 degrees, so that every paired difference has exactly the width of its Student-t interval. A Bayesian
    bootstrap over prompts has the same centre, but is narrower by sqrt((m - 1) / (m + 1)): 15 % at 6 prompts.
    One prompt tells nothing: all are equally likely.
    """
    entrants, prompts = means.shape
    if prompts == 1:
        return np.full(entrants, 1.0 / entrants)
    centred = means - means.mean(axis=1, keepdims=True)
    noise = rng.standard_normal((simulations, prompts)) @ centred.T / np.sqrt(prompts * (prompts - 1.0))
    stretch = np.sqrt((prompts - 1.0) / rng.chisquare(prompts - 1.0, size=(simulations, 1)))
    drawn = means.mean(axis=1) + noise * stretch
    # Rounding must not decide between entrants with the same values.
    winners = drawn >= drawn.max(axis=1, keepdims=True) - 1e-9
    shares: Floats = (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def _leader(entrants: Sequence[Entrant], means: Floats, running: Mask) -> int:
    def order(index: int) -> tuple[float, float, int]:
        epoch = entrants[index].epoch
        return -round(float(means[index]), 9), np.inf if epoch is None else float(epoch), index

    return min((int(index) for index in np.flatnonzero(running)), key=order)


def _inseparable(behind: Floats, prompts: Codes, level: float, running: Mask) -> bool:
    comparisons = max(int(running.sum()) - 1, 1)
    bounds = weigh(behind, prompts, signed=True).bounds(1.0 - (1.0 - level) / comparisons)
    return bounds is None or bounds[0] <= 0.0 <= bounds[1]


def _estimate(values: Floats, prompts: Codes, level: float, draws: int) -> Estimate:
    scored = np.isfinite(values)
    unscored = draws - int(scored.sum())
    return clustered_interval(values[scored], prompts[scored], level, unscored=unscored)


def _selection(
    entrants: Sequence[Entrant], leader: int, chances: Floats, tied: list[bool], estimates: list[Estimate]
) -> Selection:
    candidates = [
        Candidate(subject=entrant.subject, objective=estimates[i], probability_best=float(chances[i]), tied=tied[i])
        for i, entrant in enumerate(entrants)
    ]
    near = [entrant for i, entrant in enumerate(entrants) if tied[i] and i != leader]
    said = f"{entrants[leader].label} is best with probability {chances[leader]:.2f}"
    rest = f"; {_in_words(near)} cannot be told apart from it" if near else ""
    return Selection(leader=entrants[leader].subject, candidates=tuple(candidates), reason=said + rest)


def _nobody(entrants: Sequence[Entrant], prompts: Codes, level: float) -> Selection:
    candidates = [
        Candidate(
            subject=entrant.subject,
            objective=_estimate(entrant.values, prompts, level, len(prompts)),
            probability_best=0.0,
            tied=False,
        )
        for entrant in entrants
    ]
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
