"""From a LoRA file to the changes of the pipeline's layers, every tensor accounted for, or a refusal that says why."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from evalharness.backends.families import Family
from evalharness.backends.lora.delta import Change, MisfitError, change, rank_of, rows
from evalharness.backends.lora.keys import Group, grouped
from evalharness.backends.lora.names import Directory, Place, Places
from evalharness.backends.lora.read import read_shapes, read_tensors, require_own_alpha, scale_in_metadata
from evalharness.backends.lora.recognise import recognise
from evalharness.backends.lora.words import examples, of
from evalharness.errors import SubjectError
from evalharness.types import LoraFile

FIRST, SECOND = "denoiser", "transformer_2"
NOISE = re.compile(r"(?<![a-z])(high|low)(?=noise|[^a-z]|$)")
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(slots=True)
class Matched:
    """The changes a file makes, the keys that found no layer, and why, where more is known than that."""

    changes: list[tuple[Place, Change]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)


def require_family(lora: LoraFile, family: Family) -> None:
    """Raise SubjectError for a file of another family by its keys and shapes, or without its alpha.

    Only its header is read.
    """
    shapes = read_shapes(lora)
    require_own_alpha(lora, shapes)
    sign = recognise(shapes)
    if sign is not None and family.name not in sign.families:
        raise SubjectError(
            f"{lora.path.name} is a LoRA for {sign.kind} by its keys {examples(list(shapes))}: 0 of {len(shapes)} keys "
            f"match {family.pipeline}; was it trained for another model family?"
        )


def matched(lora: LoraFile, family: Family, places: Directory, accepted: tuple[str, ...]) -> list[tuple[Place, Change]]:
    """What the file changes; raises SubjectError unless keys match and none is left but those `accepted` begin."""
    tensors = read_tensors(lora)
    groups, strange = grouped(tensors)
    found = Matched(missing=strange)
    denoisers = _experts(lora, places, groups)
    for group in groups:
        for wanted in dict.fromkeys(places.find(group.name, one) for one in denoisers):
            _match(group, wanted, lora.metadata, found)
    found.missing = list(dict.fromkeys(found.missing))
    _require_match(lora, family, tensors, found, accepted)
    return found.changes


def _match(group: Group, places: Places, metadata: Mapping[str, str], found: Matched) -> None:
    keys = list(group.keys.values())
    if not places:
        found.missing += keys
        return
    try:
        found.changes += _changes(group, places, metadata)
    except MisfitError as error:
        found.missing += keys
        found.why |= dict.fromkeys(keys, str(error))


def _changes(group: Group, places: Places, metadata: Mapping[str, str]) -> list[tuple[Place, Change]]:
    first = places[0]
    outputs = sum(place.shape[0] for place in places)
    shape = torch.Size((outputs, *first.shape[1:]))
    scale = scale_in_metadata(metadata, first.component, first.path, rank_of(group.tensors))
    whole = change(group.tensors, shape, _fused_weight(group, places), scale)
    return [(place, whole if place.rows is None else rows(whole, shape, place.rows)) for place in places]


def _fused_weight(group: Group, places: Places) -> torch.Tensor | None:
    """The weight as the original has it, which DoRA's norms are taken of; None where no tensor asks for it."""
    if not {"dora_scale", "magnitude"} & set(group.tensors):
        return None
    whole = [_values(place) for place in places]
    if places[0].rows is None:
        return whole[0]
    fused = torch.empty(sum(len(weight) for weight in whole), *whole[0].shape[1:])
    for place, weight in zip(places, whole, strict=True):
        fused[place.rows] = weight
    return fused


def _values(place: Place) -> torch.Tensor:
    """A layer's weight in float32 on the CPU, also where accelerate keeps it elsewhere between calls."""
    layer: Any = place.layer
    weight = layer._hf_hook.weights_map["weight"] if layer.weight.is_meta else layer.weight
    values: torch.Tensor = weight.detach().to("cpu", torch.float32)
    return values


def _experts(lora: LoraFile, places: Directory, groups: list[Group]) -> tuple[str, ...]:
    """Which denoisers the file's plain prefixes mean; of two experts, both, unless it says that it is for one.

    It does by the word 'high' or 'low' (noise) in its name or its metadata's.
    """
    if not any(part == SECOND for part, _ in places.places) or any(one.name.startswith(SECOND) for one in groups):
        return (FIRST,)
    names = " ".join([lora.path.stem, lora.metadata.get("ss_output_name", "")])
    said = set(NOISE.findall(CAPITAL.sub(" ", names).lower()))
    return {"high": (FIRST,), "low": (SECOND,)}[said.pop()] if len(said) == 1 else (FIRST, SECOND)


def _require_match(
    lora: LoraFile, family: Family, tensors: Mapping[str, torch.Tensor], found: Matched, accepted: tuple[str, ...]
) -> None:
    """Raise SubjectError unless some keys matched and none is left over but accepted ones."""
    name = lora.path.name
    if not found.changes:
        raise SubjectError(
            f"{name}: 0 of {len(tensors)} keys match {family.pipeline} {examples(list(tensors), found.why)}; "
            "was it trained for another model family?"
        )
    left = [key for key in found.missing if not key.startswith(accepted)] if accepted else found.missing
    if left:
        raise SubjectError(
            f"{name}: {of(left, tensors)} found no layer of {family.pipeline} that they fit, "
            f"{len(tensors) - len(found.missing)} did {examples(left, found.why)}; "
            "accept them by prefix with backend.options.accept_unmatched=[...] if that is meant."
        )
