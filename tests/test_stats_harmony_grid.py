"""The experiment's own tables: success by archetype and emotion, and which guidance scale to use."""

import numpy as np
import pytest
from judging import cell_of, scored

from evalharness.stats.harmony_grid import guidance_sensitivity, recommended, success_matrix
from evalharness.types import Cell, Score

SCALES = (5.0, 7.0, 9.0)


def grid(scales: tuple[float, ...] = SCALES) -> list[Cell]:
    return [
        cell_of(
            "epoch",
            f"{archetype}-{emotion}",
            seed,
            guidance_scale=scale,
            axes={"archetype": archetype, "emotion": emotion},
        )
        for archetype in ("soft", "stoic")
        for emotion in ("happy", "sad", "angry")
        for scale in scales
        for seed in (1, 2)
    ]


def test_success_counts_only_what_was_judged() -> None:
    cells = grid((5.0,))
    values = dict.fromkeys((cell.key for cell in cells), 2.0) | {cells[0].key: 3.0, cells[1].key: None}
    matrix = success_matrix(cells, {cell.key: scored(cell, stars=values[cell.key]) for cell in cells})
    assert [(one.archetype, one.emotion) for one in matrix][:2] == [("soft", "happy"), ("soft", "sad")]
    first, second = matrix[:2]
    assert (first.images, first.scored, first.perfect, first.acceptable) == (2, 1, 1, 1)
    assert (second.images, second.scored, second.perfect, second.acceptable) == (2, 2, 0, 2)


def test_prompt_without_the_axes_is_left_out() -> None:
    cell = cell_of("epoch", "loose", 1)
    assert success_matrix([cell], {cell.key: scored(cell, stars=3.0)}) == ()


def stars(cells: list[Cell], means: dict[float, float], rng: np.random.Generator) -> dict[str, tuple[Score, ...]]:
    luck = {(cell.prompt.id, cell.seed): rng.normal(0, 0.4) for cell in cells}
    return {
        cell.key: scored(
            cell,
            stars=means[cell.setting.guidance_scale] + luck[cell.prompt.id, cell.seed] + float(rng.normal(0, 0.02)),
        )
        for cell in cells
    }


def test_clearly_better_guidance_scale_is_recommended_though_luck_is_larger_than_the_lead() -> None:
    cells = grid()
    rows = guidance_sensitivity(cells, stars(cells, {5.0: 2.0, 7.0: 2.3, 9.0: 1.5}, np.random.default_rng(1)))
    assert [row.scale for row in rows] == [7.0, 5.0, 9.0]
    assert not any(row.tied for row in rows[1:])
    assert rows[1].behind is not None and rows[1].behind.mean == pytest.approx(0.3, abs=0.05)
    assert recommended(rows).startswith("guidance scale 7 is recommended")
    assert "told apart" not in recommended(rows)


def test_scales_that_differ_by_chance_are_tied() -> None:
    cells = grid()
    rng = np.random.default_rng(2)
    rows = guidance_sensitivity(cells, {c.key: scored(c, stars=float(rng.choice([1.0, 2.0, 3.0]))) for c in cells})
    assert all(row.tied for row in rows)
    assert "cannot be told apart" in recommended(rows)


def test_nothing_judged_recommends_nothing() -> None:
    cells = grid()
    rows = guidance_sensitivity(cells, {cell.key: scored(cell, stars=None) for cell in cells})
    assert rows == ()
    assert recommended(rows) == ""
