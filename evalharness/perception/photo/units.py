"""From mediapipe's blendshapes (action units) to what eyes, brows and mouth show, by the table units.toml."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from evalharness.types import EMOTIONS

TABLE = Path(__file__).with_suffix(".toml")
WEAK = 0.2
"""Units below are a face at rest."""
CLOSED = 0.6
"""eyeBlink from which an eye is closed."""
Shares = Mapping[str, float]


class Units(msgspec.Struct, frozen=True):
    """The table: a part at rest; part -> unit -> emotion -> share."""

    rest: Shares
    parts: Mapping[str, Mapping[str, Shares]]


@lru_cache
def units() -> Units:
    """The table as it ships."""
    return msgspec.convert(tomllib.loads(TABLE.read_text(encoding="utf-8")), Units)


def strength(unit: str, blendshapes: Shares) -> float:
    """A unit's strength in 0..1: the mean of both sides where it has sides."""
    sides = [blendshapes[name] for name in (unit, f"{unit}Left", f"{unit}Right") if name in blendshapes]
    return sum(sides) / len(sides) if sides else 0.0


def strong(part: str, blendshapes: Shares) -> dict[str, float]:
    """The part's units that are more than rest, the strongest first."""
    found = {unit: strength(unit, blendshapes) for unit in units().parts[part]}
    return dict(sorted(((u, v) for u, v in found.items() if v >= WEAK), key=lambda pair: -pair[1]))


def emotions_of(part: str, blendshapes: Shares) -> dict[str, float]:
    """What the part shows: a distribution over emotions that sums to 1.

    The mean of its strong units' rows, weighted by their strength, and of rest for what they leave of a strength of 1.
    """
    seen = strong(part, blendshapes)
    rows = [(value, units().parts[part][unit]) for unit, value in seen.items()]
    total = sum(seen.values())
    rows.append((max(0.0, 1.0 - total), units().rest))
    whole = max(1.0, total)
    return {name: sum(value / whole * _share(row, name) for value, row in rows) for name in EMOTIONS}


def _share(row: Shares, name: str) -> float:
    return row.get(name, 0.0) + (1.0 - sum(row.values())) / len(EMOTIONS)
