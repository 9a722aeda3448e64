"""Scorers of faces, parts, hair side and artifacts on observations written by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import BOX, WHOLE, expecting, face, hair, part, seen

from evalharness import registry
from evalharness.scorers.artifacts import Artifacts
from evalharness.scorers.base import AnyScorer, info, score_images
from evalharness.scorers.faces import Faces
from evalharness.scorers.hair_side import HairSide
from evalharness.scorers.hairstyle import Hairstyle
from evalharness.scorers.parts import Parts
from evalharness.types import Finding, Observation, Reference

SHARES = st.floats(0.0, 0.5)
STATES = st.sampled_from(["present", "closed", "missing", "hidden", "unsure"])


@pytest.mark.parametrize("name", sorted(registry.SCORERS))
def test_every_registered_scorer_is_made_without_arguments_and_judges_an_empty_observation(name: str) -> None:
    scorer: AnyScorer = registry.find("scorer", name)()
    assert info(scorer).name == name
    cell = expecting()
    seen_nothing = {cell.key: Observation(width=8, height=8)}
    (score,) = score_images([scorer], [cell], seen_nothing, {cell.key: "x.png"}, None)[cell.key]
    assert score.metric == name
    assert score.value is None and len(score.reason) > 10


# faces


@pytest.mark.parametrize(
    ("observation", "value"),
    [
        (seen(face()), 1.0),
        (seen(face(), face()), 0.0),
        (seen(), 0.0),
        (seen(face(), panels=(BOX, BOX)), 0.0),
        (seen(face(), panels=()), 1.0),
    ],
    ids=["one", "two", "none", "collage", "panels not looked for"],
)
def test_one_face_in_one_picture_is_what_was_asked(observation: Observation, value: float) -> None:
    assert Faces().score(expecting(faces=1), observation, None).value == value


def test_from_behind_no_face_is_right_and_a_face_is_wrong() -> None:
    cell = expecting(view="behind")
    assert Faces().score(cell, seen(), None).value == 1.0
    assert Faces().score(cell, seen(face()), None).value == 0.0


def test_no_face_in_a_profile_is_unscored_because_the_finder_sees_none() -> None:
    cell = expecting(view="left_profile")
    score = Faces().score(cell, seen(), None)
    assert (score.value, score.reason) == (None, "face finder does not see profiles")
    assert Faces().score(cell, seen(face(), face()), None).value == 0.0
    assert Faces().score(cell, seen(panels=(BOX, BOX)), None).value == 0.0


def test_blindness_is_the_reason_and_not_a_zero() -> None:
    score = Faces().score(expecting(faces=1), seen(blind={"face": "the image is black"}), None)
    assert (score.value, score.reason) == (None, "the image is black")


def test_nothing_asked_about_faces_is_unscored() -> None:
    assert Faces().score(expecting(), seen(face()), None).value is None


# parts


def test_a_missing_mouth_is_named_and_drawn() -> None:
    found = face(part("left_eye"), part("right_eye", "closed"), part("mouth", "missing"))
    score = Parts().score(expecting(), seen(found), None)
    assert score.value == pytest.approx(2 / 3)
    assert score.reason == "missing: mouth"
    assert [mark.label for mark in score.evidence] == ["face", "mouth missing"]
    assert score.evidence[0].points == ((10.0, 20.0), (40.0, 60.0))


def test_hidden_parts_do_not_count_and_are_said() -> None:
    found = face(part("left_eye", "hidden"), part("right_eye"), part("mouth"))
    score = Parts().score(expecting(), seen(found), None)
    assert (score.value, score.reason) == (1.0, "nothing is missing; not readable: left eye")


def test_parts_without_a_face_are_unscored() -> None:
    assert Parts().score(expecting(), seen(), None).reason == "no face was found"
    assert Parts().score(expecting(faces=0), seen(), None).reason == "no face is asked for"
    assert Parts().score(expecting(), seen(face(part("mouth", "unsure"))), None).value is None


def test_the_largest_face_is_judged() -> None:
    small = face(part("mouth", "missing"))
    assert Parts().score(expecting(), seen(small, face(part("mouth"), box=WHOLE)), None).value == 1.0


@given(st.lists(STATES, min_size=3, max_size=3), st.integers(0, 2))
def test_a_part_that_goes_missing_never_raises_the_share(states: list[str], index: int) -> None:
    parts = [part(name, state) for name, state in zip(("left_eye", "right_eye", "mouth"), states, strict=True)]
    before = Parts().score(expecting(), seen(face(*parts)), None).value
    parts[index] = replace(parts[index], state="missing")
    after = Parts().score(expecting(), seen(face(*parts)), None).value
    assert after is not None
    assert before is None or after <= before


# hair side


def test_a_ponytail_on_the_asked_side_scores_one_and_says_so() -> None:
    score = HairSide().score(expecting(hair_side="right"), seen(face(), hair=hair(0.04, 0.31)), None)
    assert (score.value, score.reason) == (1.0, "hair beyond the head: 31 % right, 4 % left; asked: right")
    assert score.evidence[0].label == "head axis"


def test_a_ponytail_on_the_other_side_scores_zero() -> None:
    assert HairSide().score(expecting(hair_side="left"), seen(hair=hair(0.04, 0.31)), None).value == 0.0


def test_nearly_balanced_hair_lies_between() -> None:
    value = HairSide().score(expecting(hair_side="left"), seen(hair=hair(0.14, 0.10)), None).value
    assert value == pytest.approx(0.75)


@pytest.mark.parametrize(("right", "value"), [(0.2, 1.0), (0.28, 1.0), (0.32, 0.5), (0.4, 0.0)])
def test_neither_side_is_asked_of_hair_that_is_down(right: float, value: float) -> None:
    score = HairSide().score(expecting(hair_side="none"), seen(hair=hair(0.2, right)), None)
    assert score.value == pytest.approx(value)
    assert score.reason.endswith("asked: neither side")


@given(SHARES, SHARES, st.sampled_from(["left", "right", "none"]))
def test_a_mirrored_image_with_the_mirrored_wish_scores_the_same(left: float, right: float, asked: str) -> None:
    mirrored = {"left": "right", "right": "left", "none": "none"}[asked]
    value = HairSide().score(expecting(hair_side=asked), seen(hair=hair(left, right)), None).value
    assert HairSide().score(expecting(hair_side=mirrored), seen(hair=hair(right, left)), None).value == value


@given(SHARES, SHARES)
def test_a_mirrored_image_with_the_same_wish_scores_the_opposite(left: float, right: float) -> None:
    cell = expecting(hair_side="left")
    value = HairSide().score(cell, seen(hair=hair(left, right)), None).value
    mirrored = HairSide().score(cell, seen(hair=hair(right, left)), None).value
    assert value is not None and mirrored == pytest.approx(1.0 - value)


@pytest.mark.parametrize(
    ("asked", "observation", "reason"),
    [
        (None, seen(hair=hair(0.1, 0.3)), "no side"),
        ("left", seen(), "no hair was found"),
        ("left", seen(blind={"hair": "a hood covers it"}), "a hood covers it"),
        ("left", seen(face(), face(), hair=hair(0.1, 0.3)), "2 faces"),
        ("left", seen(panels=(BOX, BOX, BOX), hair=hair(0.1, 0.3)), "3 panels"),
        ("left", seen(hair=hair(0.1, 0.3, confidence=0.1)), "too uncertain"),
    ],
)
def test_hair_that_cannot_be_judged_is_unscored(asked: str | None, observation: Observation, reason: str) -> None:
    score = HairSide().score(expecting(hair_side=asked), observation, None)
    assert score.value is None
    assert reason in score.reason


def test_hair_evidence_shows_outline_and_tie() -> None:
    found = hair(0.1, 0.3, outline=((0.0, 0.0), (5.0, 0.0), (5.0, 5.0)), accessory=BOX)
    marks = HairSide().score(expecting(hair_side="left"), seen(hair=found), None).evidence
    assert [mark.label for mark in marks] == ["head axis", "hair", "hair tie"]


# artifacts


def finding(name: str, strength: float, absence_counts: bool) -> Finding:
    return Finding(name=name, strength=strength, absence_counts=absence_counts, box=BOX, note="over the body")


def test_a_forbidden_thing_that_is_seen_scores_zero_with_its_place() -> None:
    cell = expecting(forbid=("rope", "animal_ears"))
    score = Artifacts().score(cell, seen(findings=(finding("rope", 0.5, False),)), None)
    assert (score.value, score.reason) == (0.0, "rope seen (over the body)")
    assert [mark.label for mark in score.evidence] == ["rope"]


def test_absence_counts_only_where_the_finder_was_proven() -> None:
    cell = expecting(forbid=("animal_ears",))
    proven = Artifacts().score(cell, seen(findings=(finding("animal_ears", 0.1, True),)), None)
    assert (proven.value, proven.reason) == (1.0, "no animal ears")
    weak = Artifacts().score(cell, seen(findings=(finding("animal_ears", 0.1, False),)), None)
    assert weak.value is None
    assert weak.reason == "no animal ears seen, but offline perception cannot rule it out: needs a vision model"


def test_what_nobody_looked_for_is_unscored() -> None:
    score = Artifacts().score(expecting(forbid=("rope", "collage")), seen(face()), None)
    assert (score.value, score.reason) == (
        None,
        "no rope seen, but offline perception cannot rule it out: needs a vision model",
    )


def test_low_detail_is_no_fault_where_half_of_the_references_have_it() -> None:
    cell, flat = expecting(forbid=("low_detail",)), seen(findings=(finding("low_detail", 0.9, False),))
    fine = seen(findings=(finding("low_detail", 0.1, False),))
    for shown, value in (((flat, fine), 1.0), ((flat, fine, fine), 0.0), ((), 0.0)):
        reference = Reference(names=tuple(str(n) for n in range(len(shown))), observations=shown)
        assert Artifacts().score(cell, flat, reference).value == value


def test_a_watermark_is_never_ruled_out_offline() -> None:
    score = Artifacts().score(expecting(forbid=("watermark",)), seen(face(), findings=()), None)
    assert score.value is None and "needs a vision model" in score.reason


def test_half_a_face_at_an_edge_is_a_cut_face() -> None:
    observed = seen(findings=(finding("cut_face", 0.97, False),))
    assert Artifacts().score(expecting(forbid=("cut_face",)), observed, None).value == 0.0


@pytest.mark.parametrize(("cut", "value"), [(True, 0.0), (False, None)])
def test_face_that_the_frame_cuts_is_seen_and_its_absence_is_not_proven(cut: bool, value: float | None) -> None:
    observed = seen(replace(face(), cut_by_frame=cut))
    score = Artifacts().score(expecting(forbid=("cut_face",)), observed, None)
    assert score.value == value
    assert ("needs a vision model" in score.reason) != cut


@pytest.mark.parametrize("observation", [seen(panels=(BOX, BOX)), seen(face(), face())], ids=["panels", "faces"])
def test_a_collage_is_seen_by_its_panels_or_by_its_faces(observation: Observation) -> None:
    score = Artifacts().score(expecting(forbid=("collage",)), observation, None)
    assert score.value == 0.0
    assert score.reason.startswith("collage seen (2 ")
    assert len(score.evidence) == 2


def test_one_panel_is_no_collage_and_no_panel_says_nothing() -> None:
    cell = expecting(forbid=("collage",))
    assert Artifacts().score(cell, seen(), None).value == 1.0
    assert Artifacts().score(cell, seen(panels=()), None).value is None
    assert Artifacts().score(cell, seen(blind={"panels": "too dark"}), None).value is None


def test_two_asked_faces_are_no_collage() -> None:
    assert Artifacts().score(expecting(forbid=("collage",), faces=2), seen(face(), face()), None).value == 1.0


# hairstyle


def worn(**styles: float) -> Observation:
    shares = {"down": 0.0, "twin_tails": 0.0, "ponytail": 0.0, "side_ponytail": 0.0, **styles}
    return seen(hair=hair(0.1, 0.1, styles=shares))


@pytest.mark.parametrize(
    ("asked", "observation", "value", "reason"),
    [
        ("down", worn(down=0.95, ponytail=0.05), 1.0, "down (0.95); asked: down"),
        ("down", worn(side_ponytail=0.9, down=0.1), 0.0, "side ponytail (0.90); asked: down"),
        ("side_ponytail", worn(twin_tails=1.0), 0.0, "twin tails (1.00); asked: side ponytail"),
    ],
)
def test_hairstyle_seen_is_compared_with_the_asked_one(
    asked: str, observation: Observation, value: float, reason: str
) -> None:
    score = Hairstyle().score(expecting(hairstyle=asked), observation, None)
    assert (score.value, score.reason) == (value, reason)


def test_a_profile_refutes_a_gathered_style_and_never_confirms_one() -> None:
    asked = expecting(hairstyle="side_ponytail", view="left_profile")
    assert Hairstyle().score(asked, worn(down=0.97, ponytail=0.03), None).value == 0.0
    score = Hairstyle().score(asked, worn(side_ponytail=0.97, down=0.03), None)
    assert score.value is None and "a profile does not show" in score.reason
    down = expecting(hairstyle="down", view="left_profile")
    assert Hairstyle().score(down, worn(side_ponytail=0.5, ponytail=0.45, down=0.05), None).value == 0.0


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (worn(down=0.6, twin_tails=0.4), "could be several hairstyles (down 0.60, twin tails 0.40)"),
        (seen(), "no hair was found"),
        (seen(blind={"hair": "a hood covers it"}), "a hood covers it"),
        (seen(face(), face(), hair=hair(0.1, 0.1, styles={"down": 1.0})), "2 faces"),
        (seen(hair=hair(0.1, 0.1, styles={"down": 1.0}, confidence=0.1)), "too uncertain (0.10)"),
        (seen(hair=hair(0.1, 0.1)), "down was not looked for (looked for: none)"),
    ],
)
def test_hairstyle_that_cannot_be_told_is_unscored(observation: Observation, reason: str) -> None:
    score = Hairstyle().score(expecting(hairstyle="down"), observation, None)
    assert score.value is None
    assert reason in score.reason


def test_hair_tie_over_hair_that_is_down_is_said() -> None:
    tied = seen(hair=hair(0.1, 0.1, styles={"down": 1.0}, accessory=BOX))
    score = Hairstyle().score(expecting(hairstyle="down"), tied, None)
    assert score.reason.endswith("something like a hair tie is still there")
    assert [mark.label for mark in score.evidence] == ["hair tie"]


# hair side, from probabilities


def hanging(left: float, right: float) -> Observation:
    sides = {"left": left, "right": right, "none": 1.0 - left - right}
    return seen(hair=hair(left / 2, right / 2, sides=sides))


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.sampled_from(["left", "right", "none"]))
def test_mirrored_probabilities_with_the_mirrored_wish_score_the_same(first: float, share: float, asked: str) -> None:
    left, right = first * share, (1.0 - first) * share
    mirrored = {"left": "right", "right": "left", "none": "none"}[asked]
    one = HairSide().score(expecting(hair_side=asked), hanging(left, right), None)
    other = HairSide().score(expecting(hair_side=mirrored), hanging(right, left), None)
    assert (one.value is None) == (other.value is None)
    assert one.value == pytest.approx(other.value) if one.value is not None else other.reason


def test_gathered_hair_that_hangs_nowhere_is_half_right() -> None:
    assert HairSide().score(expecting(hair_side="left"), hanging(0.0, 0.0), None).value == 0.5
    assert HairSide().score(expecting(hair_side="none"), hanging(0.0, 0.0), None).value == 1.0
    assert HairSide().score(expecting(hair_side="left"), hanging(1.0, 0.0), None).value == 1.0


def test_hair_whose_side_is_not_clear_is_unscored() -> None:
    score = HairSide().score(expecting(hair_side="left"), hanging(0.5, 0.1), None)
    assert score.value is None
    assert score.reason.startswith("the hair's shape tells no side (hangs left (0.50); hair beyond the head: 25 % left")
