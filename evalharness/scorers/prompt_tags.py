"""Does the picture show what the prompt's tags ask for, and nothing else? By a tagger, for prompts made of tags."""

from dataclasses import dataclass
from typing import ClassVar

from evalharness.models.vocabulary import general_tags
from evalharness.scorers.base import unscored
from evalharness.scorers.prompt_text import tags_in
from evalharness.scorers.tag_evidence import likely, tagger_of
from evalharness.types import Cell, Observation, Reference, Score

MOST_NAMED = 8
"""Tags that a reason names before it only counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The prompt's tags that the tagger knows, those of them that are seen, and how many tags are seen in all."""

    tagger: str
    asked: tuple[str, ...]
    seen: tuple[str, ...]
    shown: int

    @property
    def missing(self) -> tuple[str, ...]:
        """What was asked and is not seen."""
        return tuple(tag for tag in self.asked if tag not in self.seen)


class PromptTags:
    """Recall: the share of the prompt's tags that are seen, 0..1, of those that the tagger knows as general tags.

    Seen is what reaches the tagger's own threshold. Names of characters, quality words and LoRAs do not count, as no
    general tag means them; nor does what the negative prompt asks to leave out.
    """

    name: ClassVar[str] = "prompt_tags"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare prompt and picture; unscored without a tagger, its table, or any tag that it knows."""
        found = compared(cell.prompt.text, observation)
        if isinstance(found, str):
            return unscored(self.name, found)
        said = f"{len(found.seen)} of {len(found.asked)} asked tags seen by {found.tagger}"
        reason = f"{said}; missing: {_named(found.missing)}" if found.missing else said
        return Score(metric=self.name, value=len(found.seen) / len(found.asked), reason=reason)


class PromptTagPrecision:
    """Precision: the share of all tags seen that the prompt asks for, 0..1.

    A prompt never names all that a picture shows, so the number means little alone; it is for comparing pictures of
    one prompt.
    """

    name: ClassVar[str] = "prompt_tag_precision"
    version: ClassVar[int] = 1
    unit: ClassVar[str] = ""
    higher_is_better: ClassVar[bool] = True

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Compare picture and prompt; unscored as recall is, and where no tag is seen at all."""
        found = compared(cell.prompt.text, observation)
        if isinstance(found, str):
            return unscored(self.name, found)
        if not found.shown:
            return unscored(self.name, f"{found.tagger} sees no tag at all")
        reason = f"{len(found.seen)} of {found.shown} tags seen by {found.tagger} were asked"
        return Score(metric=self.name, value=len(found.seen) / found.shown, reason=reason)


def compared(prompt: str, observation: Observation) -> Compared | str:
    """A prompt beside the tags of its picture, or why they cannot be compared."""
    tagger = tagger_of(observation)
    if tagger is None:
        return "nobody tagged the picture: needs a vision model (perception=anime)"
    known = general_tags(tagger)
    if known is None:
        return f"the tags that {tagger} knows are not here; fetch them: evalharness models fetch {tagger}"
    asked = tuple(tag for tag in tags_in(prompt) if tag in known)
    if not asked:
        return f"the prompt has no tag that {tagger} knows"
    seen = tuple(likely(observation, asked))
    return Compared(tagger=tagger, asked=asked, seen=seen, shown=len(likely(observation, observation.tags)))


def _named(tags: tuple[str, ...]) -> str:
    words = [tag.replace("_", " ") for tag in tags[:MOST_NAMED]]
    more = len(tags) - len(words)
    return ", ".join(words) + (f" and {more} more" if more else "")
