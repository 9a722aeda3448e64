"""Which subject is best: leader, probability and who cannot be told apart."""

import numpy as np
import pytest
from scipy import stats

from evalharness.codec import decode, encode
from evalharness.stats.best import Entrant, select
from evalharness.stats.objective import Draws, combine
from evalharness.stats.posterior import posterior, probability_best, prompt_means
from evalharness.types import Selection

PROMPTS = np.repeat(np.arange(8), 5)


def entrant(epoch: int, values: object, *, eligible: bool = True) -> Entrant:
    numbers = np.asarray(values, dtype=float)
    return Entrant(subject=f"e{epoch}", label=f"epoch {epoch}", epoch=epoch, values=numbers, eligible=eligible)


def chosen(*entrants: Entrant, prompts: np.ndarray = PROMPTS) -> Selection:
    return select(entrants, prompts, np.random.default_rng(3))


def noisy(mean: float, seed: int, spread: float = 0.1) -> np.ndarray:
    return mean + np.random.default_rng(seed).normal(0, spread, len(PROMPTS))


def test_a_clear_winner_is_alone() -> None:
    found = chosen(entrant(2, noisy(0.3, 1)), entrant(8, noisy(0.8, 2)), entrant(12, noisy(0.4, 3)))
    assert found.leader == "e8"
    assert [candidate.tied for candidate in found.candidates] == [False, True, False]
    assert found.reason == "epoch 8 is best with probability 1.00"


def test_what_cannot_be_told_apart_is_named() -> None:
    found = chosen(*(entrant(e, noisy(m, e)) for e, m in ((2, 0.2), (6, 0.80), (8, 0.81), (9, 0.80))))
    assert found.leader in {"e6", "e8", "e9"}
    near = [e for e in (6, 8, 9) if f"e{e}" != found.leader]
    assert found.reason.endswith(f"; epochs {near[0]} and {near[1]} cannot be told apart from it")
    assert sum(candidate.probability_best for candidate in found.candidates) == pytest.approx(1.0)


def test_many_epochs_in_a_row_are_named_by_the_first_and_the_last() -> None:
    found = chosen(*(entrant(epoch, noisy(0.8, 1)) for epoch in (3, 4, 5, 6, 8)))
    assert found.leader == "e3"
    assert found.reason.endswith("; epochs 4 to 6 and 8 cannot be told apart from it")


def test_a_selection_survives_being_written_as_json() -> None:
    found = chosen(entrant(4, noisy(0.5, 1)), entrant(9, noisy(0.5, 2)))
    assert decode(encode(found), Selection) == found


def test_equal_epochs_share_the_probability_and_the_earlier_leads() -> None:
    values = noisy(0.5, 1)
    found = chosen(entrant(9, values), entrant(4, values))
    assert found.leader == "e4"
    assert [candidate.probability_best for candidate in found.candidates] == [0.5, 0.5]
    assert all(candidate.tied for candidate in found.candidates)


def test_a_rejected_subject_is_listed_but_cannot_lead() -> None:
    found = chosen(entrant(8, noisy(0.9, 1), eligible=False), entrant(6, noisy(0.5, 2)))
    assert found.leader == "e6"
    assert [candidate.probability_best for candidate in found.candidates] == [0.0, 1.0]
    assert found.candidates[0].objective.mean == pytest.approx(0.9, abs=0.05)


def test_only_draws_that_all_have_are_compared() -> None:
    lucky = np.where(np.arange(40) % 5 == 0, np.nan, 0.6)
    other = np.where(np.arange(40) % 5 == 0, 5.0, 0.5)
    found = chosen(entrant(1, lucky), entrant(2, other))
    assert found.leader == "e1"
    assert found.candidates[1].objective.mean == pytest.approx(0.5)
    assert (found.candidates[1].objective.scored, found.candidates[1].objective.unscored) == (32, 8)


def test_nothing_in_common_has_no_leader() -> None:
    found = chosen(entrant(1, [1.0, np.nan]), entrant(2, [np.nan, 1.0]), prompts=np.array([0, 1]))
    assert (found.leader, found.reason) == (None, "no draw is scored for all subjects")
    assert [candidate.objective.scored for candidate in found.candidates] == [1, 1]


def test_one_prompt_names_a_leader_but_knows_nothing() -> None:
    found = chosen(entrant(1, [0.1, 0.2]), entrant(2, [0.8, 0.9]), prompts=np.array([0, 0]))
    assert found.leader == "e2"
    assert [candidate.probability_best for candidate in found.candidates] == [0.5, 0.5]
    assert found.candidates[0].tied


def test_the_same_generator_gives_the_same_probabilities() -> None:
    assert chosen(entrant(1, noisy(0.5, 1)), entrant(2, noisy(0.5, 2))) == chosen(
        entrant(1, noisy(0.5, 1)), entrant(2, noisy(0.5, 2))
    )


def test_the_probability_of_two_is_that_of_the_paired_student_t() -> None:
    first, second = prompt_means(np.array([noisy(0.5, 1), noisy(0.5, 2)]), PROMPTS)
    # Shifted so that t is 1.5, where Student's t and a normal distribution differ plainly (0.911 and 0.933).
    means = np.array([first, second - (second - first).mean() + 1.5 * stats.sem(second - first)])
    differences = means[1] - means[0]
    expected = stats.t.cdf(differences.mean() / stats.sem(differences), 7)
    chances = probability_best(posterior(means, np.random.default_rng(0), simulations=200_000))
    assert chances[1] == pytest.approx(expected, abs=0.005)


def test_the_best_is_the_leader_or_tied_in_95_of_100_runs() -> None:
    rng, kept, truths = np.random.default_rng(11), 0, np.array([0.50, 0.55, 0.56, 0.54])
    for _ in range(150):
        shared = rng.normal(0, 0.1, 8)[PROMPTS]
        own = rng.normal(0, 0.05, (4, 8))[:, PROMPTS] + rng.normal(0, 0.1, (4, 40))
        found = chosen(*(entrant(i, row) for i, row in enumerate(truths[:, None] + shared + own)))
        kept += found.candidates[2].tied
    assert kept / 150 >= 0.95


# objective


def all_made(scores: np.ndarray) -> Draws:
    arms, _, draws = scores.shape
    return Draws(scores=scores, made=np.ones((arms, draws), dtype=bool), prompts=np.arange(draws))


def test_the_objective_weighs_metrics_and_turns_lower_is_better_around() -> None:
    scores = np.array([[[0.5, 1.0], [4.0, 2.0]]])
    assert combine(all_made(scores), np.array([3.0, -1.0])) == pytest.approx(np.array([[-0.625, 0.25]]))


def test_a_metric_enters_a_draw_only_where_all_are_scored() -> None:
    scores = np.array([[[0.5, 1.0], [0.1, 0.2]], [[0.7, 0.0], [np.nan, 0.4]]])
    assert combine(all_made(scores), np.array([1.0, 1.0])) == pytest.approx(np.array([[0.5, 0.6], [0.7, 0.2]]))


def test_a_subject_with_few_scores_does_not_spoil_the_common_ground() -> None:
    scores = np.full((3, 1, 10), 0.5)
    scores[2, 0, 3:] = np.nan
    values = combine(all_made(scores), np.array([1.0]))
    assert np.isfinite(values).all(axis=1).tolist() == [True, True, False]
    assert np.isnan(values[2]).all()
    assert np.isnan(combine(all_made(np.full((2, 1, 4), np.nan)), np.array([1.0]))).all()
