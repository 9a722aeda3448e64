"""What a perceiver is: pixels in, one Observation per image out."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from PIL.Image import Image

from evalharness.types import Observation


class Perceiver(Protocol):
    """Looks at images. Constructed with the options of conf/perception/<name>.yaml as keyword arguments."""

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """All that can change an observation: names and versions of the models, options."""
        ...

    def observe(self, images: Sequence[Image]) -> list[Observation]:
        """One observation per RGB image, in order; raises PerceptionError where a self-test fails."""
        ...


@runtime_checkable
class TextReader(Protocol):
    """A perceiver that reads prompts, too, so that pictures can be compared with them."""

    def observe_texts(self, texts: Sequence[str]) -> list[Observation]:
        """One observation per text, in order: embeddings by the model's name, as pictures have them."""
        ...


@runtime_checkable
class NeedsModels(Protocol):
    """A perceiver that needs what is not installed with us: packages, and models that are fetched."""

    def ready(self) -> None:
        """Return where all of it is here, quickly and without opening a model; raise PerceptionError where not."""
        ...


def read_texts(perceiver: Perceiver, texts: Sequence[str]) -> list[Observation]:
    """Texts as a perceiver reads them; where it reads none, an observation of nothing for each."""
    if isinstance(perceiver, TextReader):
        return perceiver.observe_texts(texts)
    return [Observation(width=0, height=0) for _ in texts]


def be_ready(perceiver: Perceiver) -> None:
    """Raise PerceptionError, in one sentence with the command, for what a perceiver will need and is not here."""
    if isinstance(perceiver, NeedsModels):
        perceiver.ready()
