"""What the true means may be, by simulation: for prompts like these, and for these very prompts."""

from dataclasses import dataclass

import numpy as np

from evalharness.stats.table import Codes, Floats, Mask

SIMULATIONS = 20_000
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """P(best) of each entrant (entrants,), 0 for those not running; and the expected loss of taking the leader."""

    chances: Floats
    loss: float


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


def posterior_here(
    behind: Floats, prompts: Codes, rng: np.random.Generator, noise: Floats, simulations: int = SIMULATIONS // 4
) -> Floats:
    """Draws (simulations, entrants) of the true means over these very prompts, which only seeds make uncertain.

    `behind` (entrants, draws) are paired differences to one of the entrants, NaN where a draw is missing; prompts is
    (draws,). The spread of an entrant's mean is that of its seeds around their prompts' means (of its draws around
    their mean, where it has one seed a prompt); what entrants share in a draw cancels. `noise` is as in `posterior`.
    """
    codes = np.unique(prompts, return_inverse=True)[1]
    means = prompt_means(behind, prompts)
    counts = np.isfinite(behind).astype(np.float64) @ np.equal.outer(codes, np.arange(np.max(codes) + 1))
    seeds = counts[:, codes]
    around_prompt = (behind - means[:, codes]) * np.sqrt(seeds / np.maximum(seeds - 1.0, 1.0))
    around_mean = behind - np.nanmean(means, axis=1, keepdims=True)
    residuals = np.where(seeds > 1, around_prompt, around_mean)
    shares = 1.0 / np.maximum(seeds, 1.0) / np.maximum((counts > 0).sum(axis=1, keepdims=True), 1)
    drawn: Floats = rng.standard_normal((simulations, len(prompts))) @ np.nan_to_num(residuals * shares).T
    drawn += np.nanmean(means, axis=1)
    return drawn + noise * rng.standard_normal(drawn.shape) if noise.any() else drawn


def probability_best(drawn: Floats) -> Floats:
    """P(best) of each entrant by draws (simulations, entrants); sums to 1, exact ties share."""
    # Rounding must not decide between entrants with the same values.
    winners = drawn >= drawn.max(axis=1, keepdims=True) - ROUNDING
    shares: Floats = (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def outlook(drawn: Floats, running: Mask, leader: int) -> Outlook:
    """What draws (simulations, running entrants) say; `running` (entrants,) marks whose they are, the leader's too."""
    chances = np.zeros(len(running))
    chances[running] = probability_best(drawn)
    chosen = drawn[:, int(np.count_nonzero(running[:leader]))]
    return Outlook(chances=chances, loss=float((drawn.max(axis=1) - chosen).mean()))
