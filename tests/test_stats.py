"""Intervals, paired differences, Holm and summaries against brute force and simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import cell_of, scored
from scipy import stats

from evalharness.stats.evidence import Balance, Means, Nothing, Shares
from evalharness.stats.holm import holm
from evalharness.stats.intervals import clustered_interval, shares, weigh
from evalharness.stats.paired import pair
from evalharness.stats.slices import matching
from evalharness.stats.summary import deltas_to_baseline, summarise
from evalharness.stats.table import Column, tabulate

# intervals


def test_the_interval_is_student_t_over_prompt_means() -> None:
    values, prompts = [0.1, 0.3, 0.5, 0.9, 0.4, 0.8], ["a", "a", "b", "b", "c", "c"]
    means = [0.2, 0.7, 0.6]
    low, high = stats.t.interval(0.95, 2, np.mean(means), stats.sem(means))
    seen = clustered_interval(values, prompts)
    assert (seen.mean, seen.low, seen.high) == pytest.approx((0.5, low, high))
    assert (seen.scored, seen.unscored, seen.prompts) == (6, 0, 3)


def test_shares_of_one_image_per_prompt_have_clopper_and_pearsons_interval() -> None:
    seen = clustered_interval([1, 1, 1, 0, 1, 1], range(6))
    expected = stats.binomtest(5, 6).proportion_ci(0.95, method="exact")
    assert (seen.low, seen.high) == pytest.approx((expected.low, expected.high))


def test_all_passed_is_not_certainty() -> None:
    seen = clustered_interval(np.ones(24), np.repeat(range(6), 4))
    assert seen.high == 1.0
    # 24 images at the supposed correlation are worth 24 / 2.5 independent ones; of 'all passed' (1 + step) / 2 counts.
    step = 0.5 + 0.5 / 2.5
    low = (0.025 / ((1 + step) / 2)) ** (2.5 / 24)
    assert seen.low == pytest.approx(low)
    none = clustered_interval(np.zeros(24), np.repeat(range(6), 4))
    assert (none.low, none.high) == pytest.approx((0.0, 1 - low))


def clustered(rows: list[list[float]]) -> Shares:
    return shares(np.array(rows).ravel(), np.repeat(np.arange(len(rows)), len(rows[0])))


def test_many_prompts_that_pass_or_fail_as_one_are_worth_little_more_than_one_image_each() -> None:
    alike = clustered([[1.0] * 10] * 20 + [[0.0] * 10] * 20)
    independent = clustered([[0.0, 1.0] * 5] * 40)
    assert 40 <= alike.images < 45
    assert alike.step > 0.9
    assert independent.images == 400
    assert shares(np.ones(10), np.zeros(10, dtype=np.intp)) == Shares(mean=1.0, images=1.0)


def test_partial_failures_are_surer_than_complete_ones_of_the_same_mean() -> None:
    partial = clustered([[0.5]] * 16 + [[1.0]] * 24)
    complete = clustered([[0.0]] * 8 + [[1.0]] * 32)
    assert partial.mean == complete.mean
    assert complete.images == 40 < partial.images < 40 / (16 / 64)


CELLS = st.lists(st.lists(st.sampled_from([0.0, 0.6, 1.0]), min_size=3, max_size=3), min_size=2, max_size=12)


@given(CELLS)
def test_shares_mirror_and_are_never_of_zero_width(rows: list[list[float]]) -> None:
    ours, mirrored = clustered(rows).bounds(0.95), clustered([[1 - v for v in row] for row in rows]).bounds(0.95)
    assert ours == pytest.approx((1 - mirrored[1], 1 - mirrored[0]), abs=1e-6)
    assert 0.0 <= ours[0] < ours[1] - 0.05 <= 0.95


@pytest.mark.parametrize(("prompts", "seeds"), [(6, 4), (14, 2), (14, 8), (40, 1), (5, 3)])
def test_a_failure_more_never_raises_the_lower_bound(prompts: int, seeds: int) -> None:
    images = prompts * seeds
    for order in (np.arange(images) % prompts, np.arange(images) // seeds):
        lows = [weigh(np.arange(images) >= fails, order).bounds(0.9) for fails in range(images // 2)]
        assert all(first[0] >= then[0] for first, then in itertools.pairwise(lows) if first and then)


def test_one_prompt_has_no_interval_unless_it_is_pass_or_fail() -> None:
    alone = clustered_interval([0.4, 0.6], ["a", "a"])
    assert (alone.mean, alone.low, alone.high) == (0.5, None, None)
    share = clustered_interval([1, 1, 1, 1], ["a"] * 4)
    assert (share.low, share.high) == pytest.approx((0.025, 1.0))


def test_equal_prompt_means_are_luck_and_not_certainty() -> None:
    seen = clustered_interval([0.2, 0.6, 0.2, 0.6, 0.6, 0.2], [0, 0, 1, 1, 2, 2])
    assert seen.low is not None and seen.high is not None and seen.high - seen.low > 0.1


def test_equal_values_that_are_no_shares_have_no_interval() -> None:
    assert clustered_interval([3.1] * 8, range(8)).low is None


def test_nothing_scored_is_no_number() -> None:
    seen = clustered_interval([], [], unscored=5)
    assert (seen.mean, seen.low, seen.scored, seen.unscored) == (None, None, 0, 5)


@pytest.mark.parametrize(
    ("values", "clusters", "level", "words"),
    [
        ([1.0], ["a", "b"], 0.95, "one cluster"),
        ([np.nan], ["a"], 0.95, "not finite"),
        ([1.0], ["a"], 95, "between 0 and 1"),
    ],
)
def test_wrong_input_is_refused(values: list[float], clusters: list[str], level: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        clustered_interval(values, clusters, level)


EVIDENCE = st.one_of(
    st.builds(Means, mean=st.floats(-1, 1), error=st.floats(0.01, 1), degrees=st.integers(1, 30)),
    st.builds(Shares, mean=st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]), images=st.floats(1, 60), step=st.floats(0, 1)),
    st.builds(Balance, mean=st.sampled_from([-1.0, 0.0, 1.0]), images=st.floats(1, 60)),
)


@given(EVIDENCE, st.floats(-0.99, 0.99), st.sampled_from([0.1, 0.05, 0.01]))
def test_bounds_and_doubts_never_contradict(evidence: Means | Shares | Balance, threshold: float, alpha: float) -> None:
    low, high = evidence.bounds(1 - 2 * alpha)
    if abs(low - threshold) > 1e-6:
        assert (evidence.doubt_above(threshold) <= alpha) == (low >= threshold)
    if abs(high - threshold) > 1e-6:
        assert (evidence.doubt_below(threshold) <= alpha) == (high <= threshold)


@given(st.integers(0, 12), st.floats(0.01, 0.99), st.sampled_from([0.0, 0.4, 1.0]))
def test_doubts_of_shares_are_binomial_tails(passes: int, threshold: float, step: float) -> None:
    evidence = Shares(mean=passes / 12, images=12, step=step)
    spared = (1 - step) / 2 * stats.binom.pmf(passes, 12, threshold)
    above = stats.binomtest(passes, 12, threshold, alternative="greater").pvalue - spared
    below = stats.binomtest(passes, 12, threshold, alternative="less").pvalue - spared
    assert (evidence.doubt_above(threshold), evidence.doubt_below(threshold)) == pytest.approx((above, below), abs=1e-9)


def test_nothing_excludes_nothing() -> None:
    assert (Nothing().bounds(0.9), Nothing().doubt_above(-9), Nothing().doubt_below(9)) == (None, 1.0, 1.0)


def test_intervals_hold_the_truth_where_those_over_images_fail() -> None:
    rng = np.random.default_rng(5)
    prompts = np.repeat(np.arange(10), 6)
    ours = naive = 0
    for _ in range(600):
        values = 0.5 + rng.normal(0, 0.1, 10)[prompts] + rng.normal(0, 0.1, 60)
        seen = clustered_interval(values, prompts)
        ours += seen.low is not None and seen.high is not None and seen.low <= 0.5 <= seen.high
        low, high = stats.t.interval(0.95, 59, values.mean(), stats.sem(values))
        naive += low <= 0.5 <= high
    assert 0.93 <= ours / 600 <= 0.97
    assert naive / 600 < 0.80


def partly_failing(kind: str, share: float, likeness: float, rng: np.random.Generator) -> np.ndarray:
    """Scores of 12 prompts x 4 seeds whose true mean is the share; `partial` failures score anything in 0..1."""
    failing, total = (1 - share) * (2 if kind == "partial" else 1), (1 - likeness) / likeness
    rates = np.repeat(rng.beta(failing * total, (1 - failing) * total, 12), 4)
    return np.where(rng.random(48) < rates, rng.random(48) if kind == "partial" else 0.0, 1.0)


@pytest.mark.parametrize(
    ("kind", "share", "likeness", "most"),
    [
        ("complete", 0.5, 0.2, 0.98),
        ("complete", 0.8, 0.2, 0.98),
        ("complete", 0.8, 0.05, 0.99),
        # With so few failures no interval can miss on the upper side.
        ("complete", 0.95, 0.2, 1.0),
        ("partial", 0.8, 0.2, 0.99),
        ("partial", 0.95, 0.2, 1.0),
    ],
)
def test_intervals_of_clustered_shares_hold_the_truth(kind: str, share: float, likeness: float, most: float) -> None:
    rng, prompts = np.random.default_rng(6), np.repeat(np.arange(12), 4)
    found = [weigh(partly_failing(kind, share, likeness, rng), prompts) for _ in range(1000)]
    bounds = [one.bounds(0.95) or (0.0, 1.0) for one in found]
    assert 0.94 <= np.mean([low <= share <= high for low, high in bounds]) <= most
    assert np.mean([one.doubt_above(share) <= 0.05 for one in found]) <= 0.06
    assert np.mean([one.doubt_below(share) <= 0.05 for one in found]) <= 0.06


# paired


def column(pairs: list[int], values: list[float]) -> Column:
    return Column(
        pairs=np.array(pairs, dtype=int), prompts=np.array(pairs, dtype=int) // 10, values=np.array(values, dtype=float)
    )


def test_pairs_are_matched_by_draw_and_not_by_order() -> None:
    pairs = pair(column([10, 11, 20], [1.0, 2.0, 3.0]), column([20, 10, 11], [0.5, 0.25, 1.0]))
    assert pairs.differences.tolist() == [0.75, 1.0, 2.5]
    assert pairs.prompts.tolist() == [1, 1, 2]


def test_draws_scored_on_one_side_only_are_counted_and_not_compared() -> None:
    pairs = pair(column([10, 11, 20, 21], [1.0, np.nan, 3.0, 4.0]), column([10, 11, 20], [0.0, 1.0, np.nan]))
    assert (pairs.differences.tolist(), pairs.unscored) == ([1.0], 3)
    assert pair(column([], []), column([], [])).estimate(0.95).mean is None


def test_a_draw_that_is_twice_on_the_other_side_is_refused() -> None:
    with pytest.raises(ValueError, match="holds a draw twice"):
        pair(column([10], [1.0]), column([10, 10], [0.0, 1.0]))


def test_pairing_cancels_what_both_sides_share() -> None:
    rng = np.random.default_rng(0)
    draws = list(range(80))
    luck = rng.normal(0, 1, 80)
    pairs = pair(column(draws, (luck + 0.1).tolist()), column(draws, (luck + rng.normal(0, 0.01, 80)).tolist()))
    seen = pairs.estimate(0.95)
    assert seen.low is not None and seen.high is not None and 0.09 < seen.low < 0.1 < seen.high < 0.11


@pytest.mark.parametrize(("difference", "low", "high"), [(0, -0.31, 0.31), (1, 0.38, 1.0), (-1, -1.0, -0.38)])
def test_equal_pass_fail_differences_still_have_a_width(difference: float, low: float, high: float) -> None:
    evidence = weigh([difference] * 10, range(10), signed=True)
    assert evidence.bounds(0.95) == pytest.approx((low, high), abs=0.01)


# Holm


@given(st.lists(st.floats(0, 1), max_size=6))
def test_holm_equals_closed_testing_with_bonferroni(p_values: list[float]) -> None:
    # Holm's procedure is the shortcut of: reject i if every subset with i has a p-value below alpha / its size.
    indices = range(len(p_values))
    subsets = [s for size in indices for s in itertools.combinations(indices, size + 1)]
    expected = tuple(
        all(min(p_values[j] for j in subset) <= 0.05 / len(subset) for subset in subsets if i in subset)
        for i in indices
    )
    assert holm(p_values) == expected


def test_holm_steps_down_to_the_first_that_is_too_large() -> None:
    assert holm([0.04, 0.01]) == (True, True)
    assert holm([0.04, 0.03]) == (False, False)
    assert holm([0.2, 0.01, 0.03]) == (False, True, False)


# summaries


def test_summaries_and_deltas_cover_every_subject_strength_and_metric() -> None:
    cells = [cell_of("base", p, s) for p in "ab" for s in (1, 2)]
    cells += [cell_of("new", p, s, strength=w) for w in (0.5, 1.0) for p in "ab" for s in (1, 2)]
    scores = {c.key: scored(c, faces=c.strength + 0.1 * c.seed, parts=None) for c in cells[:-1]}
    table = tabulate(cells, scores, ["faces", "parts"])
    summaries = {(s.subject, s.strength, s.metric): s.estimate for s in summarise(table)}
    assert len(summaries) == 6
    assert summaries["new", 0.5, "faces"].mean == pytest.approx(0.65)
    assert (summaries["new", 1.0, "faces"].scored, summaries["new", 1.0, "faces"].unscored) == (3, 1)
    assert summaries["base", 0.0, "parts"].mean is None
    deltas = {(d.subject, d.strength, d.metric): d.estimate for d in deltas_to_baseline(table)}
    assert len(deltas) == 4
    assert deltas["new", 0.5, "faces"].mean == pytest.approx(0.5)
    assert deltas["new", 1.0, "faces"].unscored == 1


def test_without_a_baseline_there_are_no_deltas() -> None:
    cells = [cell_of("new", "a", 1)]
    assert deltas_to_baseline(tabulate(cells, {}, ["faces"])) == ()


def test_slices_select_by_axis_and_by_field() -> None:
    cells = [cell_of("new", p, s, axes={"emotion": p}, guidance_scale=g) for p in "ab" for s in (1, 2) for g in (5, 7)]
    table = tabulate(cells, {}, [])
    assert matching(table, {}).sum() == 8
    assert matching(table, {"emotion": "a", "seed": 2, "guidance_scale": 7.0}).sum() == 1


def test_nearly_perfect_scores_are_no_surer_than_perfect_ones() -> None:
    prompts = np.repeat(np.arange(14), 2)
    perfect = clustered_interval(np.ones(28), prompts, 0.9)
    nearly = clustered_interval(np.where(np.arange(28) == 3, 0.6, 1.0), prompts, 0.9)
    assert perfect.low is not None and nearly.low is not None and nearly.high is not None
    assert nearly.low < perfect.low
    assert nearly.high <= 1.0


def test_rare_failures_do_not_promote_what_is_no_better_than_asked() -> None:
    """Scores that are mostly 1 with a true mean of 0.95; Student's t says 'above' in about 11 % of such matrices."""
    rng, prompts = np.random.default_rng(8), np.repeat(np.arange(14), 2)
    above = 0
    for _ in range(300):
        rates = np.repeat(rng.beta(0.4, 3.6, 14), 2)
        values = np.where(rng.random(28) < rates, rng.random(28), 1.0)
        above += weigh(values, prompts).doubt_above(0.95) <= 0.05
    assert above / 300 <= 0.05


def test_scores_that_are_seldom_0_or_1_keep_students_interval() -> None:
    values = np.tile((0.7, 0.8, 0.75, 1.0), 6)
    found = clustered_interval(values, np.repeat(np.arange(6), 4), 0.95)
    assert found.low is not None and found.high is not None
    assert found.high - found.low < 0.2
