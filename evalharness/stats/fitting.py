"""Thresholds fitted to a person's grades, with the error they have on images that did not fit them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalharness.errors import InputError
from evalharness.stats.agreement import Codes, quadratic_kappa
from evalharness.stats.table import Floats

FEWEST = 20
"""Graded images below which two thresholds follow single images rather than a person."""
STEP = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunable:
    """A threshold that may be fitted: its scorer and key in conf/scoring, and the range in which it makes sense."""

    scorer: str
    key: str
    low: float
    high: float


TUNABLES = (
    Tunable(scorer="harmony", key="two_stars", low=0.02, high=0.8),
    Tunable(scorer="harmony", key="three_stars", low=0.1, high=0.98),
)
"""All that `calibrate --fit` may change, ascending; what no label speaks of is not fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """How thresholds grade: quadratic kappa with the person, and the mean absolute difference in stars."""

    kappa: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Fitted thresholds by key; how those given before, those fitted, and, honestly, leave-one-out ones grade."""

    thresholds: Mapping[str, float]
    images: int
    before: Grading
    fitted: Grading
    left_out: Grading


def fit_stars(values: Sequence[float], stars: Sequence[int], given: tuple[float, float]) -> Fit:
    """The two thresholds (two_stars, three_stars) of harmony values (n,) whose grades agree best with stars (n,).

    Of equally good ones, those nearest to the given ones are taken. Leave-one-out: every image is graded by
    thresholds fitted to all others. Raises InputError for fewer than 20 images, or where all stars are equal but one.
    """
    shown, wanted = np.asarray(values, dtype=np.float64), np.asarray(stars, dtype=np.int64)
    _check(wanted)
    pairs = _candidates(given)
    grades = np.array([grade(shown, pair) for pair in pairs])
    best = pairs[_best(grades, wanted)]
    others = [np.arange(len(wanted)) != row for row in range(len(wanted))]
    left_out = [int(grades[_best(grades[:, rest], wanted[rest]), row]) for row, rest in enumerate(others)]
    return Fit(
        thresholds={tunable.key: round(float(value), 3) for tunable, value in zip(TUNABLES, best, strict=True)},
        images=len(wanted),
        before=_grading(wanted, grade(shown, given)),
        fitted=_grading(wanted, grade(shown, best)),
        left_out=_grading(wanted, np.array(left_out)),
    )


def grade(values: Floats, thresholds: tuple[float, float]) -> Codes:
    """Stars 1 to 3 of harmony values, as the scorer gives them."""
    return 1 + (values >= thresholds[0]).astype(np.int64) + (values >= thresholds[1]).astype(np.int64)


def kappas(grades: Codes, wanted: Codes) -> Floats:
    """Quadratic kappa of many gradings (m, n) with one person's (n,); NaN where both say one and the same."""
    observed = np.mean((grades - wanted) ** 2, axis=1)
    expected = (grades**2).mean(axis=1) + np.mean(wanted**2) - 2.0 * grades.mean(axis=1) * wanted.mean()
    return np.asarray(1.0 - observed / np.where(expected > 1e-12, expected, np.nan))


def _check(wanted: Codes) -> None:
    if len(wanted) < FEWEST:
        raise InputError(
            f"{len(wanted)} images have stars and a harmony score; a fit needs {FEWEST} or more, since fewer would "
            "fit their luck: label more, or calibrate without --fit."
        )
    commonest = int(np.max(np.bincount(wanted)))
    if len(wanted) - commonest < 2:
        raise InputError(
            f"{commonest} of {len(wanted)} images have the same stars; a fit needs at least 2 images of other stars."
        )


def _candidates(given: tuple[float, float]) -> NDArray[np.float64]:
    """All pairs of the grid, nearest to the given pair first."""
    axes = [np.arange(tunable.low, tunable.high + STEP / 2, STEP) for tunable in TUNABLES]
    pairs = np.array([(two, three) for two in axes[0] for three in axes[1] if two < three])
    return np.concatenate((np.array([given]), pairs[np.argsort(np.abs(pairs - np.array(given)).sum(axis=1))]))


def _best(grades: Codes, wanted: Codes) -> int:
    """The first of the best gradings."""
    return int(np.argmax(np.round(np.nan_to_num(kappas(grades, wanted), nan=-1.0), 12)))


def _grading(wanted: Codes, grades: Codes) -> Grading:
    return Grading(kappa=quadratic_kappa(wanted, grades), error=float(np.abs(wanted - grades).mean()))
