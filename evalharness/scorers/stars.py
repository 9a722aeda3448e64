"""The harmony of a face in the published experiment's stars."""

from dataclasses import replace
from typing import Any, ClassVar

from evalharness.scorers.harmony import Harmony
from evalharness.types import Cell, Observation, Reference, Score


class Stars:
    """3 perfect, 2 acceptable, 1 broken: harmony, graded by its two thresholds.

    3: all parts agree, on the asked emotion. 2: minor issues, but coherent. 1: features compete or are missing, or it
    is another emotion. Every image below 3 carries its failure type (A to D) as the score's label.

    Args:
        options: those of Harmony, whose thresholds they are.
    """

    name: ClassVar[str] = "stars"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "stars"
    higher_is_better: ClassVar[bool] = True

    def __init__(self, **options: Any) -> None:
        self.harmony = Harmony(**options)

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Judge the main face; unscored where harmony is."""
        judged = self.harmony.score(cell, observation, reference)
        value = None if judged.value is None else float(self.harmony.stars(judged.value))
        return replace(judged, metric=self.name, value=value)
