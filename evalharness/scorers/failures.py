"""The published experiment's four kinds of failure, and how strong an emotion must show for an archetype."""

from collections.abc import Mapping, Sequence

from evalharness.errors import ConfigError

FAILURES: Mapping[str, str] = {
    "A": "feature isolation",
    "B": "intensity mismatch",
    "C": "emotional drift",
    "D": "style override",
}
"""What an image below three stars fails by: one part disagrees; the right emotion, too weak or too strong for its
archetype; one emotion, but another; distorted, missing or doubled features, or several faces."""

ANY = (0.0, 1.0)
DISTORTED = ("missing_eyes", "blank_eyes", "doubled_eyes", "doubled_mouth")
"""Findings that make a face a style override, where their finder was proven on such images."""

Window = tuple[float, float]


def named(failure: str, detail: str) -> str:
    """A failure in words: 'C, emotional drift: sad instead of happy'."""
    return f"{failure}, {FAILURES[failure]}: {detail}"


def windows(given: Mapping[str, Sequence[float]]) -> dict[str, Window]:
    """The least and most intensity of each archetype, checked; raises ConfigError for what is no window in 0..1."""
    for archetype, window in given.items():
        bounds = list(window) if isinstance(window, list | tuple) else []
        if (
            len(bounds) != 2
            or not all(isinstance(b, int | float) for b in bounds)
            or not 0 <= bounds[0] < bounds[1] <= 1
        ):
            raise ConfigError(
                f"the intensity of '{archetype}' is {window!r}; it is [least, most] with 0 <= least < most <= 1."
            )
    return {archetype: (float(window[0]), float(window[1])) for archetype, window in given.items()}


def intensity(seen: Mapping[str, float]) -> float:
    """How much of an emotion shows at all: 1 - P(neutral)."""
    return 1.0 - seen.get("neutral", 0.0)


def beyond(shown: float, window: Window) -> float:
    """How far an intensity lies outside a window: negative is too weak, positive too strong, 0 inside."""
    least, most = window
    return min(shown - least, 0.0) + max(shown - most, 0.0)
