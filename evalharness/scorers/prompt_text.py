"""The tags of a prompt as Stable Diffusion's web UIs write it: `1girl, (red hair:1.2), [smile|frown], <lora:x:0.8>`."""

import re
from collections.abc import Iterator

from evalharness.models.vocabulary import spelt

NETWORK = re.compile(r"<[^<>,]*:[^<>]*>")
"""LoRAs and hypernetworks: how the picture is made, not what is to be seen."""
# something must stand before it: `:3` is a face, not a weight
WEIGHT = re.compile(r"(?<=\S)\s*:\s*[+-]?(\d+\.?\d*|\.\d+)\s*$")
BREAKS = re.compile(r",|\n|\bBREAK\b|\bAND\b")
INNERMOST = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
OPEN, CLOSED = "\ue000", "\ue001"
"""Stand for escaped brackets, which are part of a tag, while the others are weights."""
ZERO = 1e-9


def tags_in(prompt: str) -> tuple[str, ...]:
    r"""The prompt's tags as a vocabulary spells them, each once, in order.

    Weights, emphasis and LoRAs are removed; a weight of 0 removes its tags. Of prompt editing and alternation
    (`[from:to:0.5]`, `[one|other]`) all texts count. Escaped brackets belong to the tag: `saber \(fate\)`.
    """
    text = NETWORK.sub(",", prompt).replace(r"\(", OPEN).replace(r"\)", CLOSED)
    found = (spelt(tag.replace(OPEN, "(").replace(CLOSED, ")")) for tag in _split(_unwrapped(text)))
    return tuple(dict.fromkeys(tag for tag in found if tag))


def plain(prompt: str) -> str:
    """The prompt as a sentence that other models read: without weights, emphasis and LoRAs."""
    text = NETWORK.sub(" ", prompt).replace(r"\(", OPEN).replace(r"\)", CLOSED)
    words = " ".join(_unwrapped(text).split()).replace(OPEN, "(").replace(CLOSED, ")")
    return words.strip(" ,")


def _split(text: str) -> Iterator[str]:
    for piece in BREAKS.split(text):
        # a weight without brackets is no emphasis, but people write it: `smile:1.2`
        yield WEIGHT.sub("", piece.strip())


def _unwrapped(text: str) -> str:
    """The text without its brackets, from the innermost outwards."""
    while match := INNERMOST.search(text):
        rounded, square = match.groups()
        words = _weighted(rounded) if square is None else _scheduled(square)
        text = f"{text[: match.start()]}{words}{text[match.end() :]}"
    # a bracket that is left has no partner
    return re.sub(r"[()\[\]]", "", text)


def _weighted(words: str) -> str:
    """What stands in round brackets without its weight; nothing where the weight is 0."""
    weight = WEIGHT.search(words)
    if weight and abs(float(weight.group(1))) < ZERO:
        return ""
    return WEIGHT.sub("", words)


def _scheduled(words: str) -> str:
    """What stands in square brackets: alternatives and both sides of an edit become tags of their own."""
    if "|" in words:
        return ",".join(words.split("|"))
    if when := WEIGHT.search(words):
        return ",".join(words[: when.start()].split(":"))
    return words
