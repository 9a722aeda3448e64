"""LoRA files on a pipeline: recognised, matched key by key, put beside the layers, scaled, and taken off again.

No loader of diffusers or PEFT is asked: they drop what they do not know with at most a log line, and know no LoHa, no
DoRA, and LoKr for two families only. torch is imported where it is used.
"""

from typing import Any

from evalharness.backends.families import Family
from evalharness.types import Subject

__all__ = ["load", "require_families", "set_strength", "touches_text", "unload"]


def require_families(family: Family, subject: Subject) -> None:
    """Refuse, before any model is loaded, files that show another family's architecture; raises SubjectError."""
    from evalharness.backends.lora.match import require_family

    for lora in subject.loras:
        require_family(lora, family)


def load(pipe: Any, family: Family, subject: Subject, accepted: tuple[str, ...] = ()) -> None:
    """Put every LoRA file of the subject on the pipeline, at strength 0; on refusal the pipeline is the base.

    Keys that start with one of `accepted` may stay unmatched. Raises SubjectError with the counts and examples.
    """
    from evalharness.backends.lora.branch import Branch, attach
    from evalharness.backends.lora.match import matched
    from evalharness.backends.lora.names import directory

    require_families(family, subject)
    places = directory(pipe, family)
    found = [matched(lora, family, places, accepted) for lora in subject.loras]
    for index, changes in enumerate(found):
        for place, change in changes:
            attach(place.layer, Branch(place.component, index, change))


def unload(pipe: Any) -> None:
    """Take every LoRA off; the pipeline then draws the base's images bit for bit."""
    from evalharness.backends.lora.branch import detach_all

    detach_all(pipe)


def set_strength(pipe: Any, subject: Subject, strength: float) -> None:
    """Scale the loaded files, each by its own strength too; nothing is reloaded, and 0 is bit-equal to the base."""
    from evalharness.backends.lora.branch import branches
    from evalharness.backends.lora.names import is_text

    for branch in branches(pipe):
        lora = subject.loras[branch.index]
        branch.strength = strength * (lora.clip if is_text(branch.component) else lora.model)


def touches_text(pipe: Any) -> bool:
    """Whether a loaded LoRA changes what encodes prompts, so that they must be encoded again for it."""
    from evalharness.backends.lora.branch import branches
    from evalharness.backends.lora.names import is_text

    return any(is_text(branch.component) for branch in branches(pipe))
