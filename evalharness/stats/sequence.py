"""Evidence that stays valid however often one looks while images are still being made.

An e-value: under 'the mean difference is at most 0' its expectation is at most 1 at every moment, so that it ever
exceeds 1 / alpha with probability at most alpha (Ville's inequality). Repeated t-tests have no such bound.
"""

import numpy as np
from scipy import special

from evalharness.stats.table import Floats

# Bets as shares of the largest that is allowed; a mixture, so that no spread of the differences has to be known.
BETS = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97])


def log_e_value(differences: Floats, largest: float) -> float:
    """Evidence that the mean of differences (n,) in -largest..largest is above 0; as its natural logarithm.

    Empirical-Bernstein supermartingale exp(bet x sum(d) - psi(bet) x sum(d^2)), psi(b) = -log(1 - b) - b, averaged
    over BETS: S. Howard, A. Ramdas, J. McAuliffe and J. Sekhon, Time-uniform, nonparametric, nonasymptotic confidence
    sequences, Annals of Statistics 49 (2021), theorem 4 with 0 as the prediction; from X. Fan, I. Grama and Q. Liu,
    Electronic Journal of Probability 20 (2015). Means may differ from draw to draw (prompts do): it is their average
    over what was drawn that is tested, so look when each prompt was drawn equally often.
    """
    scaled = np.clip(differences / largest, -1.0, 1.0)
    gains = BETS * scaled.sum() + (np.log1p(-BETS) + BETS) * np.square(scaled).sum()
    return float(special.logsumexp(gains) - np.log(len(BETS)))
