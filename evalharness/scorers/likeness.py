"""How like the references is the picture (CLIP-I, DINO), and is it too near to one of them to be a new picture?"""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from evalharness.scorers.base import unscored
from evalharness.scorers.vectors import Embeddings, compared_by, cosines, embeddings_by
from evalharness.types import Cell, Observation, Reference, Score

LEAST = 4
"""References that are needed to know how near they are to each other."""


class ReferenceSimilarity:
    """Mean cosine to the references but the nearest, as a share of theirs among themselves (but the nearest); <= 1.

    The nearest is held out on both sides, so that a copy of one reference gains nothing by it. 1 is as alike as the
    references are to each other. All pictures are somewhat alike, so that the difference to the baseline tells more
    than the number; background and outfit weigh in.
    """

    name: ClassVar[str] = "reference_similarity"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare with every reference; unscored without embeddings or with too few references."""
        found = _compared(observation, reference)
        if isinstance(found, str):
            return unscored(self.name, found)
        model, ours, theirs = found
        held_out = float(np.sort(cosines(np.array([ours]), np.array(theirs))[0])[:-1].mean())
        among = float(np.mean(np.sort(among_themselves(theirs), axis=1)[:, :-1]))
        if among <= 0.0:
            return unscored(self.name, f"by {model} the references are not alike (mean cosine {among:.2f})")
        reason = f"mean cosine {held_out:.2f} to the references but the nearest, by {model} (they: {among:.2f})"
        return Score(metric=self.name, value=min(1.0, held_out / among), reason=reason)


class CopyRisk:
    """The share of references that have no other reference as near as this picture has one, 0..1; 0.5 is usual.

    1.0: it is nearer to a reference than any two references are to each other, as a copy is. It needs references that
    are different pictures, and says something of training images only where they are the references.
    """

    name: ClassVar[str] = "copy_risk"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = False

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare the nearest reference's distance with theirs; unscored without embeddings or with few references."""
        found = _compared(observation, reference)
        if isinstance(found, str) or reference is None:
            return unscored(self.name, str(found))
        model, ours, theirs = found
        near = cosines(np.array([ours]), np.array(theirs))[0]
        nearest = int(near.argmax())
        own = np.sort(among_themselves(theirs), axis=1)[:, -1]
        value = float(np.mean(own < near[nearest]))
        named = [name for name, one in zip(reference.names, reference.observations, strict=True)
                 if model in one.embeddings][nearest]  # fmt: skip
        reason = (
            f"cosine {near[nearest]:.3f} to {named}, by {model}; the references' nearest ones: "
            f"{np.median(own):.3f} at the median, {np.max(own):.3f} at most"
        )
        return Score(metric=self.name, value=value, reason=reason)


@lru_cache(maxsize=4)
def among_themselves(embeddings: Embeddings) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Each reference's cosines to all others, as (n, n - 1)."""
    count = len(embeddings)
    found = cosines(np.array(embeddings), np.array(embeddings))
    return np.asarray(found[~np.eye(count, dtype=bool)].reshape(count, count - 1))


def _compared(observation: Observation, reference: Reference | None) -> tuple[str, tuple[float, ...], Embeddings] | str:
    """The model, its embeddings of the picture and of the references, or why there are none."""
    model = compared_by(observation)
    if model is None:
        return "nobody compared the picture with references: needs a CLIP (perception=clip) or a DINO (perception=dino)"
    theirs = embeddings_by(model, reference.observations if reference else ())
    if len(theirs) < LEAST:
        return f"{len(theirs)} references were seen by {model}; at least {LEAST} are needed"
    return model, tuple(observation.embeddings[model]), theirs
