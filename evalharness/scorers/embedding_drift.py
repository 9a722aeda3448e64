"""How far a picture went from the base's, and how far seeds differ, by embeddings: what is shown, not its colours."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from evalharness.scorers.base import unscored
from evalharness.scorers.neighbours import Neighbours, like_base
from evalharness.scorers.vectors import compared_by, cosines, embeddings_by
from evalharness.types import Cell, Observation, Score

NO_MODEL = "nobody compared pictures with pictures: needs a DINO (perception=dino) or a CLIP (perception=clip)"


class EmbeddingDrift:
    """Cosine distance between this image and the no-LoRA image of the same draw, 0..2; 0: unchanged.

    Knowledge kept, or style diluted: judged only where the prompt expects a picture like the base's, that is, where it
    lacks the LoRA's trigger. `base_drift` is the same by the layout's colours: another unit, other limits.
    """

    name: ClassVar[str] = "embedding_drift"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "cosine distance"
    higher_is_better: ClassVar[bool] = False

    def score_beside(self, cell: Cell, observation: Observation, neighbours: Neighbours) -> Score:
        """Measure the change; unscored for the baseline itself, without embeddings, and where its image is missing."""
        base = like_base(cell, neighbours)
        if isinstance(base, str):
            return unscored(self.name, base)
        model, far = distances(observation, [base])
        if not far:
            return unscored(self.name, NO_MODEL)
        reason = f"cosine distance {far[0]:.3f} from the model's picture without LoRA on the same draw, by {model}"
        return Score(metric=self.name, value=far[0], reason=reason)


class EmbeddingDiversity:
    """Mean cosine distance between this image and those of the same prompt at other seeds, 0..2.

    Prompts differ in how much they leave open, so it tells little alone; what a LoRA lost (mode collapse) is its paired
    difference to the baseline.
    """

    name: ClassVar[str] = "embedding_diversity"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "cosine distance"
    higher_is_better: ClassVar[bool] = True

    def score_beside(self, cell: Cell, observation: Observation, neighbours: Neighbours) -> Score:
        """Measure the mean distance; unscored without embeddings, and where there is no image at another seed."""
        if not neighbours.seeds:
            return unscored(self.name, "there is no image of the same prompt at another seed")
        model, far = distances(observation, neighbours.seeds)
        if not far:
            return unscored(self.name, NO_MODEL)
        value, count = float(np.mean(far)), len(far)
        images = f"{count} image{'s' if count > 1 else ''} of the same prompt at other seeds"
        return Score(metric=self.name, value=value, reason=f"cosine distance {value:.3f} from {images}, by {model}")


def distances(observation: Observation, others: Sequence[Observation]) -> tuple[str, tuple[float, ...]]:
    """The model, and 1 - cosine to each of the others that it saw; nothing where it saw none of them."""
    model = compared_by(observation)
    theirs = embeddings_by(model, others) if model else ()
    if model is None or not theirs:
        return "", ()
    near = cosines(np.array([observation.embeddings[model]]), np.array(theirs))[0]
    return model, tuple(max(0.0, 1.0 - float(value)) for value in near)
