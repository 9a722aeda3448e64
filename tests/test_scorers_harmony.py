"""Harmony: agreement of eyes, brows and mouth, and the emotion they show together."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import BOX, EMOTIONS, expecting, face, part, seen, whole_face
from scipy.spatial.distance import jensenshannon

from evalharness.errors import ConfigError
from evalharness.scorers.agreement import agreement, mixture, seen_together
from evalharness.scorers.harmony import GROUPS, Harmony, harmony, odd_one
from evalharness.scorers.stars import Stars
from evalharness.types import Face, Finding, Score


def dist(emotion: str, share: float = 0.9) -> dict[str, float]:
    rest = (1.0 - share) / (len(EMOTIONS) - 1)
    return {name: share if name == emotion else rest for name in EMOTIONS}


def rated(found: Face, emotion: str | None) -> Score:
    return Harmony().score(expecting(emotion=emotion), seen(found), None)


def all_parts(eyes: str, brows: str, mouth: str, share: float = 0.9) -> Face:
    return whole_face({"eyes": dist(eyes, share), "brows": dist(brows, share), "mouth": dist(mouth, share)})


DISTRIBUTIONS = st.lists(st.floats(0.001, 1.0), min_size=5, max_size=5).map(
    lambda shares: {name: share / sum(shares) for name, share in zip(EMOTIONS, shares, strict=True)}
)


@given(DISTRIBUTIONS, DISTRIBUTIONS)
def test_agreement_of_two_is_one_minus_scipys_divergence(first: dict[str, float], second: dict[str, float]) -> None:
    distance = jensenshannon([first[name] for name in EMOTIONS], [second[name] for name in EMOTIONS], base=2)
    # scipy takes a root of differences that may round below zero for equal distributions.
    expected = 1.0 - float(np.nan_to_num(distance)) ** 2
    assert agreement([first, second]) == pytest.approx(expected, abs=1e-6)


def test_agreement_spans_zero_to_one_for_two_and_three_parts() -> None:
    assert agreement([{"happy": 1.0}, {"sad": 1.0}]) == pytest.approx(0.0)
    assert agreement([{"happy": 1.0}, {"sad": 1.0}, {"angry": 1.0}]) == pytest.approx(0.0)
    assert agreement([{"happy": 1.0}] * 3) == pytest.approx(1.0)
    assert agreement([{"happy": 1.0}, {"happy": 1.0}, {"sad": 1.0}]) == pytest.approx(1 - 0.9183 / 1.5850, abs=1e-4)


def test_the_product_is_weighted_by_confidence() -> None:
    even = seen_together([dist("happy"), dist("angry")], [1.0, 1.0])
    assert even["happy"] == pytest.approx(even["angry"])
    unsure = seen_together([dist("happy"), dist("angry")], [1.0, 0.3])
    assert unsure["happy"] > 2 * unsure["angry"]
    assert sum(unsure.values()) == pytest.approx(1.0)


def test_the_mixture_covers_emotions_that_only_one_part_names() -> None:
    assert mixture([{"happy": 1.0}, {"shy": 1.0}], [3.0, 1.0]) == pytest.approx({"happy": 0.75, "shy": 0.25})


def test_a_harmonious_face_with_the_asked_emotion_is_near_one() -> None:
    score = rated(all_parts("happy", "happy", "happy"), "happy")
    assert score.value is not None and score.value > 0.97
    assert score.reason.startswith("reads as happy")
    assert "C," not in score.reason


def test_angry_brows_over_a_smile_are_feature_isolation() -> None:
    score = rated(all_parts("happy", "angry", "happy"), "happy")
    assert score.value is not None and score.value < 0.7
    assert "A, feature isolation: brows against the rest (eyes happy, brows angry, mouth happy)" in score.reason


def test_a_coherent_other_emotion_is_drift() -> None:
    score = rated(all_parts("sad", "sad", "sad"), "happy")
    assert score.value is not None and score.value < 0.05
    assert "C, emotional drift: sad instead of happy" in score.reason


def test_a_weak_right_emotion_is_an_intensity_mismatch() -> None:
    faint = {"happy": 0.4, "neutral": 0.36, "sad": 0.24}
    score = rated(whole_face({"eyes": faint, "brows": faint, "mouth": faint}), "happy")
    assert "B, intensity mismatch: happy too weak" in score.reason


def test_without_an_asked_emotion_any_one_emotion_will_do() -> None:
    coherent, torn = (rated(found, None).value for found in (all_parts(*["sad"] * 3), all_parts("sad", "happy", "sad")))
    assert coherent is not None and torn is not None
    assert coherent > 0.97
    assert torn < 0.7


def test_a_missing_part_is_a_style_override() -> None:
    found = all_parts("happy", "happy", "happy")
    broken = replace(found, parts=(*found.parts[:3], replace(found.parts[3], state="missing")))
    score = rated(broken, "happy")
    assert (score.value, score.reason) == (0.0, "mouth missing (D, style override)")


def test_several_faces_are_a_style_override_unless_asked_for() -> None:
    found = all_parts("happy", "happy", "happy")
    crowd = seen(found, found)
    assert Harmony().score(expecting(emotion="happy"), crowd, None).value == 0.0
    asked = Harmony().score(expecting(emotion="happy", faces=2), crowd, None)
    assert asked.value is not None and asked.value > 0.9


def test_unsure_parts_are_left_out() -> None:
    found = all_parts("happy", "angry", "happy")
    parts = [replace(one, state="unsure") if one.name == "brows" else one for one in found.parts]
    value = rated(replace(found, parts=tuple(parts)), "happy").value
    assert value is not None and value > 0.95


def test_two_parts_that_compete_blame_neither() -> None:
    score = rated(face(part("brows", **dist("angry")), part("mouth", **dist("happy"))), "happy")
    assert "A, feature isolation: brows against mouth" in score.reason
    assert odd_one({"eyes": dist("sad"), "brows": dist("sad"), "mouth": dist("happy")}) == "mouth against the rest"


def test_one_readable_part_is_too_few() -> None:
    score = rated(face(part("mouth", **dist("happy")), part("brows", "hidden", **dist("sad"))), "happy")
    assert score.value is None
    assert "fewer than two" in score.reason
    assert Harmony().score(expecting(faces=0), seen(), None).reason == "no face is asked for"


def test_an_emotion_no_reader_knows_is_unscored_and_not_zero() -> None:
    score = rated(all_parts("happy", "happy", "happy"), "shy")
    assert (score.value, score.reason) == (None, "no part reader knows the emotion 'shy'")


def test_harmony_of_three_is_the_mean_of_the_experiments_questions() -> None:
    eyes, brows, mouth = dist("happy", 0.6), dist("angry", 0.5), dist("happy", 0.8)
    rest = {name: (eyes[name] + mouth[name]) / 2 for name in EMOTIONS}
    expected = (agreement([eyes, mouth]) + agreement([brows, rest]) + agreement([eyes, brows, mouth])) / 3
    assert harmony({"eyes": eyes, "brows": brows, "mouth": mouth}) == pytest.approx(expected)


def test_every_face_below_three_stars_has_a_failure_type() -> None:
    cell = expecting(emotion="happy")
    whole = all_parts("happy", "happy", "happy")
    gone = replace(whole, parts=(*whole.parts[:3], replace(whole.parts[3], state="missing")))
    judged = {
        name: Stars().score(cell, seen(found), None)
        for name, found in {
            "": whole,
            "A": all_parts("happy", "angry", "happy"),
            "B": all_parts("happy", "happy", "happy", 0.28),
            "C": all_parts("sad", "sad", "sad"),
            "D": gone,
        }.items()
    }
    assert {name: score.label for name, score in judged.items()} == {name: name for name in judged}
    assert {name: score.value for name, score in judged.items()} == {"": 3.0, "A": 2.0, "B": 2.0, "C": 1.0, "D": 1.0}


def test_a_quiet_smile_suits_a_soft_face_and_not_an_energetic_one() -> None:
    quiet = {"happy": 0.55, "neutral": 0.40, "sad": 0.05}
    found = seen(replace(all_parts("happy", "happy", "happy"), parts=whole_face(dict.fromkeys(GROUPS, quiet)).parts))
    judge = Harmony(three_stars=0.6, intensity={"soft": [0.4, 1.0], "energetic": [0.9, 1.0], "stoic": [0.1, 0.2]})
    soft, energetic, stoic, other = (
        judge.score(expecting(emotion="happy", archetype=name), found, None)
        for name in ("soft", "energetic", "stoic", "cat")
    )
    assert (soft.value, soft.label) == (other.value, "")
    assert energetic.label == stoic.label == "B"
    assert "happy too weak" in energetic.reason
    assert "happy too strong" in stoic.reason


def test_neutral_that_is_asked_has_no_intensity() -> None:
    judge = Harmony(intensity={"soft": [0.4, 1.0]})
    found = seen(all_parts("neutral", "neutral", "neutral"))
    assert judge.score(expecting(emotion="neutral", archetype="soft"), found, None).label == ""


@pytest.mark.parametrize("window", [[0.5], [0.9, 0.1], 0.5, [0.0, 2.0], ["a", "b"]])
def test_a_window_that_is_none_is_refused(window: object) -> None:
    with pytest.raises(ConfigError, match=r"intensity of 'soft' is .*\[least, most\]"):
        Harmony(intensity={"soft": window})


def test_a_distortion_counts_where_its_finder_is_proven() -> None:
    whole = seen(all_parts("happy", "happy", "happy"))
    blank = Finding(name="blank_eyes", strength=0.9, absence_counts=False)
    labels = [
        Harmony().score(expecting(emotion="happy"), replace(whole, findings=(one,)), None).label
        for one in (blank, replace(blank, absence_counts=True))
    ]
    assert labels == ["", "D"]


def test_marks_name_what_each_part_says() -> None:
    found = face(part("brows", **dist("angry")), replace(part("mouth", **dist("sad")), box=None, outline=((1.0, 2.0),)))
    assert [mark.label for mark in rated(found, "sad").evidence] == ["face", "brows: angry"]
    lined = replace(found.parts[1], outline=((1.0, 2.0), (3.0, 2.0)))
    marks = rated(replace(found, parts=(found.parts[0], lined)), "sad").evidence
    assert (marks[2].kind, marks[2].label) == ("line", "mouth: sad")
    assert marks[0].points == ((BOX.x, BOX.y), (40.0, 60.0))


@given(DISTRIBUTIONS, DISTRIBUTIONS, DISTRIBUTIONS, st.sampled_from(EMOTIONS), st.integers(0, 3))
def test_a_part_that_goes_missing_never_raises_harmony(
    eyes: dict[str, float], brows: dict[str, float], mouth: dict[str, float], asked: str, index: int
) -> None:
    found = whole_face({"eyes": eyes, "brows": brows, "mouth": mouth})
    before = rated(found, asked).value
    parts = list(found.parts)
    parts[index] = replace(parts[index], state="missing")
    after = rated(replace(found, parts=tuple(parts)), asked).value
    assert before is not None and after is not None
    assert 0.0 <= after <= before <= 1.0
    assert Harmony().stars(after) <= Harmony().stars(before)
