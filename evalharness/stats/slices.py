"""Which cells a rule is about: its `where`, as a mask over the table's rows."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from evalharness.errors import InputError, unknown
from evalharness.stats.table import Mask, Table
from evalharness.types import Cell

FIELDS: Mapping[str, Callable[[Cell], str | float]] = {
    "strength": lambda cell: cell.strength,
    "seed": lambda cell: cell.seed,
    "sampler": lambda cell: cell.setting.sampler,
    "steps": lambda cell: cell.setting.steps,
    "guidance_scale": lambda cell: cell.setting.guidance_scale,
    "frame": lambda cell: cell.setting.frame,
}


def matching(table: Table, where: Mapping[str, str | float | int]) -> Mask:
    """Rows (cells,) that have all the wanted labels; no wish, all rows.

    Raises InputError for a key or a value that no cell has: a slice of nothing would be a check of nothing.
    """
    mask = np.ones(len(table.cells), dtype=bool)
    for key, wanted in where.items():
        values = _values(table, key)
        rows = np.array([value is not None and _same(value, wanted) for value in values], dtype=bool)
        if not rows.any():
            known = {f"{value:g}" if isinstance(value, float) else str(value) for value in values if value is not None}
            raise InputError(unknown(f"value of where.{key}", str(wanted), known))
        mask &= rows
    return mask


def _values(table: Table, key: str) -> list[str | float | None]:
    axes = {name for cell in table.cells for name in cell.prompt.axes}
    if key in axes:
        return [cell.prompt.axes.get(key) for cell in table.cells]
    if key not in FIELDS:
        raise InputError(unknown("where key", key, axes | set(FIELDS)))
    return [FIELDS[key](cell) for cell in table.cells]


def _same(value: str | float, wanted: str | float) -> bool:
    if isinstance(value, str) or isinstance(wanted, str):
        return str(value) == str(wanted)
    return math.isclose(value, wanted, rel_tol=1e-9)
