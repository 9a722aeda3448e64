"""Agreement of two judges: figures worked out by hand, and intervals that are honest."""

import numpy as np
import pytest

from evalharness.stats.agreement import (
    Agreement,
    accuracy,
    agree,
    f1,
    macro_f1,
    precision,
    quadratic_kappa,
    rate,
    recall,
)

TRUTH = np.array([1, 1, 1, 1, 0, 0, 0, 0])
SAID = np.array([1, 1, 1, 0, 1, 0, 0, 0])


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_recall_precision_and_f1_of_a_known_table() -> None:
    assert recall(TRUTH, np.array([1, 1, 1, 0, 1, 1, 0, 0])) == pytest.approx(3 / 4)
    assert precision(TRUTH, np.array([1, 1, 1, 0, 1, 1, 0, 0])) == pytest.approx(3 / 5)
    assert f1(TRUTH, SAID) == pytest.approx(3 / 4)
    assert accuracy(TRUTH, SAID) == pytest.approx(6 / 8)


def test_macro_f1_counts_a_rare_class_as_much_as_a_common_one() -> None:
    truth, said = np.array([0] * 9 + [1]), np.zeros(10, dtype=int)
    assert macro_f1(truth, said) == pytest.approx((18 / 19 + 0) / 2)


def test_answer_outside_the_classes_is_wrong_and_no_class_of_its_own() -> None:
    assert macro_f1(np.array([0, 0, 1, 1]), np.array([0, -1, 1, 1])) == pytest.approx((2 / 3 + 1) / 2)


def test_quadratic_kappa_of_a_known_table() -> None:
    # observed squared differences 1/4; expected from the margins (1,1,2,3) x (1,2,2,3): 20/16
    assert quadratic_kappa(np.array([1, 1, 2, 3]), np.array([1, 2, 2, 3])) == pytest.approx(1 - (1 / 4) / (20 / 16))


def test_kappa_is_one_for_equal_judges_and_below_zero_for_opposite_ones() -> None:
    grades = np.array([1, 2, 3, 1, 2, 3])
    assert quadratic_kappa(grades, grades) == pytest.approx(1.0)
    assert quadratic_kappa(grades, 4 - grades) < 0


def test_interval_holds_the_value_and_narrows_with_images() -> None:
    few, many = (agree(accuracy, np.tile(TRUTH, k), np.tile(SAID, k), rng()) for k in (1, 20))
    assert few.low is not None and few.high is not None and many.low is not None and many.high is not None
    assert few.low <= 0.75 <= few.high
    assert many.high - many.low < 0.4 * (few.high - few.low)
    assert (few.n, many.n) == (8, 160)


def test_what_no_image_can_tell_has_no_value() -> None:
    assert agree(recall, [0, 0], [1, 0], rng()) == Agreement(value=None, n=2)
    assert agree(f1, [], [], rng()) == Agreement(value=None, n=0)
    assert rate([], rng()) == Agreement(value=None, n=0)


def test_rate_is_images_a_second() -> None:
    found = rate([0.1, 0.3, 0.2, 0.2], rng())
    assert found.value == pytest.approx(5.0)
    assert found.low is not None and found.high is not None and found.low < 5.0 < found.high
