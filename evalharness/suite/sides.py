"""The side of the image on which gathered hair shows, from the character's own side, her view and her hairstyle."""

from collections.abc import Mapping
from typing import Any

from evalharness.errors import SuiteError

SHOWN: Mapping[str, Mapping[str, str]] = {
    "front": {"left": "right", "right": "left"},
    "behind": {"left": "left", "right": "right"},
    # she faces that side of the image, and gathered hair hangs behind the head, whichever of her sides it is on
    "left_profile": {"left": "right", "right": "right"},
    "right_profile": {"left": "left", "right": "left"},
}
"""View -> the character's side -> the image's side."""

EVEN = ("down", "twin_tails")


def with_hair_side(expect: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The expectation with the `hair_side` that `character_side` asks for; raises SuiteError where both disagree."""
    side = expect.get("character_side")
    if side is None:
        return dict(expect)
    view = expect.get("view")
    if view is None:
        raise SuiteError(
            f"{place} has a character_side, '{side}', without a view; from the front her left is at the image's right, "
            f"from behind it is not: write view: one of {', '.join(SHOWN)}."
        )
    derived = image_side(side, view, expect.get("hairstyle"))
    given = expect.get("hair_side", derived)
    if given != derived and derived is not None:
        raise SuiteError(
            f"{place} asks for hair_side '{given}', but character_side '{side}' in view '{view}' "
            f"{_styled(expect)}shows at '{derived}'; leave one of them out (null takes it back)."
        )
    return {**expect, "hair_side": given} if given is not None else dict(expect)


def image_side(side: str, view: str, hairstyle: str | None = None) -> str | None:
    """Where hair gathered on the character's `side` shows; 'none' for hair that hangs evenly.

    None (nothing to ask) for twin tails in profile: both hang behind the head, where one may hide the other.
    A plain ponytail has no side but in profile.
    """
    profile = view.endswith("profile")
    if hairstyle in EVEN:
        return None if hairstyle == "twin_tails" and profile else "none"
    if hairstyle == "ponytail" and not profile:
        return "none"
    return SHOWN[view][side]


def _styled(expect: Mapping[str, Any]) -> str:
    style = expect.get("hairstyle")
    return "" if style is None else f"with hairstyle '{style}' "
