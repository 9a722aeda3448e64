"""From log odds to the probability that something is so: a model's bent for yes removed, its sureness scaled."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalharness.errors import PerceptionError, unknown
from evalharness.perception.judge.ask import Answer

NAMES = ("temperature", "bias")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Log odds are divided by `temperature` (> 0), and `bias` is added; 1 and 0 leave them as the model says.

    Platt 1999; by temperature alone, Guo et al. 2017. They are to be fitted to labels; nobody did.
    """

    temperature: float = 1.0
    bias: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what turns answers round or is no number."""
        if not (0.0 < self.temperature < math.inf and math.isfinite(self.bias)):
            raise PerceptionError(
                f"perception.options.calibration has temperature {self.temperature} and bias {self.bias}; "
                "a temperature is above 0, and {temperature: 1, bias: 0} leaves answers as they are."
            )


def scaling_of(given: Mapping[str, float] | None) -> Scaling:
    """The scaling that an option gives; raises PerceptionError for a misspelt name or what is no number."""
    for name, value in (given or {}).items():
        if name not in NAMES:
            raise PerceptionError(unknown("calibration", name, NAMES))
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PerceptionError(f"perception.options.calibration.{name} is {value!r}; it is a number.")
    return Scaling(**{name: float(value) for name, value in (given or {}).items()})


def probability(heard: Sequence[Answer], scaling: Scaling) -> float:
    """That it is so, 0..1: the sigmoid of the question's log odds, averaged with its negation's, their sign turned.

    A model that says yes more readily, by so much log odds to whatever it is asked, does so to both, and it cancels.
    """
    odds = heard[0].odds if len(heard) == 1 else (heard[0].odds - heard[1].odds) / 2.0
    scaled = odds / scaling.temperature + scaling.bias
    return 1.0 / (1.0 + math.exp(-scaled)) if scaled >= 0.0 else math.exp(scaled) / (1.0 + math.exp(scaled))
