"""Hair ties in drawings: drawn, left out, or left over."""

from dataclasses import replace

import numpy as np
import pytest

from evalharness.demo.drawing import draw
from evalharness.demo.look import Look


@pytest.mark.parametrize("light", ["soft", "backlit"])
def test_drawing_without_a_tie_differs_only_where_the_tie_was(light: str) -> None:
    look = Look(hairstyle="side_ponytail", light=light, seed=4)  # type: ignore[arg-type]
    with_tie, without = draw(look, 128), draw(replace(look, tie=False), 128)
    assert with_tie.tie_mask.sum() > 40 and not without.tie_mask.any()
    changed = (np.asarray(with_tie.image) != np.asarray(without.image)).any(axis=2)
    rows, columns = np.nonzero(with_tie.tie_mask)
    there = np.zeros_like(changed)
    there[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4] = True
    assert changed.any() and not (changed & ~there).any()


def test_hair_that_is_down_keeps_a_tie_only_when_told() -> None:
    assert not draw(Look(seed=2), 128).tie_mask.any()
    assert draw(Look(seed=2, tie=True), 128).tie_mask.any()
