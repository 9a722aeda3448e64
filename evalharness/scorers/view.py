"""Is the character seen from where the prompt asks: front, behind, left or right profile? By a CLIP, or a judge."""

from typing import ClassVar

from evalharness.scorers.answered import SURE, surest
from evalharness.scorers.base import unscored
from evalharness.types import Cell, Observation, Reference, Score


class View:
    """1.0 where the likeliest view is the asked one, 0.0 where it surely is another one.

    A judge is asked about the asked view alone, where no CLIP is sure; the score says so (`judge_alone`).
    """

    name: ClassVar[str] = "view"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare the views; unscored where none is asked, nobody looked, or the answer is not sure."""
        asked = cell.prompt.expect.view
        if asked is None:
            return unscored(self.name, "the prompt does not say from where the character is seen")
        compared = self._by_clip(asked, observation)
        judged = self._by_judge(asked, observation) if compared.value is None else None
        return compared if judged is None else judged

    def _by_judge(self, asked: str, observation: Observation) -> Score | None:
        judge, so = observation.judges.get("affirmed"), observation.affirmed.get(f"view.{asked}")
        if judge is None or so is None:
            return None
        said = f"{asked.replace('_', ' ')}, as asked, with {so:.2f} by {judge}"
        if 1.0 - SURE < so < SURE:
            return unscored(self.name, f"not sure: {said}")
        return Score(metric=self.name, value=1.0 if so >= SURE else 0.0, reason=said, judge_alone=True)

    def _by_clip(self, asked: str, observation: Observation) -> Score:
        found = surest("view", observation)
        if found is None:
            why = "nobody looked from where she is seen: needs a CLIP (perception=clip) or a judge (perception=judge)"
            return unscored(self.name, why)
        view, sure = found
        judge = observation.judges["answers"]
        said = f"{view.replace('_', ' ')} ({sure:.2f}) by {judge}; asked: {asked.replace('_', ' ')}"
        if asked not in observation.answers["view"]:
            return unscored(self.name, f"{judge} was not asked about {asked.replace('_', ' ')}")
        if sure < SURE:
            return unscored(self.name, f"not sure: {said}")
        return Score(metric=self.name, value=1.0 if view == asked else 0.0, reason=said)
