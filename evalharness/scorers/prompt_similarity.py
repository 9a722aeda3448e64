"""Does the picture fit its own prompt better than the run's other prompts? By a CLIP (CLIP-T), for any prompts."""

from typing import ClassVar

import numpy as np

from evalharness.scorers.base import unscored
from evalharness.scorers.neighbours import Neighbours
from evalharness.scorers.prompt_text import plain
from evalharness.scorers.vectors import cosines, embeddings_by
from evalharness.types import Cell, Observation, Score

RIVALS = 4
"""Other prompts that a picture is compared with: those that the model reads most like its own, which ask for the same
but for an outfit, a place, an emotion. Against prompts of another kind nearly every picture fits its own better."""


class PromptSimilarity:
    """The share of the four prompts most like its own that the picture fits less than its own, 0..1; 0.5 is chance.

    A cosine of picture and text means nothing alone: it depends on the model and on the text. Against mismatched
    prompts of the same run it does, and any model's is comparable (R-precision, Park et al. 2021, is its extreme: the
    share of pictures that fit their own prompt best). Prompts that ask for the same in other words are rivals, too.
    """

    name: ClassVar[str] = "prompt_similarity"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score_beside(self, cell: Cell, observation: Observation, neighbours: Neighbours) -> Score:
        """Compare with its own prompt and its rivals; unscored where nobody did, or prompts are too few."""
        model = observation.judges.get("likeness")
        if model is None or model not in observation.embeddings:
            return unscored(self.name, "nobody compared picture and prompt: needs a CLIP (perception=clip)")
        text = plain(cell.prompt.text)
        own = embeddings_by(model, [neighbours.prompts[text]] if text in neighbours.prompts else [])
        others = embeddings_by(model, (one for key, one in neighbours.prompts.items() if key != text))
        if not own:
            return unscored(self.name, f"the prompt was not read by {model}")
        if len(others) < RIVALS:
            return unscored(self.name, f"the run has {len(others)} other prompts; at least {RIVALS} are needed")
        alike = np.argsort(-cosines(np.array(own), np.array(others))[0], kind="stable")[:RIVALS]
        near = cosines(np.array([observation.embeddings[model]]), np.array([*own, *(others[i] for i in alike)]))[0]
        value = float(np.mean((near[0] > near[1:]) + 0.5 * (near[0] == near[1:])))
        reason = (
            f"nearer to its own prompt than to {value:.0%} of the {RIVALS} most like it, by {model} "
            f"(cosine {near[0]:.2f}; of these {near[1:].mean():.2f} on average)"
        )
        return Score(metric=self.name, value=value, reason=reason)
