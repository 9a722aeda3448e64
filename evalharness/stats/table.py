"""All scores of a run as columns, so that 10,000 cells are grouped once and sliced by masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evalharness.types import Cell, Score

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One row per cell. `prompts` and `pairs` are codes: rows of equal code share the prompt, or the draw.

    `values[metric]` holds NaN for cells that are unscored or whose image could not be made. `judge_alone[metric]` marks
    values that a vision-language model alone vouches for; metrics without any are left out.
    """

    cells: tuple[Cell, ...]
    subjects: NDArray[np.object_]
    strengths: Floats
    prompts: Codes
    pairs: Codes
    values: Mapping[str, Floats]
    judge_alone: Mapping[str, Mask] = field(default_factory=dict)

    def rows(self, mask: Mask, metric: str) -> "Column":
        """One metric of the rows that a mask (rows,) selects."""
        return Column(pairs=self.pairs[mask], prompts=self.prompts[mask], values=self.values[metric][mask])

    def vouched_rows(self, mask: Mask, metric: str) -> "Column":
        """The same, without what a judge alone vouches for: such values are as good as unscored."""
        column = self.rows(mask, metric)
        if metric not in self.judge_alone:
            return column
        return replace(column, values=np.where(self.judge_alone[metric][mask], np.nan, column.values))

    def alone(self, mask: Mask, metric: str) -> int:
        """How many values of the rows a judge alone vouches for."""
        return int(np.count_nonzero(self.judge_alone[metric][mask])) if metric in self.judge_alone else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One metric of some cells: their draws, prompts and values (NaN = unscored), all of the same length."""

    pairs: Codes
    prompts: Codes
    values: Floats


def tabulate(cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]], metrics: Sequence[str]) -> Table:
    """The table of the named metrics; scores are by cell key, and cells without any are unscored."""
    columns = {metric: np.full(len(cells), np.nan) for metric in metrics}
    alone: dict[str, Mask] = {}
    for row, cell in enumerate(cells):
        for score in scores.get(cell.key, ()):
            if score.value is not None and score.metric in columns:
                columns[score.metric][row] = score.value
                if score.judge_alone:
                    alone.setdefault(score.metric, np.zeros(len(cells), dtype=bool))[row] = True
    return Table(
        cells=tuple(cells),
        subjects=np.array([cell.subject for cell in cells], dtype=object),
        strengths=np.array([cell.strength for cell in cells], dtype=np.float64),
        prompts=_codes([cell.prompt.id for cell in cells]),
        pairs=_codes([cell.pair_key for cell in cells]),
        values=columns,
        judge_alone=alone,
    )


def _codes(names: list[str]) -> Codes:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.intp)
