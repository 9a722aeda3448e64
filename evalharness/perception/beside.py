"""The perceiver that looks before another one: tiers combine, and all that they see is in one observation."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.perception.base import Perceiver, be_ready
from evalharness.registry import find
from evalharness.types import Observation

Names = str | Sequence[str]
"""A perceiver, or several, each of which looks beside the next one."""
ON_THE_DEVICE = ("clip", "dino")
"""Perceivers that run on torch's device, and hence on that of the one beside which they look."""


class LooksBeside(ABC):
    """What perceivers share that add to what another one sees; each says what is its own.

    `beside` looks first, and its fingerprint stands under `name`.
    """

    def __init__(self, beside: Perceiver, name: str) -> None:
        self.beside = beside
        self.name = name

    @abstractmethod
    def own_fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """All of its own that can change an observation."""

    @abstractmethod
    def own_ready(self) -> None:
        """Raise PerceptionError for a package or a model of its own that is not here."""

    @abstractmethod
    def add(self, images: Sequence[Image.Image], seen: Sequence[Observation]) -> list[Observation]:
        """What the other perceiver saw in these RGB images, with what this one sees."""

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """Its own, and the other perceiver's under that one's name."""
        return {**self.own_fingerprint(), **{f"{self.name} {key}": of for key, of in self.beside.fingerprint().items()}}

    def ready(self) -> None:
        """Raise PerceptionError for a package or a model that is not here, also of the perceiver beside."""
        self.own_ready()
        be_ready(self.beside)

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        """One observation per image, in order; raises PerceptionError for a model that is missing or not as pinned."""
        return self.add([image.convert("RGB") for image in images], self.beside.observe(images))


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
