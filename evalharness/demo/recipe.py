"""How long and how fast each part of the demo's models is trained."""

import dataclasses
import math
import time


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training: steps, images a step, peak learning rate, seed, and the minutes after which it must be done.

    `minutes` None trains all steps. Otherwise the schedule is shortened on a slow machine, so that the learning
    rate still falls to zero in time; then the result depends on the clock.
    """

    steps: int
    batch: int
    learning_rate: float
    seed: int
    warmup: float = 0.03
    minutes: float | None = None

    def scaled(self, scale: float) -> "Recipe":
        """The same recipe with its steps multiplied, at least 2 of them."""
        return dataclasses.replace(self, steps=max(2, round(self.steps * scale)))


class Schedule:
    """The learning rate of each step: a short rise, then half a cosine to zero."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._start = time.monotonic()

    def progress(self, step: int) -> float:
        """The share of the training that is done, 0 to 1."""
        share = step / self._recipe.steps
        if self._recipe.minutes is None:
            return share
        return max(share, (time.monotonic() - self._start) / (60 * self._recipe.minutes))

    def learning_rate(self, progress: float) -> float:
        """The rate at a progress of 0 to 1; zero from 1 on."""
        if progress < self._recipe.warmup:
            return self._recipe.learning_rate * max(progress, 1e-3) / self._recipe.warmup
        return self._recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
