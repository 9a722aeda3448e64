"""The perceiver that looks before another one: tiers combine, and all that they see is in one observation."""

from collections.abc import Mapping, Sequence
from typing import Any

from evalharness.errors import PerceptionError
from evalharness.perception.base import Perceiver
from evalharness.registry import find

Names = str | Sequence[str]
"""A perceiver, or several, each of which looks beside the next one."""
ON_THE_DEVICE = ("clip", "dino")
"""Perceivers that run on torch's device, and hence on that of the one beside which they look."""


def looks_first(
    names: Names,
    own: str,
    models: Mapping[str, str | None] | None,
    others: Mapping[str, Any],
    device: str | None = None,
) -> Perceiver:
    """The perceiver of this name with its options, `models` among them; raises PerceptionError for `own` itself."""
    name, *rest = [names] if isinstance(names, str) else [*names] or ["offline"]
    if own in (name, *rest):
        raise PerceptionError(f"perception.options.beside is {own}; {own} looks beside another perceiver, as offline.")
    if name == "anime" and not models:
        raise PerceptionError(
            "perception.options.beside is anime, which looks with the models that it is told; "
            "give perception.options.models={tagger: wd-swinv2-tagger-v3}, or more of conf/perception/anime.yaml."
        )
    told: dict[str, Any] = {} if models is None else {"models": models}
    if rest:
        told["beside"] = rest
    if device is not None and name in ON_THE_DEVICE:
        told["device"] = device
    perceiver: Perceiver = find("perception", name)(**others, **told)
    return perceiver


def head_of(names: Names) -> str:
    """The first of the perceivers that look beside one, under whose name its fingerprint stands."""
    return names if isinstance(names, str) else next(iter(names), "offline")
