"""Differences on equal draws: the same prompt, seed and setting, another subject. Luck that both share cancels."""

from dataclasses import dataclass

import numpy as np

from evalharness.stats.intervals import Evidence, estimate, weigh
from evalharness.stats.table import Codes, Column, Floats
from evalharness.types import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Differences `ours - theirs` (pairs,) with each pair's prompt; `unscored` draws lack a value on some side."""

    differences: Floats
    prompts: Codes
    unscored: int

    def evidence(self) -> Evidence:
        """What the differences say about the true one; prompts are the clusters."""
        return weigh(self.differences, self.prompts, signed=True)

    def estimate(self, level: float) -> Estimate:
        """The mean difference with its interval; `scored` counts pairs."""
        counts = (len(self.differences), self.unscored, len(np.unique(self.prompts)))
        return estimate(self.evidence(), level, counts)


def pair(ours: Column, theirs: Column) -> Pairs:
    """Match two columns on equal pair codes; draws that miss a partner or a value on either side are unscored.

    Several of ours may meet the same one of theirs (strengths against one baseline). Raises ValueError where theirs
    holds a draw twice, since it would be unclear which one is meant.
    """
    if len(np.unique(theirs.pairs)) != len(theirs.pairs):
        raise ValueError("the compared side holds a draw twice; select one strength of it.")
    partner = np.full(int(np.max(np.concatenate((ours.pairs, theirs.pairs)), initial=-1)) + 1, np.nan)
    partner[theirs.pairs] = theirs.values
    differences = ours.values - partner[ours.pairs]
    scored = np.isfinite(differences)
    return Pairs(differences=differences[scored], prompts=ours.prompts[scored], unscored=int(np.count_nonzero(~scored)))
