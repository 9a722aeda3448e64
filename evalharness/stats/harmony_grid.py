"""The published experiment's own tables: success by archetype and emotion, and the guidance scale to use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalharness.stats.paired import pair
from evalharness.stats.summary import mean_of
from evalharness.stats.table import Column
from evalharness.types import Cell, Estimate, Score

STARS = "stars"
AXES = ("archetype", "emotion")
PERFECT, ACCEPTABLE = 3.0, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """Images of one archetype and emotion: how many, how many could be judged, and how many are good enough."""

    archetype: str
    emotion: str
    images: int
    scored: int
    perfect: int
    acceptable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """Stars at one guidance scale; `behind` is the best scale's lead on equal prompts and seeds (None for itself).

    `tied` = the draws that both share cannot tell it from the best.
    """

    scale: float
    stars: Estimate
    behind: Estimate | None
    tied: bool


def success_matrix(cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]]) -> tuple[Success, ...]:
    """One entry for each archetype and emotion of the cells, in their order; cells without both axes are left out."""
    groups: dict[tuple[str, str], list[float | None]] = {}
    for cell in cells:
        if all(axis in cell.prompt.axes for axis in AXES):
            place = (cell.prompt.axes["archetype"], cell.prompt.axes["emotion"])
            groups.setdefault(place, []).append(stars_of(cell, scores))
    return tuple(_success(*place, values) for place, values in groups.items())


def guidance_sensitivity(cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]]) -> tuple[Guidance, ...]:
    """Stars at every guidance scale of one subject's cells, the best first; empty where nothing was judged.

    Scales are compared on equal draws, a draw being a prompt, seed and all other settings. With several scales the
    intervals behind `tied` hold together (Bonferroni). Raises ValueError where one draw stands there twice.
    """
    columns = _columns(cells, scores)
    means = {scale: mean_of(column) for scale, column in columns.items()}
    ranked = sorted(
        (scale for scale in means if means[scale].mean is not None), key=lambda scale: -(means[scale].mean or 0.0)
    )
    level = 1.0 - 0.05 / max(len(ranked) - 1, 1)
    rows = [Guidance(scale=scale, stars=means[scale], behind=None, tied=True) for scale in ranked[:1]]
    for scale in ranked[1:]:
        lead = pair(columns[ranked[0]], columns[scale]).estimate(level)
        tied = lead.low is None or lead.low <= 0.0
        rows.append(Guidance(scale=scale, stars=means[scale], behind=lead, tied=tied))
    return tuple(rows)


def recommended(rows: Sequence[Guidance]) -> str:
    """Which guidance scale to use, as a sentence; '' without any."""
    if not rows:
        return ""
    best, tied = rows[0], [f"{row.scale:g}" for row in rows[1:] if row.tied]
    said = f"guidance scale {best.scale:g} is recommended ({best.stars.mean:.2f} stars)"
    return f"{said}; {' and '.join(tied)} cannot be told apart from it" if tied else said


def stars_of(cell: Cell, scores: Mapping[str, Sequence[Score]]) -> float | None:
    """The stars of a cell's image, or None where it could not be judged."""
    return next((score.value for score in scores.get(cell.key, ()) if score.metric == STARS), None)


def _success(archetype: str, emotion: str, values: Sequence[float | None]) -> Success:
    scored = [value for value in values if value is not None]
    return Success(
        archetype=archetype,
        emotion=emotion,
        images=len(values),
        scored=len(scored),
        perfect=sum(value >= PERFECT for value in scored),
        acceptable=sum(value >= ACCEPTABLE for value in scored),
    )


def _columns(cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]]) -> dict[float, Column]:
    """Stars by guidance scale; draws and prompts have the same codes at every scale."""
    draws: dict[object, int] = {}
    prompts: dict[str, int] = {}
    rows: dict[float, list[tuple[int, int, float]]] = {}
    for cell in cells:
        setting = cell.setting
        draw = (cell.prompt.id, cell.seed, replace(setting, guidance_scale=0.0))
        stars = stars_of(cell, scores)
        codes = (draws.setdefault(draw, len(draws)), prompts.setdefault(cell.prompt.id, len(prompts)))
        rows.setdefault(setting.guidance_scale, []).append((*codes, np.nan if stars is None else stars))
    return {scale: _column(given) for scale, given in rows.items()}


def _column(rows: Sequence[tuple[int, int, float]]) -> Column:
    pairs, prompts, values = zip(*rows, strict=True)
    return Column(
        pairs=np.array(pairs, dtype=np.intp),
        prompts=np.array(prompts, dtype=np.intp),
        values=np.array(values, dtype=np.float64),
    )
