"""From geometry to emotions: how a part looks in each emotion, as a table, and a softmax over how far off it is.

The tables are rules, rounded from 300 drawn faces at 128 pixels after blur, noise and JPEG; they name what a person
would: smiles turn up, anger lowers the inner brows, surprise rounds the mouth.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalharness.types import EMOTIONS

FAR = 3.0
"""Root mean square deviation beyond which a part looks like none of the rules and tells nothing."""
SOFT = 1.5
"""Divides squared deviations: features of one part depend on each other, so full Gaussians would be too sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way a part looks when it shows an emotion: feature values, and (in `Table.spread`) how far they vary."""

    emotion: str
    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """All rules of a part over the same features; `spread` holds one deviation a feature.

    `doubt` is the share of readings that meet another line than the part's, spread evenly over all emotions.
    """

    features: tuple[str, ...]
    spread: tuple[float, ...]
    doubt: float
    rules: tuple[Rule, ...]


MOUTH = Table(
    features=("width", "height", "corners", "top", "bottom", "wave", "light"),
    spread=(0.07, 0.06, 0.025, 0.03, 0.03, 0.01, 10.0),
    doubt=0.03,
    rules=(
        Rule(emotion="neutral", name="a short straight line", values=(0.34, 0.09, 0.0, -0.015, 0.015, 0.0, -27.0)),
        Rule(
            emotion="happy",
            name="open, straight above, round below",
            values=(0.61, 0.40, 0.11, 0.0, 0.22, -0.01, -54.0),
        ),
        Rule(emotion="happy", name="a line with raised corners", values=(0.62, 0.22, 0.13, 0.13, 0.13, 0.005, -27.0)),
        Rule(emotion="sad", name="a line with lowered corners", values=(0.50, 0.19, -0.10, -0.10, -0.09, -0.01, -29.0)),
        Rule(
            emotion="sad",
            name="open, round above, straight below",
            values=(0.48, 0.25, -0.07, -0.13, -0.01, 0.0, -54.0),
        ),
        Rule(emotion="angry", name="wide, with teeth", values=(0.65, 0.26, -0.06, -0.12, 0.0, 0.01, -22.0)),
        Rule(emotion="angry", name="a bent, waved line", values=(0.56, 0.19, -0.08, -0.08, -0.08, 0.01, -29.0)),
        Rule(emotion="surprised", name="a tall round opening", values=(0.33, 0.38, 0.0, -0.11, 0.10, 0.0, -55.0)),
    ),
)
BROWS = Table(
    features=("height", "slope", "bow"),
    spread=(0.12, 0.14, 0.07),
    doubt=0.15,
    rules=(
        Rule(emotion="neutral", name="level", values=(0.42, 0.0, 0.03)),
        Rule(emotion="happy", name="arched", values=(0.51, 0.0, 0.14)),
        Rule(emotion="sad", name="raised inner ends", values=(0.48, -0.3, 0.0)),
        Rule(emotion="angry", name="lowered inner ends", values=(0.30, 0.33, 0.0)),
        Rule(emotion="surprised", name="raised", values=(0.80, -0.02, 0.08)),
    ),
)
EYES = Table(
    features=("opening", "white", "dark"),
    spread=(0.12, 0.09, 0.12),
    doubt=0.2,
    rules=(
        Rule(emotion="neutral", name="open", values=(0.42, 0.03, 0.58)),
        Rule(emotion="happy", name="narrowed from below", values=(0.30, 0.01, 0.70)),
        Rule(emotion="sad", name="lowered lids", values=(0.34, 0.04, 0.66)),
        Rule(emotion="angry", name="narrowed from above", values=(0.34, 0.03, 0.57)),
        Rule(emotion="surprised", name="white around a small iris", values=(0.48, 0.21, 0.42)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A distribution over emotions, the rule that fits best in words, and how well it fits, 0..1."""

    emotions: Mapping[str, float]
    rule: str
    fit: float


def read_emotions(table: Table, features: Sequence[float]) -> Reading:
    """Softmax over -d^2 / 2 of each emotion's nearest rule, d being the scaled distance; empty where none is near."""
    away = {rule: _deviation(table, rule, features) for rule in table.rules}
    nearest = min(away, key=lambda rule: away[rule])
    typical = math.sqrt(away[nearest] / len(features))
    if typical > FAR:
        return Reading(emotions={}, rule="like none of the rules", fit=0.0)
    least = {name: min(away[rule] for rule in table.rules if rule.emotion == name) for name in EMOTIONS}
    weights = {name: math.exp(-(value - away[nearest]) / (2.0 * SOFT)) for name, value in least.items()}
    total = sum(weights.values())
    even = table.doubt / len(EMOTIONS)
    shares = {name: (1.0 - table.doubt) * weight / total + even for name, weight in weights.items()}
    return Reading(emotions=shares, rule=nearest.name, fit=math.exp(-0.5 * (typical / 2.0) ** 2))


def _deviation(table: Table, rule: Rule, features: Sequence[float]) -> float:
    return sum(((x - m) / s) ** 2 for x, m, s in zip(features, rule.values, table.spread, strict=True))
