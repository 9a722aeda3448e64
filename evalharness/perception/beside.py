"""The perceiver that looks before another one: tiers combine, and all that they see is in one observation."""

from collections.abc import Mapping
from typing import Any

from evalharness.errors import PerceptionError
from evalharness.perception.base import Perceiver
from evalharness.registry import find


def looks_first(name: str, own: str, models: Mapping[str, str | None] | None, others: Mapping[str, Any]) -> Perceiver:
    """The perceiver of this name with its options, `models` among them; raises PerceptionError for `own` itself."""
    if name == own:
        raise PerceptionError(f"perception.options.beside is {own}; {own} looks beside another perceiver, as offline.")
    if name == "anime" and not models:
        raise PerceptionError(
            "perception.options.beside is anime, which looks with the models that it is told; "
            "give perception.options.models={tagger: wd-swinv2-tagger-v3}, or more of conf/perception/anime.yaml."
        )
    told = {} if models is None else {"models": models}
    perceiver: Perceiver = find("perception", name)(**others, **told)
    return perceiver
