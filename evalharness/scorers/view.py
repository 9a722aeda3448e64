"""Is the character seen from where the prompt asks: front, behind, left or right profile? By a CLIP."""

from typing import ClassVar

from evalharness.scorers.answered import SURE, surest
from evalharness.scorers.base import unscored
from evalharness.types import Cell, Observation, Reference, Score


class View:
    """1.0 where the likeliest view is the asked one, 0.0 where it surely is another one."""

    name: ClassVar[str] = "view"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare the views; unscored where none is asked, nobody looked, or the answer is not sure."""
        asked, found = cell.prompt.expect.view, surest("view", observation)
        if asked is None:
            return unscored(self.name, "the prompt does not say from where the character is seen")
        if found is None:
            return unscored(self.name, "nobody looked from where she is seen: needs a CLIP (perception=clip)")
        view, sure = found
        judge = observation.judges["answers"]
        said = f"{view.replace('_', ' ')} ({sure:.2f}) by {judge}; asked: {asked.replace('_', ' ')}"
        if asked not in observation.answers["view"]:
            return unscored(self.name, f"{judge} was not asked about {asked.replace('_', ' ')}")
        if sure < SURE:
            return unscored(self.name, f"not sure: {said}")
        return Score(metric=self.name, value=1.0 if view == asked else 0.0, reason=said)
