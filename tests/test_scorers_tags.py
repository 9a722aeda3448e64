"""What tags add to the scores: unwanted things, parts of faces, prompts; and identity by embeddings."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stand_ins
from hypothesis import given
from hypothesis import strategies as st
from judging import BOX, expecting, face, part, seen, whole_face

from evalharness.errors import ConfigError
from evalharness.scorers.artifacts import Artifacts
from evalharness.scorers.harmony import Harmony
from evalharness.scorers.identity import Identity
from evalharness.scorers.prompt_tags import PromptTagPrecision, PromptTags
from evalharness.scorers.prompt_text import tags_in
from evalharness.scorers.tag_evidence import evidence
from evalharness.scorers.tag_parts import emotions_of, tagged_parts
from evalharness.types import EMOTIONS, Cell, Finding, Observation, Reference

TAGGER = "wd-swinv2-tagger-v3"
CCIP = "ccip-caformer-24-randaug-pruned"


def tagged(*faces: Any, tags: dict[str, float], **more: Any) -> Observation:
    """An observation whose tags the default tagger gave; its threshold is 0.2653, and half of it is surely not."""
    return seen(*faces, tags=tags, judges={"tags": TAGGER}, **more)


def prompting(text: str) -> Cell:
    cell = expecting()
    return replace(cell, prompt=replace(cell.prompt, text=text))


# the table


def test_every_row_of_the_table_is_a_share_of_known_emotions() -> None:
    table = evidence()
    assert set(table.parts) == {"eyes", "brows", "mouth"}
    for rows in table.parts.values():
        for tag, shares in rows.items():
            assert set(shares) <= set(EMOTIONS), tag
            assert 0.0 < sum(shares.values()) <= 1.0, tag
            assert tag == tag.lower() and " " not in tag


def test_every_emotion_can_be_told_by_some_part() -> None:
    leading = {max(row, key=lambda name: row[name]) for rows in evidence().parts.values() for row in rows.values()}
    assert leading == set(EMOTIONS)


@given(st.dictionaries(st.sampled_from(sorted(evidence().parts["mouth"])), st.floats(0.2653, 1.0), min_size=1))
def test_emotions_of_any_tags_are_a_distribution(tags: dict[str, float]) -> None:
    shares = emotions_of(tags, evidence().parts["mouth"])
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= 0.0


# unwanted things


def test_what_offline_perception_cannot_rule_out_a_tagger_can() -> None:
    unproven = Finding(name="rope", strength=0.1, absence_counts=False)
    cell = expecting(forbid=("rope",))
    assert Artifacts().score(cell, seen(findings=(unproven,)), None).value is None
    score = Artifacts().score(cell, tagged(tags={"rope": 0.05}, findings=(unproven,)), None)
    assert score.value == 1.0
    assert score.reason == f"no rope by {TAGGER} (at most rope 0.05)"


def test_thing_that_a_tagger_sees_is_named_with_its_judge() -> None:
    score = Artifacts().score(expecting(forbid=("watermark",)), tagged(tags={"signature": 0.8}), None)
    assert score.value == 0.0
    assert score.reason == f"watermark seen by {TAGGER} (signature 0.80)"


def test_tagger_that_is_not_sure_leaves_it_open() -> None:
    score = Artifacts().score(expecting(forbid=("faceless",)), tagged(tags={"faceless": 0.2}), None)
    assert score.value is None
    assert score.reason == f"{TAGGER} is not sure of faceless (faceless 0.20)"


@pytest.mark.parametrize(("strength", "value"), [(0.9, 0.0), (0.1, 1.0)])
def test_proven_finder_comes_before_the_tagger(strength: float, value: float) -> None:
    proven = Finding(name="rope", strength=strength, absence_counts=True)
    score = Artifacts().score(
        expecting(forbid=("rope",)), tagged(tags={"rope": 1.0 - strength}, findings=(proven,)), None
    )
    assert score.value == value
    assert TAGGER not in score.reason


def test_tagger_comes_before_an_unproven_finder() -> None:
    unproven = Finding(name="animal_ears", strength=0.9, absence_counts=False)
    cell = expecting(forbid=("animal_ears",))
    assert Artifacts().score(cell, tagged(tags={}, findings=(unproven,)), None).value == 1.0
    assert Artifacts().score(cell, tagged(tags={"cat_ears": 0.2}, findings=(unproven,)), None).value == 0.0


def test_collage_is_seen_by_either_and_ruled_out_by_the_tagger_before_the_panels() -> None:
    cell = expecting(forbid=("collage",))
    assert Artifacts().score(cell, tagged(tags={}, panels=(BOX, BOX)), None).value == 0.0
    by_tags = Artifacts().score(cell, tagged(tags={"multiple_views": 0.7}), None)
    assert by_tags.value == 0.0 and "multiple views 0.70" in by_tags.reason
    assert Artifacts().score(cell, tagged(tags={}), None).reason.startswith(f"no collage by {TAGGER}")


def test_thing_without_a_tag_still_needs_offline_perception() -> None:
    blur = Finding(name="blur", strength=0.1, absence_counts=False)
    assert Artifacts().score(expecting(forbid=("blur",)), tagged(tags={}, findings=(blur,)), None).value is None


# parts of a face


def test_without_a_found_face_tags_of_one_person_make_one() -> None:
    tags = {"solo": 0.98, "smile": 0.9, ":d": 0.7, "^_^": 0.8}
    score = Harmony().score(expecting(emotion="happy"), tagged(tags=tags), None)
    assert score.value is not None and score.value > 0.6
    assert score.reason.endswith(f"eyes (^ ^ 0.80), mouth (smile 0.90, :d 0.70) read by {TAGGER}")
    assert score.evidence == ()


def test_smile_under_angry_brows_is_a_feature_on_its_own() -> None:
    tags = {"solo": 0.98, "smile": 0.9, "v-shaped_eyebrows": 0.9, "glaring": 0.6}
    score = Harmony().score(expecting(emotion="angry"), tagged(tags=tags), None)
    assert score.value is not None and score.value < 0.45
    assert score.label == "A" and "mouth against the rest" in score.reason


@pytest.mark.parametrize(
    "tags",
    [
        {"smile": 0.9, "^_^": 0.9},
        {"solo": 0.9, "2girls": 0.5, "smile": 0.9, "^_^": 0.9},
        {"solo": 0.9, "from_behind": 0.9, "smile": 0.9},
    ],
    ids=["nobody is alone", "two girls", "seen from behind"],
)
def test_tags_tell_no_parts_where_several_people_or_no_face_show(tags: dict[str, float]) -> None:
    assert tagged_parts(tagged(tags=tags)) == {}
    assert Harmony().score(expecting(emotion="happy"), tagged(tags=tags), None).value is None


def test_part_that_offline_perception_reads_well_is_not_read_by_tags() -> None:
    happy = whole_face({group: {"happy": 1.0} for group in ("eyes", "brows", "mouth")})
    tags = {"solo": 0.98, "frown": 0.9, "tears": 0.9, "v-shaped_eyebrows": 0.9}
    score = Harmony().score(expecting(emotion="happy"), tagged(happy, tags=tags), None)
    assert score.value == Harmony().score(expecting(emotion="happy"), seen(happy), None).value
    assert TAGGER not in score.reason


def test_part_that_offline_perception_doubts_is_read_by_tags() -> None:
    doubted = face(
        part("left_eye", happy=1.0),
        part("right_eye", happy=1.0),
        part("brows", "hidden", 0.5),
        part("mouth", confidence=0.2, sad=1.0),
    )
    tags = {"solo": 0.98, "smile": 0.9}
    before = Harmony().score(expecting(emotion="happy"), seen(doubted), None)
    after = Harmony().score(expecting(emotion="happy"), tagged(doubted, tags=tags), None)
    assert before.value is not None and after.value is not None
    assert after.value > before.value
    assert after.reason.endswith(f"; mouth (smile 0.90) read by {TAGGER}")


def test_tags_may_be_asked_first() -> None:
    happy = whole_face({group: {"happy": 1.0} for group in ("eyes", "brows", "mouth")})
    frowning = tagged(happy, tags={"solo": 0.98, "frown": 0.9})
    score = Harmony(first="tags").score(expecting(emotion="happy"), frowning, None)
    assert score.reason.endswith(f"; mouth (frown 0.90) read by {TAGGER}")
    assert score.value is not None and score.value < (
        Harmony().score(expecting(emotion="happy"), frowning, None).value or 0
    )


def test_emotion_is_that_of_the_parts_as_they_are_judged() -> None:
    happy = whole_face({group: {"happy": 1.0} for group in ("eyes", "brows", "mouth")})
    tags = {"solo": 0.98, "frown": 0.9, "tears": 0.9, "furrowed_brow": 0.9}
    assert Harmony().emotion(tagged(happy, tags=tags)) == "happy"
    assert Harmony(first="tags").emotion(tagged(happy, tags=tags)) == "sad"
    assert Harmony().emotion(tagged(tags=tags)) == "sad"
    assert Harmony().emotion(seen()) is None


def test_unknown_reader_of_parts_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown reader of parts 'tag'"):
        Harmony(first="tag")


def test_missing_mouth_stays_missing_whatever_tags_say() -> None:
    mouthless = face(part("left_eye", happy=1.0), part("right_eye", happy=1.0), part("mouth", "missing", 0.7))
    score = Harmony().score(expecting(emotion="happy"), tagged(mouthless, tags={"solo": 0.98, "smile": 0.9}), None)
    assert score.value == 0.0 and score.label == "D"


def test_where_no_face_is_asked_tags_make_none() -> None:
    tags = {"solo": 0.98, "smile": 0.9, "^_^": 0.9}
    assert Harmony().score(expecting(view="behind"), tagged(tags=tags), None).value is None


# prompts


@pytest.mark.parametrize(
    ("prompt", "tags"),
    [
        ("1girl, Red Hair , smile", ("1girl", "red_hair", "smile")),
        ("(smile:1.2), ((hat)), [rain], (red hair, blue eyes:0.8)", ("smile", "hat", "rain", "red_hair", "blue_eyes")),
        (r"saber \(fate\), (hatsune miku \(append\):1.1)", ("saber_(fate)", "hatsune_miku_(append)")),
        ("smile, <lora:girl-000010:0.8>, <lyco:x:1:2>, hat", ("smile", "hat")),
        ("[smile:frown:0.5], [cat|dog], [hat:10], [rain::5]", ("smile", "frown", "cat", "dog", "hat", "rain")),
        ("smile BREAK hat\nrain AND snow", ("smile", "hat", "rain", "snow")),
        (":d, :3, ;), >:), (:3:1.2), ^_^", (":d", ":3", ";", ">:", "^_^")),
        ("(hat:0), (rain:0.0), smile:1.3", ("smile",)),
        ("long_hair, long hair, ,, ", ("long_hair",)),
        ("(unclosed, smile))", ("unclosed", "smile")),
        ("", ()),
    ],
)
def test_tags_are_read_from_prompts_as_web_uis_write_them(prompt: str, tags: tuple[str, ...]) -> None:
    assert tags_in(prompt) == tags


@given(st.text(alphabet="ab ,()[]:|\\<>.1\n", max_size=40))
def test_any_text_is_read_without_an_error(prompt: str) -> None:
    assert all(tag and tag == tag.strip().lower() for tag in tags_in(prompt))


@pytest.fixture
def vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins.install(tmp_path, monkeypatch, [TAGGER])


def test_recall_counts_known_tags_and_names_the_missing(vocabulary: None) -> None:
    cell = prompting("masterpiece, hatsune miku, 1girl, (smile:1.2), hat, rain, <lora:miku:1>")
    score = PromptTags().score(cell, tagged(tags={"1girl": 0.99, "smile": 0.3, "hat": 0.2}), None)
    assert score.value == 0.5
    assert score.reason == f"2 of 4 asked tags seen by {TAGGER}; missing: hat, rain"


def test_precision_is_the_share_of_seen_tags_that_were_asked(vocabulary: None) -> None:
    tags = {"1girl": 0.99, "smile": 0.9, "rope": 0.5, "closed_eyes": 0.3, "hat": 0.1}
    score = PromptTagPrecision().score(prompting("1girl, smile, hat"), tagged(tags=tags), None)
    assert score.value == 0.5
    assert score.reason == f"2 of 4 tags seen by {TAGGER} were asked"


def test_everything_asked_is_seen(vocabulary: None) -> None:
    score = PromptTags().score(prompting("1girl, smile"), tagged(tags={"1girl": 0.9, "smile": 0.9}), None)
    assert (score.value, score.reason) == (1.0, f"2 of 2 asked tags seen by {TAGGER}")


def test_prose_is_unscored(vocabulary: None) -> None:
    score = PromptTags().score(prompting("A girl who walks home through the rain."), tagged(tags={}), None)
    assert score.value is None and "has no tag that" in score.reason


def test_prompt_is_unscored_without_a_tagger() -> None:
    score = PromptTags().score(prompting("1girl"), seen(), None)
    assert score.value is None and "perception=anime" in score.reason


def test_prompt_is_unscored_where_the_taggers_table_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_ins.use_cache(tmp_path / "hub", monkeypatch)
    score = PromptTags().score(prompting("1girl"), tagged(tags={"1girl": 0.9}), None)
    assert score.value is None and score.reason.endswith(f"evalharness models fetch {TAGGER}")


# identity


def embedded(*numbers: float) -> Observation:
    return seen(embeddings={CCIP: numbers}, judges={"identity": CCIP})


def around(angle: float) -> Observation:
    """An embedding turned by an angle in degrees: (1 - cosine) / 2 reaches the threshold, 0.178, at 50 degrees."""
    turned = np.deg2rad(angle)
    return embedded(float(np.cos(turned)), float(np.sin(turned)), 0.0)


def references(*angles: float) -> Reference:
    return Reference(names=tuple(f"{angle}.png" for angle in angles), observations=tuple(map(around, angles)))


def test_same_character_is_as_alike_as_the_references_are() -> None:
    score = Identity().score(expecting(), around(5.0), references(0.0, 10.0, 20.0, 30.0))
    assert score.value == 1.0
    assert "they among themselves: 100%" in score.reason and CCIP in score.reason


def test_another_character_is_like_none() -> None:
    assert Identity().score(expecting(), around(170.0), references(0.0, 10.0, 20.0)).value == 0.0


def test_references_that_agree_less_ask_for_less() -> None:
    # of the four, each is like one other: a share of a third
    among = references(0.0, 40.0, 120.0, 160.0)
    score = Identity().score(expecting(), around(20.0), among)
    assert "among themselves: 33%" in score.reason
    # like 0 and 40, of which the nearest is held out: a third as well
    assert score.value == pytest.approx(1.0)


def test_copy_of_a_reference_counts_no_more_than_that_reference_does() -> None:
    # 100 is like none of the others, which are all alike
    among = references(0.0, 10.0, 20.0, 100.0)
    assert Identity().score(expecting(), around(100.0), among).value == 0.0


@pytest.mark.parametrize(
    ("observation", "reference", "why"),
    [
        (seen(), references(0.0, 1.0, 2.0), "perception=anime"),
        (around(0.0), None, "at least 3 are needed"),
        (around(0.0), references(0.0, 1.0), "at least 3 are needed"),
        (around(0.0), references(0.0, 90.0, 180.0), "not of one character"),
        (replace(around(0.0), faces=(face(), face())), references(0.0, 1.0, 2.0), "2 faces"),
    ],
    ids=["nobody looked", "no references", "too few", "they differ", "two people"],
)
def test_identity_is_unscored_where_it_cannot_be_told(
    observation: Observation, reference: Reference | None, why: str
) -> None:
    score = Identity().score(expecting(), observation, reference)
    assert score.value is None and why in score.reason
