"""Is the skin of a photographed face as detailed as in the references, or airbrushed?"""

from typing import ClassVar

import numpy as np

from evalharness.scorers.base import unscored
from evalharness.types import Cell, Observation, Reference, Score

MEASURE = "skin_texture"
LEAST = 3
"""References with a measured face that are needed."""


class SkinTexture:
    """The skin's fine detail as a share of the references' median, 0..1: 1 as much or more, 0 none (airbrushed).

    Detail is in percent of the skin's brightness, of the largest face that mediapipe found, at one size of all faces.
    Grain counts as detail, so that the difference to the baseline tells more than the number.

    Args:
        norm: the detail in percent that counts as 1 where references are missing; none is known to us for photographs
            in general, as it depends on light, lens and compression.
    """

    name: ClassVar[str] = "skin_texture"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def __init__(self, *, norm: float | None = None) -> None:
        self.norm = norm

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare the detail; unscored without the face of a photograph, and without anything to compare with."""
        found = observation.measures.get(MEASURE)
        if found is None:
            why = "no face of a photograph was measured: needs perception=photo"
            return unscored(self.name, observation.blind.get(MEASURE, why))
        theirs = [one.measures[MEASURE] for one in (reference.observations if reference else ()) if _measured(one)]
        if len(theirs) >= LEAST:
            norm, whose = float(np.median(theirs)), f"the median of {len(theirs)} references"
        elif self.norm:
            norm, whose = self.norm, "the norm that the config gives"
        else:
            return unscored(self.name, f"{len(theirs)} references show the skin of a photograph; {LEAST} are needed")
        if norm <= 0.0:
            return unscored(self.name, "the references' skin has no detail itself")
        value = min(1.0, found / norm)
        kind = "airbrushed" if value < 0.5 else "detailed"
        reason = f"skin {kind}: fine detail {found:.2f} % of its brightness; {norm:.2f} % is {whose}"
        return Score(metric=self.name, value=value, reason=reason)


def _measured(observation: Observation) -> bool:
    return MEASURE in observation.measures
