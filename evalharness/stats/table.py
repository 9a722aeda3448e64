"""All scores of a run as columns, so that 10,000 cells are grouped once and sliced by masks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalharness.types import Cell, Score

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One row per cell. `prompts` and `pairs` are codes: rows of equal code share the prompt, or the draw.

    `values[metric]` holds NaN for cells that are unscored or whose image could not be made.
    """

    cells: tuple[Cell, ...]
    subjects: NDArray[np.object_]
    strengths: Floats
    prompts: Codes
    pairs: Codes
    values: Mapping[str, Floats]

    def rows(self, mask: Mask, metric: str) -> "Column":
        """One metric of the rows that a mask (rows,) selects."""
        return Column(pairs=self.pairs[mask], prompts=self.prompts[mask], values=self.values[metric][mask])


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One metric of some cells: their draws, prompts and values (NaN = unscored), all of the same length."""

    pairs: Codes
    prompts: Codes
    values: Floats


def tabulate(cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]], metrics: Sequence[str]) -> Table:
    """The table of the named metrics; scores are by cell key, and cells without any are unscored."""
    columns = {metric: np.full(len(cells), np.nan) for metric in metrics}
    for row, cell in enumerate(cells):
        for score in scores.get(cell.key, ()):
            if score.value is not None and score.metric in columns:
                columns[score.metric][row] = score.value
    return Table(
        cells=tuple(cells),
        subjects=np.array([cell.subject for cell in cells], dtype=object),
        strengths=np.array([cell.strength for cell in cells], dtype=np.float64),
        prompts=_codes([cell.prompt.id for cell in cells]),
        pairs=_codes([cell.pair_key for cell in cells]),
        values=columns,
    )


def _codes(names: list[str]) -> Codes:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.intp)
