"""Signs of a LoRA that learned too much: pictures it should leave alone change, and seeds make the same picture."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from evalharness.scorers.base import unscored
from evalharness.scorers.neighbours import Neighbours, like_base
from evalharness.scorers.typical import difference
from evalharness.types import Cell, Observation, Score

NO_LAYOUT = "perception gives no layout of the image"


class BaseDrift:
    """Mean CIEDE2000 between the layout's cells of this image and of the no-LoRA image of the same draw; 0: unchanged.

    Judged only where the prompt expects a picture like the base's, that is, where it lacks the LoRA's trigger.
    """

    name: ClassVar[str] = "base_drift"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "deltaE00"
    higher_is_better: ClassVar[bool] = False

    def score_beside(self, cell: Cell, observation: Observation, neighbours: Neighbours) -> Score:
        """Measure the change; unscored for the baseline itself, and where its image is missing or may differ."""
        base = like_base(cell, neighbours)
        if isinstance(base, str):
            return unscored(self.name, base)
        distances = layout_distances(observation, [base])
        if not distances:
            return unscored(self.name, NO_LAYOUT)
        reason = f"the picture is deltaE00 {distances[0]:.1f} from the model's without LoRA on the same draw"
        return Score(metric=self.name, value=distances[0], reason=reason)


class Diversity:
    """Mean CIEDE2000 between the layout's cells of this image and those of the same prompt at other seeds.

    Prompts differ in how much they leave open, so it tells little alone; what a LoRA lost is its paired difference to
    the baseline.
    """

    name: ClassVar[str] = "diversity"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "deltaE00"
    higher_is_better: ClassVar[bool] = True

    def score_beside(self, cell: Cell, observation: Observation, neighbours: Neighbours) -> Score:
        """Measure the mean difference; unscored where there is no image at another seed."""
        if not neighbours.seeds:
            return unscored(self.name, "there is no image of the same prompt at another seed")
        distances = layout_distances(observation, neighbours.seeds)
        if not distances:
            return unscored(self.name, NO_LAYOUT)
        value, count = float(np.mean(distances)), len(distances)
        reason = f"deltaE00 {value:.1f} from {count} image{'s' if count > 1 else ''} of the same prompt at other seeds"
        return Score(metric=self.name, value=value, reason=reason)


def layout_distances(observation: Observation, others: Sequence[Observation]) -> tuple[float, ...]:
    """Mean CIEDE2000 over the layout's cells to each of the others that have a layout; empty where nothing has one."""
    theirs = np.array([other.layout for other in others if other.layout], dtype=np.float64)
    if not observation.layout or not theirs.size:
        return ()
    cells = theirs.reshape(len(theirs), -1, 3)
    own = np.broadcast_to(np.array(observation.layout, dtype=np.float64).reshape(-1, 3), cells.shape)
    return tuple(float(value) for value in difference(own, cells).mean(axis=-1))
