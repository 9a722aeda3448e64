"""`calibrate --fit`: thresholds that follow a person, and the error they have on images left out."""

from pathlib import Path

import numpy as np
import pytest

from evalharness.config import compose
from evalharness.errors import InputError
from evalharness.stats.agreement import quadratic_kappa
from evalharness.stats.fitting import TUNABLES, fit_stars, grade, kappas
from evalharness.verbs.fitted import write_fit

GIVEN = (0.45, 0.75)


def test_thresholds_of_a_consistent_person_are_found() -> None:
    values = np.random.default_rng(1).uniform(0, 1, 60)
    found = fit_stars(values.tolist(), grade(values, (0.2, 0.5)).tolist(), GIVEN)
    assert found.thresholds["two_stars"] == pytest.approx(0.2, abs=0.05)
    assert found.thresholds["three_stars"] == pytest.approx(0.5, abs=0.05)
    assert found.fitted.kappa == pytest.approx(1.0)
    assert found.left_out.kappa > 0.9 > found.before.kappa


def test_stars_without_any_rule_fit_well_and_fail_on_images_left_out() -> None:
    rng = np.random.default_rng(2)
    fits = [fit_stars(rng.uniform(0, 1, 24).tolist(), rng.integers(1, 4, 24).tolist(), GIVEN) for _ in range(20)]
    assert np.mean([one.fitted.kappa for one in fits]) > 0.15
    assert np.mean([one.left_out.kappa for one in fits]) < 0.05


def test_given_thresholds_are_kept_where_nothing_is_better() -> None:
    values = np.random.default_rng(3).uniform(0, 1, 40)
    found = fit_stars(values.tolist(), grade(values, GIVEN).tolist(), GIVEN)
    assert tuple(found.thresholds.values()) == GIVEN
    assert found.before == found.fitted


def test_many_kappas_at_once_are_those_of_one() -> None:
    rng = np.random.default_rng(4)
    grades, wanted = rng.integers(1, 4, (30, 25)), rng.integers(1, 4, 25)
    assert kappas(grades, wanted) == pytest.approx([quadratic_kappa(wanted, one) for one in grades])


def test_too_few_or_too_equal_labels_are_refused() -> None:
    with pytest.raises(InputError, match="19 images have stars and a harmony score; a fit needs 20 or more"):
        fit_stars([0.5] * 19, [1, 2, 3] * 6 + [1], GIVEN)
    with pytest.raises(InputError, match="19 of 20 images have the same stars"):
        fit_stars([0.5] * 20, [1] * 19 + [2], GIVEN)


def test_written_file_changes_what_was_fitted_and_keeps_the_rest(tmp_path: Path) -> None:
    values = np.random.default_rng(1).uniform(0, 1, 60)
    found = fit_stars(values.tolist(), grade(values, (0.2, 0.5)).tolist(), GIVEN)
    written = write_fit(tmp_path, Path("labels\n- evil.csv"), found)
    harmony = compose(["scoring=fitted"], written.parents[1]).scoring["harmony"]
    assert {t.key: harmony[t.key] for t in TUNABLES} == dict(found.thresholds)
    assert harmony["intensity"] == compose([]).scoring["harmony"]["intensity"]
