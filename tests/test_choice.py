"""Which subject at which strength: constraints first, then the objective; what is missing, and what would settle it."""

import dataclasses
import re
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from judging import Value, cell_of, epoch, matrix, metric, scored

from evalharness.errors import InputError
from evalharness.gate import judge
from evalharness.stats.settle import settle
from evalharness.types import (
    BASELINE,
    STRENGTH_NEEDED,
    Cell,
    Criteria,
    Judgement,
    Outcome,
    Rule,
    Score,
    Selection,
    Subject,
)

METRICS = {
    "harmony": metric("harmony"),
    "artifacts": metric("artifacts"),
    "color_drift": metric("color_drift", higher_is_better=False, unit="deltaE00"),
}
BASE = Subject(name=BASELINE, identity=BASELINE)
NO_ROPE = Rule(metric="artifacts", aggregate="share_passing", passing=1.0, at_least=1.0)


def noise(cell: Cell, spread: float = 0.05) -> float:
    return float(np.random.default_rng(zlib.crc32(cell.key.encode())).normal(0, spread))


def at_strengths(
    strengths: dict[int, dict[float, float]], more: Callable[[Cell], dict[str, float | None]] | None = None
) -> tuple[list[Cell], dict[str, tuple[Score, ...]]]:
    """Cells of epochs at strengths whose harmony is about the given number, six prompts by four seeds."""
    cells = [
        cell_of(epoch(number).name, f"p{prompt}", seed, strength=strength)
        for number, by_strength in strengths.items()
        for strength in by_strength
        for prompt in range(6)
        for seed in range(4)
    ]
    wanted = {(epoch(number).name, strength): mean for number, by in strengths.items() for strength, mean in by.items()}
    values = {
        cell.key: {"harmony": wanted[cell.subject, cell.strength] + noise(cell), **(more(cell) if more else {})}
        for cell in cells
    }
    return cells, {cell.key: scored(cell, **values[cell.key]) for cell in cells}


def selected(
    strengths: dict[int, dict[float, float]],
    *constraints: Rule,
    more: Callable[[Cell], dict[str, float | None]] | None = None,
    gates: tuple[Rule, ...] = (),
) -> Selection:
    cells, scores = at_strengths(strengths, more)
    criteria = Criteria(gates=gates, weights={"harmony": 1.0}, constraints=constraints)
    return judge(cells, scores, criteria, [epoch(number) for number in strengths], METRICS).selection


# an epoch and a strength


def test_the_answer_is_an_epoch_and_a_strength() -> None:
    found = selected({4: {0.5: 0.3, 1.0: 0.6}, 8: {0.5: 0.9, 1.0: 0.5}})
    assert (found.leader, found.strength) == ("girl-000008", 0.5)
    assert found.reason.startswith("epoch 8 at strength 0.5 is best with probability 1.00")
    assert [(one.subject, one.strength) for one in found.candidates] == [
        ("girl-000004", 0.5),
        ("girl-000004", 1.0),
        ("girl-000008", 0.5),
        ("girl-000008", 1.0),
    ]
    assert sum(one.probability_best for one in found.candidates) == pytest.approx(1.0)


def test_with_one_strength_it_is_not_mentioned() -> None:
    assert selected({4: {1.0: 0.3}, 8: {1.0: 0.9}}).reason == "epoch 8 is best with probability 1.00"


# constraints come first


def ropes_at(strength: float) -> Callable[[Cell], dict[str, float | None]]:
    return lambda cell: {"artifacts": 0.0 if cell.strength == strength and cell.seed == 0 else 1.0}


def test_a_broken_constraint_excludes_the_highest_objective() -> None:
    found = selected({8: {0.5: 0.6, 1.0: 0.9}}, NO_ROPE, more=ropes_at(1.0))
    assert (found.leader, found.strength) == ("girl-000008", 0.5)
    weak, strong = found.candidates
    assert [check.outcome for check in strong.constraints] == [Outcome.FAIL]
    assert strong.constraints[0].reason == "nothing forbidden in 18 of 24 images, at least 100 % asked"
    assert (strong.probability_best, strong.tied) == (0.0, False)
    # that no image ever has a rope cannot be proven: the constraint stays open, and excludes nobody
    assert [check.outcome for check in weak.constraints] == [Outcome.INCONCLUSIVE]


def test_a_constraint_on_one_strength_is_about_the_subject() -> None:
    rule = dataclasses.replace(NO_ROPE, where={"strength": 1.0})
    found = selected(
        {4: {0.5: 0.3, 1.0: 0.2}, 8: {0.5: 0.9, 1.0: 0.9}},
        rule,
        more=lambda cell: {"artifacts": float(cell.subject != "girl-000008" or cell.strength != 1.0)},
    )
    assert found.leader == "girl-000004"
    assert [one.constraints[0].outcome for one in found.candidates[2:]] == [Outcome.FAIL, Outcome.FAIL]


def test_where_all_break_a_constraint_the_least_bad_leads() -> None:
    found = selected({4: {1.0: 0.3}, 8: {1.0: 0.9}}, NO_ROPE, more=lambda cell: {"artifacts": 0.0})
    assert found.leader == "girl-000008"


def test_constraint_with_an_unknown_metric_is_one_sentence() -> None:
    with pytest.raises(InputError, match="Did you mean 'artifacts'"):
        selected({4: {1.0: 0.3}}, dataclasses.replace(NO_ROPE, metric="artefacts"))


@pytest.mark.parametrize(
    ("limits", "outcome"),
    [({"at_least": 0.8}, Outcome.FAIL), ({"at_most": 0.8}, Outcome.PASS), ({"at_least": 0.5}, Outcome.PASS)],
)
def test_strength_needed_is_where_the_objective_is_highest(limits: dict[str, float], outcome: Outcome) -> None:
    found = selected({8: {0.5: 0.6, 0.7: 0.9, 1.0: 0.4}}, Rule(metric=STRENGTH_NEEDED, **limits))
    assert {one.constraints[0].outcome for one in found.candidates} == {outcome}
    assert found.candidates[0].constraints[0].reason.startswith("girl-000008 is best at strength 0.7, at ")
    assert found.candidates[0].constraints[0].estimate.mean == 0.7


def test_strength_needed_is_unknown_where_one_strength_was_measured() -> None:
    found = selected({8: {1.0: 0.6}}, Rule(metric=STRENGTH_NEEDED, at_least=0.5))
    assert found.candidates[0].constraints[0].outcome is Outcome.INCONCLUSIVE
    assert "at one strength only" in found.candidates[0].constraints[0].reason


# what would settle it


def draws(leader: float, rival: float, spread: float, prompts: int = 14, seeds: int = 4) -> tuple[np.ndarray, ...]:
    """Two entrants whose seeds vary by `spread` around the same prompts; the mean difference is exact."""
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(prompts), seeds)
    common = rng.normal(0, 0.1, prompts)[codes]
    own = rng.normal(0, spread, (2, len(codes)))
    own -= own.mean(axis=1, keepdims=True)
    return leader + common + own[0], rival + common + own[1], codes


def test_advice_is_enough_images_and_not_many_more() -> None:
    ahead, behind, codes = draws(0.82, 0.80, 0.1)
    said = settle(ahead, behind[None], codes, 0.05)
    found = re.fullmatch(r"about (\d+) more images \(new seeds\) would settle it", said)
    assert found
    # 2 x 56 images are there; the difference 0.02 needs about (t x 0.1 x sqrt 2 / 0.02)^2 pairs in all
    pairs = (2.16 * 0.1 * 2**0.5 / 0.02) ** 2
    assert int(found[1]) == pytest.approx(2 * (pairs - 56), rel=0.5)


def test_what_seeds_cannot_settle_asks_for_prompts() -> None:
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(14), 4)
    own = rng.normal(0, 0.1, 14)
    behind = (own - own.mean() - 0.03)[codes] + rng.normal(0, 0.001, 56)
    assert "(new prompts) would settle it" in settle(np.zeros(56), behind[None], codes, 0.05)


def test_equal_subjects_are_not_promised_an_end() -> None:
    ahead, behind, codes = draws(0.8, 0.8, 0.1)
    assert settle(ahead, behind[None], codes, 0.05) == (
        "both are so alike that no reasonable number of images would settle it"
    )


def test_those_that_can_be_separated_are_counted_beside_those_that_cannot() -> None:
    ahead, behind, codes = draws(0.82, 0.80, 0.1)
    said = settle(ahead, np.array([behind, ahead]), codes, 0.05)
    assert re.fullmatch(r"about \d+ more images \(new seeds\) would separate 1 of them; the other is too alike", said)


def test_a_settled_choice_needs_no_advice() -> None:
    assert selected({4: {1.0: 0.3}, 8: {1.0: 0.9}}).advice == ""
    assert selected({4: {1.0: 0.70}, 8: {1.0: 0.72}}).advice.startswith("about ")


# what could not be judged


def missing_in(values: Value, prompts: int = 14) -> Judgement:
    subjects = (BASE, epoch(4), epoch(6), epoch(8))
    cells, scores = matrix(subjects, values, prompts, 2)
    return judge(cells, scores, Criteria(weights={"harmony": 1.0}), subjects, METRICS)


def test_missing_scores_of_one_subject_are_reported() -> None:
    found = missing_in(
        lambda cell: {"harmony": None if cell.subject == "girl-000008" and int(cell.prompt.id[1:]) % 2 else 0.8}
    )
    (gap,) = found.gaps
    assert (gap.subject, gap.metric, gap.unscored, gap.images, gap.others) == ("girl-000008", "harmony", 14, 28, 0.0)
    assert gap.reason == (
        "harmony could not be judged in 14 of 28 images of girl-000008, but in 0 % of the others': its mean stands on "
        "other images than theirs"
    )


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(lambda cell: {"harmony": 0.8}, id="nothing is missing"),
        pytest.param(lambda cell: {"harmony": None if cell.seed else 0.8}, id="all miss the same"),
        pytest.param(lambda cell: {"harmony": None if cell.key == "girl-000008/1.0/p1/5.0/0" else 0.8}, id="one image"),
        pytest.param(lambda cell: {"harmony": None if cell.subject == BASELINE else 0.8}, id="baseline only"),
    ],
)
def test_missing_scores_that_are_no_difference_are_not_reported(values: Value) -> None:
    assert missing_in(values).gaps == ()


def test_missing_by_chance_is_hardly_ever_reported() -> None:
    rng = np.random.default_rng(3)
    reported = sum(
        bool(missing_in(lambda cell: {"harmony": None if rng.random() < 0.2 else 0.8}).gaps) for _ in range(100)
    )
    assert reported <= 9


def test_missing_scores_can_fail_a_gate() -> None:
    rule = Rule(metric="harmony", aggregate="share_scored", at_least=0.9)
    cells, scores = matrix((BASE, epoch(8)), lambda cell: {"harmony": None if cell.seed < 2 else 0.8})
    (verdict,) = judge(cells, scores, Criteria(gates=(rule,)), (BASE, epoch(8)), METRICS).verdicts
    assert verdict.reason == "Rejected: harmony judged at all in 12 of 24 images, at least 90 % asked"
    assert (verdict.checks[0].estimate.scored, verdict.checks[0].estimate.unscored) == (24, 0)
