"""What a vision-language model's answers make of scores: the judge's own, and where others cannot tell; it is said."""

from collections.abc import Mapping

import pytest
from judging import cell_of, expecting

from evalharness.config import compose
from evalharness.perception.judge.questions import TABLE, read_questions
from evalharness.scorers.artifacts import Artifacts
from evalharness.scorers.judged import Judged, asked_of
from evalharness.scorers.view import View
from evalharness.suite import read_suite
from evalharness.types import Expectation, Finding, Observation

JUDGE, TAGGER, CLIP = "some-judge", "wd-swinv2-tagger-v3", "some-clip"


def affirming(affirmed: Mapping[str, float], judges: Mapping[str, str] | None = None, **more: object) -> Observation:
    judges = {"affirmed": JUDGE, **(judges or {})}
    return Observation(width=64, height=64, affirmed=affirmed, judges=judges, **more)  # type: ignore[arg-type]


# the judge's own score


def test_judged_is_the_mean_probability_of_what_is_asked_and_names_the_worst() -> None:
    asked = expecting(emotion="happy", hair_side="right", faces=1, forbid=("rope",))
    seen = affirming({"emotion.happy": 0.9, "hair_side.right": 0.2, "faces.1": 1.0, "thing.rope": 0.1, "view.front": 0})
    score = Judged().score(asked, seen, None)
    assert score.value == pytest.approx((0.9 + 0.2 + 1.0 + 0.9) / 4)
    assert score.reason == f"as asked with 0.75 over 4 questions by {JUDGE}; worst: hair side right (0.20)"
    assert score.judge_alone


def test_forbidden_thing_that_the_judge_sees_lowers_the_score() -> None:
    score = Judged().score(expecting(forbid=("rope",)), affirming({"thing.rope": 0.95}), None)
    assert score.value == pytest.approx(0.05)
    assert "worst: no rope (0.05)" in score.reason


def test_axes_are_asked_but_those_that_name_expectations() -> None:
    cell = cell_of("epoch", "p", 1, axes={"outfit": "hoodie", "emotion": "sad"}, expect=Expectation(emotion="happy"))
    assert dict(asked_of(cell)) == {"emotion.happy": True, "outfit.hoodie": True}
    seen = affirming({"outfit.hoodie": 0.3, "emotion.happy": 0.7, "emotion.sad": 0.0})
    assert Judged().score(cell, seen, None).value == pytest.approx(0.5)
    assert Judged(only=["outfit"]).score(cell, seen, None).value == pytest.approx(0.3)
    nothing = Judged(only=["place"]).score(cell, seen, None)
    assert nothing.value is None and "asks for nothing" in nothing.reason


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (Observation(width=1, height=1), "perception=judge"),
        (affirming({"emotion.sad": 1.0}), f"{JUDGE} has no question about emotion happy"),
        (affirming({}, blind={"judge emotion.happy": "neither yes nor no"}), "neither yes nor no"),
    ],
)
def test_judged_is_unscored_where_nobody_was_asked_or_answered(seen: Observation, why: str) -> None:
    score = Judged().score(expecting(emotion="happy"), seen, None)
    assert score.value is None and why in score.reason and not score.judge_alone


@pytest.mark.parametrize("name", ["demo", "character_epochs", "character_freedom", "harmony_grid"])
def test_all_that_our_suites_expect_has_a_question(name: str) -> None:
    suite, asked = read_suite(compose([f"suite={name}", "subjects=[]"]).suite), read_questions(TABLE)
    groups = {key.partition(".")[0] for key in asked}
    wanted = {
        question
        for prompt in suite.prompts
        for question, _ in asked_of(cell_of("epoch", prompt.id, 1, axes=prompt.axes, expect=prompt.expect))
        if question.partition(".")[0] in groups
    }
    assert wanted and wanted <= set(asked)


# what others cannot tell


def test_judge_rules_out_what_nobody_else_can_and_the_score_says_that_it_is_alone() -> None:
    asked = expecting(forbid=("rope", "restraint"))
    seen = affirming({"thing.rope": 0.02, "thing.restraint": 0.03})
    score = Artifacts().score(asked, seen, None)
    assert (score.value, score.judge_alone) == (1.0, True)
    assert score.reason == f"no rope by {JUDGE} (0.02); no restraint by {JUDGE} (0.03)"
    assert Artifacts().score(asked, Observation(width=64, height=64), None).value is None


def test_judge_is_not_asked_where_another_can_tell() -> None:
    tagged = affirming({"thing.rope": 0.99}, {"tags": TAGGER}, tags={"smile": 0.9})
    score = Artifacts().score(expecting(forbid=("rope",)), tagged, None)
    assert (score.value, score.judge_alone) == (1.0, False)
    assert JUDGE not in score.reason

    found = Finding(name="rope", strength=0.8, absence_counts=False, note="a band")
    score = Artifacts().score(expecting(forbid=("rope",)), affirming({"thing.rope": 0.01}, findings=(found,)), None)
    assert (score.value, score.judge_alone, score.reason) == (0.0, False, "rope seen (a band)")


def test_what_another_saw_is_not_the_judges_word_alone_though_it_saw_more() -> None:
    found = Finding(name="rope", strength=0.8, absence_counts=False, note="a band")
    seen = affirming({"thing.restraint": 0.99}, findings=(found,))
    both = Artifacts().score(expecting(forbid=("rope", "restraint")), seen, None)
    assert (both.value, both.judge_alone) == (0.0, False)
    alone = Artifacts().score(expecting(forbid=("restraint",)), seen, None)
    assert (alone.value, alone.judge_alone) == (0.0, True)


def test_judge_that_is_not_sure_leaves_it_open() -> None:
    score = Artifacts().score(expecting(forbid=("rope",)), affirming({"thing.rope": 0.5}), None)
    assert score.value is None and f"{JUDGE} is not sure of rope" in score.reason


@pytest.mark.parametrize(("so", "value"), [(0.95, 1.0), (0.05, 0.0), (0.5, None)])
def test_view_is_judged_where_no_clip_is_sure(so: float, value: float | None) -> None:
    doubtful = {"view": {"front": 0.6, "behind": 0.4}}
    for seen in (
        affirming({"view.behind": so}),
        affirming({"view.behind": so}, {"answers": CLIP}, answers=doubtful),
    ):
        score = View().score(expecting(view="behind"), seen, None)
        assert (score.value, score.judge_alone) == (value, value is not None)
        assert JUDGE in score.reason


def test_view_of_a_sure_clip_is_not_the_judges() -> None:
    sure = affirming({"view.behind": 0.99}, {"answers": CLIP}, answers={"view": {"front": 0.95, "behind": 0.05}})
    score = View().score(expecting(view="behind"), sure, None)
    assert (score.value, score.judge_alone) == (0.0, False)
    assert CLIP in score.reason
