"""The gate: rules, three-valued verdicts, their reasons and exit codes."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from judging import Value, epoch, matrix, metric, scored

from evalharness.errors import InputError
from evalharness.gate import exit_code, judge
from evalharness.types import BASELINE, Cell, Criteria, Decision, Judgement, Outcome, Rule, Score, Setting, Subject

METRICS = {
    "hair_side": metric("hair_side"),
    "harmony": metric("harmony"),
    "color_drift": metric("color_drift", higher_is_better=False, unit="deltaE00"),
}
BASE = Subject(name=BASELINE, identity=BASELINE)
SIDE = Rule(metric="hair_side", aggregate="share_passing", passing=0.9, at_least=0.8)


def verdict_of(values: Value, *rules: Rule, prompts: int = 6, seeds: int = 4) -> Judgement:
    subjects = (BASE, epoch(8))
    cells, scores = matrix(subjects, values, prompts, seeds)
    return judge(cells, scores, Criteria(gates=rules, weights={"hair_side": 1.0}), subjects, METRICS)


def noise(cell: Cell) -> float:
    return float(np.random.default_rng(int(cell.prompt.id[1:]) * 100 + cell.seed).normal(0, 0.05))


def test_a_subject_below_the_threshold_is_rejected_in_a_sentence() -> None:
    judged = verdict_of(lambda cell: {"hair_side": float((cell.seed + int(cell.prompt.id[1])) % 8 < 3)}, SIDE)
    (verdict,) = judged.verdicts
    assert (verdict.decision, judged.decision) == (Decision.REJECT, Decision.REJECT)
    assert verdict.reason == "Rejected: hair on the asked side in 7 of 24 images, at least 80 % asked"
    assert verdict.checks[0].outcome is Outcome.FAIL
    assert verdict.subject == "girl-000008"


def test_a_subject_above_the_threshold_is_promoted() -> None:
    judged = verdict_of(lambda cell: {"hair_side": 1.0}, SIDE, prompts=10)
    assert judged.decision is Decision.PROMOTE
    check = judged.verdicts[0].checks[0]
    assert check.outcome is Outcome.PASS
    assert check.estimate.low is not None and 0.8 <= check.estimate.low < 1.0
    assert check.estimate.level == pytest.approx(0.9)
    assert judged.verdicts[0].reason == "Promoted: its one check passed"
    assert judged.reason == "girl-000008 can be promoted."


def test_six_prompts_are_too_few_to_promote_though_all_their_images_pass() -> None:
    judged = verdict_of(lambda cell: {"hair_side": 1.0}, SIDE, prompts=6)
    assert judged.decision is Decision.INCONCLUSIVE


def test_what_may_be_either_side_is_inconclusive() -> None:
    judged = verdict_of(lambda cell: {"hair_side": float(cell.seed > 0)}, SIDE)
    (check,) = judged.verdicts[0].checks
    assert (check.outcome, judged.decision) == (Outcome.INCONCLUSIVE, Decision.INCONCLUSIVE)
    assert check.reason.startswith(
        "hair on the asked side in 18 of 24 images, at least 80 % asked: the truth may be any"
    )


def test_too_few_scored_cells_never_pass() -> None:
    easy = Rule(metric="hair_side", aggregate="share_passing", passing=0.9, at_least=0.3)
    judged = verdict_of(lambda cell: {"hair_side": 1.0 if cell.seed == 0 else None}, easy)
    (check,) = judged.verdicts[0].checks
    assert (check.outcome, judged.decision) == (Outcome.INCONCLUSIVE, Decision.INCONCLUSIVE)
    assert check.reason == "hair_side is scored in 6 of 24 images, at least 8 needed"
    assert (check.estimate.scored, check.estimate.unscored) == (6, 18)


def test_gate_is_inconclusive_when_pairs_are_missing() -> None:
    rule = Rule(metric="harmony", at_least=-0.1, relative_to="baseline")
    cells, scores = matrix((epoch(8),), lambda cell: {"harmony": 0.9})
    judged = judge(cells, scores, Criteria(gates=(rule,)), (epoch(8),), METRICS)
    assert judged.decision is Decision.INCONCLUSIVE
    assert judged.verdicts[0].checks[0].reason == "harmony is scored in 0 of 24 pairs, at least 8 needed"
    assert judged.selection.reason == "the suite declares no objective"


def test_images_that_could_not_be_made_are_unscored() -> None:
    cells, scores = matrix((BASE, epoch(8)), lambda cell: {"hair_side": 1.0})
    kept = {key: value for key, value in scores.items() if not key.endswith("/0")}
    (check,) = judge(cells, kept, Criteria(gates=(SIDE,)), (BASE, epoch(8)), METRICS).verdicts[0].checks
    assert (check.estimate.scored, check.estimate.unscored) == (18, 6)


def test_against_the_baseline_only_the_paired_difference_counts() -> None:
    def values(cell: Cell) -> Mapping[str, float]:
        own = 0.0 if cell.subject == BASELINE else 0.1 + 0.01 * noise(cell)
        return {"harmony": 0.5 + 5 * noise(cell) + own}

    better = Rule(metric="harmony", at_least=0.05, relative_to="baseline")
    much_better = Rule(metric="harmony", at_least=0.2, relative_to="baseline")
    checks = verdict_of(values, better, much_better).verdicts[0].checks
    assert [check.outcome for check in checks] == [Outcome.PASS, Outcome.FAIL]
    assert checks[1].reason == "harmony +0.10 against the baseline over 24 pairs, at least +0.20 asked"


@pytest.mark.parametrize(("limit", "outcome"), [(5.0, Outcome.PASS), (4.0, Outcome.INCONCLUSIVE), (3.0, Outcome.FAIL)])
def test_at_most_is_the_mirror_image_of_at_least(limit: float, outcome: Outcome) -> None:
    rule = Rule(metric="color_drift", at_most=limit)
    (check,) = verdict_of(lambda cell: {"color_drift": 4.0 + noise(cell) - 0.01}, rule).verdicts[0].checks
    assert check.outcome is outcome
    assert f"at most deltaE00 {limit:.2f} asked" in check.reason


def test_a_range_must_be_kept_on_both_sides() -> None:
    rules = [Rule(metric="harmony", at_least=low, at_most=low + 0.2) for low in (0.2, 0.4, 0.5, 0.6)]
    checks = verdict_of(lambda cell: {"harmony": 0.5 + noise(cell)}, *rules).verdicts[0].checks
    assert [check.outcome for check in checks] == [Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL]
    assert checks[0].reason.endswith("at least 0.20 and at most 0.40 asked")


def test_passing_means_at_most_where_lower_is_better() -> None:
    rule = Rule(metric="color_drift", aggregate="share_passing", passing=5.0, at_least=0.8)
    (check,) = verdict_of(lambda cell: {"color_drift": 1.0 + cell.seed}, rule, prompts=10).verdicts[0].checks
    assert (check.estimate.mean, check.outcome) == (1.0, Outcome.PASS)


def test_where_selects_the_slice_and_is_named() -> None:
    rule = Rule(metric="hair_side", at_least=0.5, where={"view": "behind", "strength": 1})
    judged = verdict_of(lambda cell: {"hair_side": float(cell.prompt.axes["view"] == "front")}, rule)
    (check,) = judged.verdicts[0].checks
    assert (check.estimate.mean, check.outcome) == (0.0, Outcome.FAIL)
    assert "(view behind, strength 1)" in check.reason


@pytest.mark.parametrize(
    ("where", "mean"), [({"frame": 8}, 1.0), ({"frame": 2}, 0.0), ({"sampler": "euler", "steps": 30}, 0.5)]
)
def test_where_selects_frames_of_clips_and_how_images_were_sampled(where: dict[str, str | int], mean: float) -> None:
    stills, _ = matrix((epoch(8),), lambda cell: {})
    settings = [Setting(frames=17, frame=frame, sampler="euler", steps=30) for frame in (2, 8)]
    cells = [
        replace(cell, key=f"{cell.key}/{setting.frame}", setting=setting) for cell in stills for setting in settings
    ]
    cells += [replace(cell, key=f"{cell.key}/ddim", setting=Setting(sampler="ddim", steps=20)) for cell in stills]
    scores = {cell.key: scored(cell, harmony=float(cell.setting.frame == 8)) for cell in cells}
    rule = Rule(metric="harmony", at_least=0.5, where=where)

    judged = judge(cells, scores, Criteria(gates=(rule,), weights={"harmony": 1.0}), (BASE, epoch(8)), METRICS)

    assert judged.verdicts[0].checks[0].estimate.mean == mean


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (
            {"veiw": "front"},
            "unknown where key 'veiw'. Did you mean 'view'? Known: frame, guidance_scale, sampler, "
            "seed, steps, strength, view",
        ),
        ({"view": "fromt"}, "unknown value of where.view 'fromt'. Did you mean 'front'? Known: behind, front"),
        ({"strength": 0.7}, "unknown value of where.strength '0.7'. Did you mean '0'? Known: 0, 1"),
    ],
)
def test_a_slice_of_nothing_is_bad_input(where: dict[str, str | float], words: str) -> None:
    with pytest.raises(InputError) as raised:
        verdict_of(lambda cell: {}, Rule(metric="harmony", at_least=0.5, where=where))
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(metric="harmny", at_least=0.5), "Did you mean 'harmony'"),
        (Rule(metric="harmony"), "asks for nothing"),
        (Rule(metric="harmony", aggregate="share_passing", at_least=0.5), "say what passes"),
    ],
)
def test_rules_that_cannot_be_applied_are_bad_input(rule: Rule, words: str) -> None:
    with pytest.raises(InputError, match=words):
        verdict_of(lambda cell: {}, rule)


def test_many_checks_are_corrected_before_one_of_them_rejects() -> None:
    rules = [Rule(metric="harmony", at_least=0.535), *[Rule(metric="hair_side", at_least=0.2)] * 9]
    values: Value = lambda cell: {"harmony": 0.5 + noise(cell), "hair_side": 0.9 + noise(cell)}  # noqa: E731
    alone = verdict_of(values, rules[0])
    assert alone.verdicts[0].checks[0].outcome is Outcome.FAIL
    among = verdict_of(values, *rules)
    assert among.verdicts[0].checks[0].outcome is Outcome.INCONCLUSIVE
    assert "may be chance among 10 checks" in among.verdicts[0].checks[0].reason


def test_exactly_everything_cannot_be_proven_and_says_so() -> None:
    rule = Rule(metric="hair_side", aggregate="share_passing", passing=1.0, at_least=1.0)
    (check,) = verdict_of(lambda cell: {"hair_side": 1.0}, rule).verdicts[0].checks
    assert check.outcome is Outcome.INCONCLUSIVE
    assert check.reason.endswith("no number of images can prove exactly that, ask for a little less")


def test_equal_values_without_spread_are_inconclusive() -> None:
    rule = Rule(metric="color_drift", at_most=5.0)
    (check,) = verdict_of(lambda cell: {"color_drift": 3.0}, rule).verdicts[0].checks
    assert check.outcome is Outcome.INCONCLUSIVE
    assert "6 prompts without spread" in check.reason


def test_no_rules_promote_nobody() -> None:
    judged = verdict_of(lambda cell: {"hair_side": 1.0})
    assert judged.decision is Decision.INCONCLUSIVE
    assert "the suite has no rules" in judged.verdicts[0].reason


def several(means: Mapping[int, float], rules: Sequence[Rule]) -> Judgement:
    subjects = (BASE, *(epoch(number) for number in means))
    by_name = {epoch(number).name: mean for number, mean in means.items()}
    rng = np.random.default_rng(1)
    cells, scores = matrix(subjects, lambda cell: {"harmony": by_name.get(cell.subject, 0.3) + rng.normal(0, 0.05)})
    return judge(cells, scores, Criteria(gates=tuple(rules), weights={"harmony": 1.0}), subjects, METRICS)


def test_the_best_of_the_promoted_is_named() -> None:
    judged = several({2: 0.4, 6: 0.7, 8: 0.8}, [Rule(metric="harmony", at_least=0.6)])
    assert [verdict.decision.value for verdict in judged.verdicts] == ["REJECT", "PROMOTE", "PROMOTE"]
    assert judged.decision is Decision.PROMOTE
    assert judged.reason == "girl-000008 (and 1 more) can be promoted."
    assert judged.selection.leader == "girl-000008"


def test_a_rejected_subject_does_not_lead() -> None:
    judged = several({6: 0.7, 8: 0.8}, [Rule(metric="harmony", at_most=0.75)])
    assert [verdict.decision.value for verdict in judged.verdicts] == ["PROMOTE", "REJECT"]
    assert judged.selection.leader == "girl-000006"
    assert judged.selection.candidates[1].probability_best == 0.0


def test_all_rejected_is_a_rejection_and_the_least_bad_is_still_named() -> None:
    judged = several({6: 0.3, 8: 0.4}, [Rule(metric="harmony", at_least=0.75)])
    assert judged.decision is Decision.REJECT
    assert judged.selection.leader == "girl-000008"


def test_only_the_baseline_is_inconclusive() -> None:
    cells, scores = matrix((BASE,), lambda cell: {"harmony": 0.5})
    judged = judge(cells, scores, Criteria(weights={"harmony": 1.0}), (BASE,), METRICS)
    assert (judged.decision, judged.verdicts, judged.selection.leader) == (Decision.INCONCLUSIVE, (), None)


@pytest.mark.parametrize(
    ("decision", "code"), [(Decision.PROMOTE, 0), (Decision.REJECT, 3), (Decision.INCONCLUSIVE, 4)]
)
def test_exit_codes_tell_worse_from_not_sure(decision: Decision, code: int) -> None:
    assert exit_code(decision) == code


def test_subjects_at_the_threshold_are_hardly_ever_promoted_or_rejected() -> None:
    rng = np.random.default_rng(4)
    subjects = [epoch(number) for number in range(300)]
    effects = {subject.name: rng.normal(0, 0.05, 6) for subject in subjects}

    def values(cell: Cell) -> Mapping[str, float]:
        return {
            name: 0.5 + effects[cell.subject][int(cell.prompt.id[1])] + rng.normal(0, 0.1)
            for name in ("harmony", "hair_side")
        }

    cells, scores = matrix(subjects, values)
    rules = [Rule(metric=name, at_least=0.5) for name in ("harmony", "hair_side")]
    decisions = [
        verdict.decision for verdict in judge(cells, scores, Criteria(gates=tuple(rules)), subjects, METRICS).verdicts
    ]
    assert decisions.count(Decision.PROMOTE) / 300 <= 0.08
    assert decisions.count(Decision.REJECT) / 300 <= 0.08


def test_ten_thousand_cells_are_judged_in_seconds() -> None:
    rng = np.random.default_rng(0)
    metrics = {f"m{index}": metric(f"m{index}") for index in range(7)}
    subjects = (BASE, *(epoch(number) for number in range(40)))
    cells, scores = matrix(subjects, lambda cell: {name: rng.random() for name in metrics}, prompts=16, seeds=16)
    assert len(cells) > 10_000
    rules = [Rule(metric=name, at_least=0.4, where={"view": "front"}) for name in metrics]
    start = time.process_time()
    judge(cells, scores, Criteria(gates=tuple(rules), weights=dict.fromkeys(metrics, 1.0)), subjects, metrics)
    assert time.process_time() - start < 20  # 2 seconds where nobody else is at work


def alone(
    scores: Mapping[str, Sequence[Score]], but: Callable[[str], bool] = lambda key: False
) -> dict[str, tuple[Score, ...]]:
    """The scores, with those of hair_side a judge's word alone, but of cells whose keys `but` says."""
    return {
        key: tuple(replace(one, judge_alone=one.metric == "hair_side" and not but(key)) for one in given)
        for key, given in scores.items()
    }


@pytest.mark.parametrize(("value", "freed"), [(1.0, Outcome.PASS), (0.0, Outcome.FAIL)])
def test_a_judges_word_alone_neither_passes_nor_fails_a_check_unless_the_rule_lets_it(
    value: float, freed: Outcome
) -> None:
    cells, scores = matrix((BASE, epoch(8)), lambda cell: {"hair_side": value}, 10, 4)

    def outcome(rule: Rule, given: Mapping[str, Sequence[Score]]) -> tuple[Outcome, str]:
        (check,) = judge(cells, given, Criteria(gates=(rule,)), (BASE, epoch(8)), METRICS).verdicts[0].checks
        return check.outcome, check.reason

    assert outcome(SIDE, scores)[0] is freed
    said = "hair_side is scored in 0 of 40 images, at least 8 needed; 40 more images a judge alone vouches for, which "
    assert outcome(SIDE, alone(scores)) == (
        Outcome.INCONCLUSIVE,
        said + "counts only with judge_alone: true",
    )
    assert outcome(replace(SIDE, judge_alone=True), alone(scores))[0] is freed
    scored_at_all = Rule(metric="hair_side", aggregate="share_scored", at_least=0.5)
    assert outcome(scored_at_all, scores)[0] is Outcome.PASS
    assert outcome(scored_at_all, alone(scores))[0] is Outcome.FAIL


def test_what_others_vouch_for_decides_beside_a_judges_word_as_it_would_without_it() -> None:
    cells, scores = matrix((BASE, epoch(8)), lambda cell: {"hair_side": float(cell.seed == 0)}, 20, 2)
    mixed = alone(scores, but=lambda key: key.endswith("/0"))
    without = {key: given for key, given in scores.items() if key.endswith("/0")}
    rules = Criteria(gates=(SIDE,), constraints=(SIDE,), weights={"hair_side": 1.0})
    with_judge, plainly = (judge(cells, given, rules, (BASE, epoch(8)), METRICS) for given in (mixed, without))
    assert with_judge.verdicts[0].checks == plainly.verdicts[0].checks
    assert with_judge.verdicts[0].checks[0].outcome is Outcome.PASS
    (ours,) = [one for one in with_judge.summaries if one.metric == "hair_side" and one.subject != BASELINE]
    assert ours.estimate.scored == 40, "tables show all scores"


def test_a_judges_word_alone_is_no_pair_against_the_baseline() -> None:
    cells, scores = matrix((BASE, epoch(8)), lambda cell: {"hair_side": float(cell.subject != BASELINE)}, 10, 4)
    rule = Rule(metric="hair_side", at_least=0.1, relative_to="baseline")
    mixed = alone(scores, but=lambda key: not key.startswith(BASELINE))
    (check,) = judge(cells, mixed, Criteria(gates=(rule,)), (BASE, epoch(8)), METRICS).verdicts[0].checks
    assert (check.outcome, check.estimate.scored) == (Outcome.INCONCLUSIVE, 0)
