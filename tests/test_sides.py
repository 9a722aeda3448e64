"""The side of the image where gathered hair is asked follows from the character's own side, her view and hairstyle."""

from typing import Any

import pytest

from evalharness.demo import look as words
from evalharness.errors import SuiteError
from evalharness.suite import read_suite
from evalharness.suite.sides import image_side, with_hair_side


@pytest.mark.parametrize("view", words.VIEWS)
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("hairstyle", ["side_ponytail", "ponytail", "down"])
def test_table_agrees_with_what_the_demo_draws(view: Any, side: Any, hairstyle: Any) -> None:
    drawn = words.Look(view=view, side=side, hairstyle=hairstyle)
    assert image_side(side, view, hairstyle) == words.image_side(drawn)


def test_side_without_a_hairstyle_is_that_of_gathered_hair() -> None:
    assert with_hair_side({"character_side": "left", "view": "front"}, "p")["hair_side"] == "right"
    assert with_hair_side({"character_side": "left", "view": "behind"}, "p")["hair_side"] == "left"


def test_twin_tails_in_profile_ask_for_no_side() -> None:
    asked = {"character_side": "left", "view": "left_profile", "hairstyle": "twin_tails"}
    assert "hair_side" not in with_hair_side(asked, "p")


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        (
            {"character_side": "left", "view": "front", "hair_side": "left"},
            "character_side 'left' in view 'front' shows at 'right'",
        ),
        (
            {"character_side": "left", "view": "front", "hairstyle": "down", "hair_side": "right"},
            "with hairstyle 'down' shows at 'none'",
        ),
        ({"character_side": "left"}, "without a view"),
    ],
)
def test_contradiction_or_missing_view_is_refused(expect: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        with_hair_side(expect, "suite s: prompts[0].expect")


def test_suite_derives_each_prompts_side_from_its_own_view() -> None:
    prompts = [
        {"id": "front", "text": "a"},
        {"id": "behind", "text": "b", "expect": {"view": "behind"}},
        {"id": "down", "text": "c", "expect": {"hairstyle": "down"}},
        {"id": "other", "text": "d", "expect": {"character_side": None}},
    ]
    expect = {"character_side": "left", "view": "front", "hairstyle": "side_ponytail"}
    suite = read_suite({"name": "s", "subjects": [], "seeds": [1], "expect": expect, "prompts": prompts})
    assert [one.expect.hair_side for one in suite.prompts] == ["right", "left", "none", None]


def test_unknown_character_side_is_refused() -> None:
    raw = {
        "name": "s",
        "subjects": [],
        "seeds": [1],
        "prompts": [{"id": "a", "text": "a", "expect": {"character_side": "lft"}}],
    }
    with pytest.raises(SuiteError, match=r"character_side: unknown side 'lft'\. Did you mean 'left'"):
        read_suite(raw)
