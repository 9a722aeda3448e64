"""Pictures beside prompts and references by embeddings, and things by a CLIP's answers; who judged it is said."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import cell_of, expecting

from evalharness.scorers.artifacts import Artifacts
from evalharness.scorers.embedding_drift import EmbeddingDiversity, EmbeddingDrift
from evalharness.scorers.likeness import CopyRisk, ReferenceSimilarity
from evalharness.scorers.neighbours import Neighbours
from evalharness.scorers.prompt_similarity import PromptSimilarity
from evalharness.scorers.prompt_text import plain
from evalharness.scorers.told import told_of
from evalharness.scorers.vectors import compared_by
from evalharness.scorers.view import View
from evalharness.types import Cell, Expectation, Finding, Observation, Prompt, Reference

CLIP, TAGGER = "some-clip", "wd-swinv2-tagger-v3"


def at(degrees: float, **more: object) -> Observation:
    """A picture or text whose embedding points there."""
    turn = np.radians(degrees)
    return Observation(
        width=64,
        height=64,
        embeddings={CLIP: (float(np.cos(turn)), float(np.sin(turn)))},
        judges={"likeness": CLIP},
        **more,  # type: ignore[arg-type]
    )


def answering(thing: str, yes: float, **more: object) -> Observation:
    return Observation(
        width=64,
        height=64,
        answers={thing: {"yes": yes, "no": 1.0 - yes}},
        judges={"answers": CLIP},
        **more,  # type: ignore[arg-type]
    )


def prompts(*degrees: float) -> Neighbours:
    """Texts 'p0', 'p1', ... that point there."""
    return Neighbours(prompts={f"p{number}": at(turn) for number, turn in enumerate(degrees)})


def references(*degrees: float) -> Reference:
    return Reference(
        names=tuple(f"{number}.png" for number in range(len(degrees))), observations=tuple(at(one) for one in degrees)
    )


def test_picture_fits_its_own_prompt_better_than_a_share_of_the_others() -> None:
    beside = prompts(0, 10, 40, 50, 60)
    asked = cell_of("epoch", "p0", 1)
    assert PromptSimilarity().score_beside(asked, at(0), beside).value == 1.0
    assert PromptSimilarity().score_beside(asked, at(60), beside).value == 0.0
    between = PromptSimilarity().score_beside(asked, at(15), beside)
    assert between.value == 0.75
    assert CLIP in between.reason and "75% of the 4 most like it" in between.reason


def test_prompts_of_another_kind_are_no_rivals() -> None:
    """However many there are, and however badly the picture fits them."""
    far = prompts(0, 10, 12, 14, 16, 180, 190, 200, 210)
    assert PromptSimilarity().score_beside(cell_of("epoch", "p0", 1), at(30), far).value == 0.0


def test_prompt_that_no_picture_can_tell_from_the_others_is_chance() -> None:
    assert PromptSimilarity().score_beside(cell_of("epoch", "p0", 1), at(7), prompts(0, 0, 0, 0, 0)).value == 0.5


@pytest.mark.parametrize(
    ("picture", "beside", "why"),
    [
        (Observation(width=64, height=64), prompts(0, 1, 2, 3, 4), "perception=clip"),
        (at(0), prompts(0, 1, 2, 3), "3 other prompts"),
        (at(0), Neighbours(), "not read"),
    ],
)
def test_prompt_similarity_is_unscored_with_the_reason(picture: Observation, beside: Neighbours, why: str) -> None:
    score = PromptSimilarity().score_beside(cell_of("epoch", "p0", 1), picture, beside)
    assert score.value is None and why in score.reason


def test_prompt_is_found_by_its_plain_text() -> None:
    asked = replace(cell_of("epoch", "p0", 1), prompt=Prompt(id="x", text="(p0:1.2) <lora:x:1>"))
    assert PromptSimilarity().score_beside(asked, at(0), prompts(0, 10, 40, 50, 60)).value == 1.0


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a girl, (smile:1.2), <lora:girl:0.8>", "a girl, smile"),
        (r"saber \(fate\), ((happy))", "saber (fate), happy"),
        ("She is sad. It rains.", "She is sad. It rains."),
    ],
)
def test_other_models_read_a_prompt_without_weights_and_loras(text: str, read: str) -> None:
    assert plain(text) == read


def test_reference_like_the_others_scores_1_and_a_far_picture_less() -> None:
    theirs = references(0, 10, 20, 30)
    inside = ReferenceSimilarity().score(expecting(), at(15), theirs)
    outside = ReferenceSimilarity().score(expecting(), at(80), theirs)
    assert inside.value == 1.0
    assert outside.value is not None and outside.value < 0.6
    assert CLIP in inside.reason


def test_copy_of_the_outermost_reference_gains_nothing_by_it() -> None:
    """Its nearest is held out, so that it is judged by the three others alone."""
    theirs = references(0, 10, 20, 90)
    copy, near = (ReferenceSimilarity().score(expecting(), at(turn), theirs).value for turn in (90, 15))
    assert copy is not None and near is not None and copy < 0.5 < near


def test_copy_is_nearer_to_a_reference_than_any_two_references_are() -> None:
    theirs = references(0, 20, 41, 63)
    copied = CopyRisk().score(expecting(), at(20.1), theirs)
    assert copied.value == 1.0
    assert "to 1.png" in copied.reason
    assert CopyRisk().score(expecting(), at(150), theirs).value == 0.0
    assert CopyRisk().score(expecting(), at(63 + 20.5), theirs).value == 0.5


@given(st.floats(0, 360))
def test_scores_of_likeness_are_shares(turn: float) -> None:
    theirs = references(0, 20, 41, 63)
    for scorer in (ReferenceSimilarity(), CopyRisk()):
        value = scorer.score(expecting(), at(turn), theirs).value
        assert value is not None and value <= 1.0


@pytest.mark.parametrize("scorer", [ReferenceSimilarity(), CopyRisk()])
def test_likeness_is_unscored_without_embeddings_or_with_few_references(
    scorer: ReferenceSimilarity | CopyRisk,
) -> None:
    alone = scorer.score(expecting(), at(0), None)
    few = scorer.score(expecting(), at(0), references(0, 1, 2))
    unseen = scorer.score(expecting(), Observation(width=1, height=1), references(0, 1, 2, 3))
    assert alone.value is few.value is unseen.value is None
    assert "0 references" in alone.reason and "3 references" in few.reason and "perception=clip" in unseen.reason


@pytest.mark.parametrize(("yes", "value"), [(0.95, 0.0), (0.05, 1.0), (0.6, None)])
def test_sure_answer_decides_on_a_thing_and_an_unsure_one_does_not(yes: float, value: float | None) -> None:
    score = Artifacts().score(expecting(forbid=("rope",)), answering("rope", yes), None)
    assert score.value == value
    assert CLIP in score.reason


def test_sure_tagger_is_asked_before_a_clip_and_an_unsure_one_hands_on() -> None:
    both = {"answers": CLIP, "tags": TAGGER}
    picture = replace(answering("rope", 0.95), judges=both)
    ruled_out, unsure = replace(picture, tags={"rope": 0.01}), replace(picture, tags={"rope": 0.2})
    first, second = told_of("rope", ruled_out), told_of("rope", unsure)
    assert first is not None and first.seen is False and TAGGER in first.words
    assert second is not None and second.seen is True and CLIP in second.words


def test_finder_that_was_proven_is_not_overruled_by_a_clip() -> None:
    found = (Finding(name="rope", strength=0.0, absence_counts=True),)
    assert Artifacts().score(expecting(forbid=("rope",)), answering("rope", 0.99, findings=found), None).value == 1.0


def test_question_with_other_answers_says_nothing_of_a_thing() -> None:
    picture = Observation(width=1, height=1, answers={"rope": {"thick": 0.95, "thin": 0.05}}, judges={"answers": CLIP})
    assert told_of("rope", picture) is None


@pytest.mark.parametrize(
    ("asked", "shares", "value"),
    [
        ("behind", {"front": 0.05, "behind": 0.95}, 1.0),
        ("front", {"front": 0.05, "behind": 0.95}, 0.0),
        ("front", {"front": 0.6, "behind": 0.4}, None),
        ("left_profile", {"front": 0.05, "behind": 0.95}, None),
        (None, {"front": 0.05, "behind": 0.95}, None),
    ],
)
def test_view_is_judged_where_the_answer_is_sure(asked: str, shares: dict[str, float], value: float | None) -> None:
    picture = Observation(width=1, height=1, answers={"view": shares}, judges={"answers": CLIP})
    score = View().score(expecting(view=asked), picture, None)
    assert score.value == value
    assert CLIP in score.reason or asked is None


def test_view_is_unscored_where_nobody_was_asked() -> None:
    score = View().score(expecting(view="front"), at(0), None)
    assert score.value is None and "perception=clip" in score.reason


# embedding_drift and embedding_diversity


def like_base(subject: str) -> Cell:
    prompt = Prompt(id="p0", text="p0", expect=Expectation(like_base=True))
    return replace(cell_of(subject, "p0", 1), prompt=prompt)


def test_embedding_drift_is_the_cosine_distance_to_the_base_on_the_same_draw() -> None:
    drift = EmbeddingDrift()
    score = drift.score_beside(like_base("epoch"), at(60), Neighbours(base=at(0)))
    assert score.value == pytest.approx(0.5) and f"by {CLIP}" in score.reason
    assert drift.score_beside(like_base("epoch"), at(20), Neighbours(base=at(20))).value == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("cell", "beside", "why"),
    [
        (cell_of("epoch", "p0", 1), Neighbours(base=at(0)), "like_base"),
        (like_base("base"), Neighbours(base=at(0)), "the baseline itself"),
        (like_base("epoch"), Neighbours(), "no image of the model without LoRA"),
        (like_base("epoch"), Neighbours(base=Observation(width=64, height=64)), "needs a DINO"),
    ],
)
def test_embedding_drift_that_cannot_be_judged_is_unscored(cell: Cell, beside: Neighbours, why: str) -> None:
    score = EmbeddingDrift().score_beside(cell, at(0), beside)
    assert score.value is None and why in score.reason


def test_embedding_diversity_is_the_mean_cosine_distance_to_the_other_seeds() -> None:
    score = EmbeddingDiversity().score_beside(cell_of("epoch", "p0", 1), at(0), Neighbours(seeds=(at(90), at(60))))
    assert score.value == pytest.approx(0.75) and "from 2 images" in score.reason
    alone = EmbeddingDiversity().score_beside(cell_of("epoch", "p0", 1), at(0), Neighbours())
    assert alone.value is None and "another seed" in alone.reason


def test_model_that_was_taught_by_pictures_alone_compares_them_before_one_that_reads() -> None:
    seen = {CLIP: (1.0, 0.0), "dino": (0.0, 1.0)}
    both = replace(at(0), embeddings=seen, judges={"likeness": CLIP, "pictures": "dino"})
    assert compared_by(both) == "dino" and compared_by(at(0)) == CLIP
    assert compared_by(Observation(width=1, height=1, judges={"likeness": CLIP})) is None
