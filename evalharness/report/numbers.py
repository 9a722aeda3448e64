"""Numbers as people read them: '83 % [71, 92]' for shares, '4.20 [3.10, 5.30] ΔE00' for the rest."""

from collections.abc import Mapping

from evalharness.types import Estimate

NOTHING = "–"
UNIT_SIGNS: Mapping[str, str] = {"deltaE00": "ΔE00"}


def sign_of(unit: str, *, signed: bool = False) -> str:
    """What stands behind the number: shares are percentages, and their differences percentage points (pp)."""
    if unit == "":
        return " pp" if signed else " %"
    return f" {UNIT_SIGNS.get(unit, unit)}"


def bare(value: float, unit: str, *, signed: bool = False) -> str:
    """The number alone, shares times 100, with no more digits than carry meaning and a real minus sign."""
    scaled = value * 100 if unit == "" else value
    digits = 0 if unit == "" or abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
    rounded = round(scaled, digits) or 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.{digits}f}".replace("-", "−")


def number(value: float | None, unit: str, *, signed: bool = False) -> str:
    """One value with its unit; a dash where there is none."""
    return NOTHING if value is None else bare(value, unit, signed=signed) + sign_of(unit, signed=signed)


def interval(estimate: Estimate, unit: str, *, signed: bool = False, with_unit: bool = True) -> str:
    """A mean with its interval; the bounds repeat no unit. A dash where nothing was scored."""
    if estimate.mean is None:
        return NOTHING
    mean, sign = bare(estimate.mean, unit, signed=signed), sign_of(unit, signed=signed) if with_unit else ""
    if estimate.low is None or estimate.high is None:
        return mean + sign
    low, high = (bare(bound, unit, signed=signed) for bound in (estimate.low, estimate.high))
    return f"{mean}{sign} [{low}, {high}]" if unit == "" else f"{mean} [{low}, {high}]{sign}"


def probability(value: float) -> str:
    """A probability that never claims certainty: '> 99 %' and '< 1 %' at the ends."""
    if value > 0.99:
        return "> 99 %"
    return "< 1 %" if value < 0.01 else f"{value * 100:.0f} %"


def plain(value: float) -> str:
    """A setting as its author wrote it: 0.7, 5, 7.5."""
    return f"{value:g}"
