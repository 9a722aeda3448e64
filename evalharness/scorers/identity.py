"""Is it the character of the references? By embeddings: of a model that tells characters apart (CCIP), else a DINO."""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from evalharness.models.table import threshold_of
from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import several
from evalharness.scorers.vectors import differences, embeddings_by
from evalharness.types import Cell, Observation, Reference, Score

LEAST = 3
"""References that are needed: of each picture the nearest one is held out, and one alone says little."""
LEAST_FOR_A_LIMIT = 5
"""References that are needed where they alone say how alike is alike: ten pairs."""
OWN = 0.9
"""The share of the references' own pairs that is alike by the limit that is taken from them."""


class Identity:
    """How often the picture is the references' character, as a share of how often they are each other's: 0..1.

    Two pictures show one character where their difference, (1 - cosine) / 2 of the embeddings, is at most the model's
    threshold. Of each picture the nearest reference is held out, as a reference is held out from itself, so that a
    copy of a training image counts no more than the training image does. The share is divided by the references' own,
    as a character drawn in many ways agrees less with itself; 1 is as alike as they are, more is cut off.

    A DINO was not taught what a character is, and has no threshold: there two pictures are alike that are no further
    apart than nine in ten pairs of references. Outfit, place and style count with it, so that CCIP is asked first.
    """

    name: ClassVar[str] = "identity"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare with every reference; unscored without embeddings, with too few references, or of several people."""
        model = observation.judges.get("identity") or observation.judges.get("pictures")
        if model is None:
            return unscored(self.name, "nobody looked who it is: needs a vision model (perception=anime)")
        taught = "identity" in observation.judges
        if crowd := several(observation):
            return unscored(self.name, f"{crowd}: who is meant is not clear")
        theirs = embeddings_by(model, reference.observations) if reference else ()
        least = LEAST if taught else LEAST_FOR_A_LIMIT
        if len(theirs) < least:
            return unscored(self.name, f"{len(theirs)} references were seen by {model}; at least {least} are needed")
        limit = threshold_of(model) if taught else own_limit(theirs)
        among = among_themselves(theirs, limit)
        if among == 0.0:
            return unscored(self.name, f"by {model} the references themselves are not of one character")
        apart = np.sort(differences(np.array([observation.embeddings[model]]), np.array(theirs))[0])[1:]
        alike = float(np.mean(apart <= limit))
        reason = (
            f"like {alike:.0%} of the references but the nearest, by {model} (they among themselves: {among:.0%}); "
            f"mean difference {apart.mean():.2f}"
        )
        if not taught:
            reason += f"; alike is up to {limit:.2f}, as {OWN:.0%} of their own pairs are: style and outfit count, too"
        return Score(metric=self.name, value=min(1.0, alike / among), reason=reason)


@lru_cache(maxsize=4)
def own_limit(embeddings: tuple[tuple[float, ...], ...]) -> float:
    """The difference up to which `OWN` of the references' pairs are; rounded up, so that equal pairs are within it."""
    found = differences(np.array(embeddings), np.array(embeddings))
    return float(np.quantile(found[np.triu_indices(len(embeddings), 1)], OWN)) + 1e-9


@lru_cache(maxsize=4)
def among_themselves(embeddings: tuple[tuple[float, ...], ...], threshold: float) -> float:
    """The mean share of the other references that each reference is like."""
    found = differences(np.array(embeddings), np.array(embeddings)) <= threshold
    return float((found.sum() - len(embeddings)) / (len(embeddings) * (len(embeddings) - 1)))
