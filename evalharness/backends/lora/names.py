"""Which layer of the pipeline a trainer's name means: a table made from the pipeline's own layers, no guess.

kohya writes a layer's path with underscores for dots, which cannot be undone by rule ('to_out_0', 'attn_to_q') but can
be looked up: every layer is listed under each name that trainers have for it, flattened.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from evalharness.backends.families import Family
from evalharness.backends.lora.originals import FUSED, SAME_AS, SWAPPED, original, text_names, unet_original

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMS = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)

_PREFIXES: tuple[tuple[str, str], ...] = (
    ("base_model.model.", "denoiser"),
    ("model.diffusion_model.", "denoiser"),
    ("diffusion_model.", "denoiser"),
    ("lora_transformer_", "denoiser"),
    ("lora_unet_", "denoiser"),
    ("lycoris_", "denoiser"),
    ("transformer.", "denoiser"),
    ("unet.", "denoiser"),
    ("transformer_2.", "transformer_2"),
    ("text_conditioner.", "text_conditioner"),
    ("text_encoders.clip_l.transformer.", "text_encoder"),
    ("text_encoders.clip_g.transformer.", "text_encoder_2"),
    ("text_encoders.clip_l.", "text_encoder"),
    ("text_encoders.clip_g.", "text_encoder_2"),
    ("lora_te1_", "text_encoder"),
    ("lora_te2_", "text_encoder_2"),
    ("lora_te_", "text_encoder"),
    ("text_encoder.", "text_encoder"),
    ("text_encoder_2.", "text_encoder_2"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A layer: its component and path, and which rows of a fused original's outputs are its own; None = all."""

    component: str
    path: str
    layer: nn.Module
    rows: torch.Tensor | None = None

    @property
    def shape(self) -> torch.Size:
        """The shape of the layer's weight, also where an offloaded weight's values are elsewhere."""
        weight = self.layer.weight
        assert isinstance(weight, torch.Tensor)
        return weight.shape


Places = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """All layers of a pipeline that a LoRA may change, by the part they are in and by their flattened names."""

    places: Mapping[tuple[str, str], Places]

    def find(self, name: str, denoiser: str) -> Places:
        """The layers a trainer's module name means, none for an unknown one; `denoiser` takes the unnamed prefixes."""
        for part, rest in _readings(name):
            found = self.places.get((denoiser if part == "denoiser" else part, _flat(rest)))
            if found is not None:
                return found
        return ()


def directory(pipe: Any, family: Family) -> Directory:
    """The directory of a pipeline; layers that the family's `lora_components` do not name are not in it."""
    places: dict[tuple[str, str], Places] = {}
    for component in family.lora_components:
        model = getattr(pipe, component, None)
        if isinstance(model, nn.Module):
            for part, name, found in listed(family, component, model):
                places.setdefault((part, _flat(name)), found)
    return Directory(places)


def is_text(component: str) -> bool:
    """Whether a component works on the prompt."""
    return component.startswith("text_")


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """What a module's name may mean, likeliest first: part of the pipeline and name within it."""
    for prefix, part in _PREFIXES:
        if name.startswith(prefix):
            yield part, name.removeprefix(prefix)
    if name.startswith("base_model.model."):
        yield from _readings(name.removeprefix("base_model.model."))
    # ComfyUI names an encoder after its model: text_encoders.qwen3_06b.transformer.model.layers.0 ...
    if name.startswith("text_encoders."):
        inside = name.split(".", maxsplit=2)[2]
        yield "text_encoder", inside
        yield "text_encoder", inside.removeprefix("transformer.")
    yield "denoiser", name


def _flat(name: str) -> str:
    return name.replace(".", "_")


def listed(family: Family, component: str, model: nn.Module) -> Iterator[tuple[str, str, Places]]:
    """Every (part, name, layers) of one component."""
    modules = ((name.replace("_orig_mod.", ""), layer) for name, layer in model.named_modules())
    layers = {name: layer for name, layer in modules if isinstance(layer, LAYERS) or _is_norm(layer)}
    part = "denoiser" if component == family.backbone else component
    for path, layer in layers.items():
        here = (Place(component=component, path=path, layer=layer),)
        for other_part, name in _names(family, component, model, path):
            yield other_part, name, here
            if name.endswith(".to_out.0"):
                yield other_part, name.removesuffix(".0"), here
    if not is_text(component):
        yield from ((part, name, found) for name, found in _rearranged(family.name, component, layers))


def _is_norm(layer: nn.Module) -> bool:
    """Whether a layer normalises, then scales each channel; diffusers and transformers have RMS norms of their own."""
    weight = getattr(layer, "weight", None)
    known = isinstance(layer, NORMS) or type(layer).__name__.endswith("RMSNorm")
    return known and isinstance(weight, torch.Tensor) and weight.ndim == 1


def _names(family: Family, component: str, model: Any, path: str) -> Iterator[tuple[str, str]]:
    part = "denoiser" if component == family.backbone else component
    yield part, path
    if component == "text_conditioner":
        yield "denoiser", f"llm_adapter.{path}"
    elif is_text(component):
        yield from ((part, name) for name in text_names(path))
    elif component == "unet":
        attends = tuple(hasattr(block, "attentions") for block in model.up_blocks)
        yield part, unet_original(path, int(model.config.layers_per_block), attends)
    else:
        yield part, original(family.name, path)


def _rearranged(family: str, component: str, layers: Mapping[str, nn.Module]) -> Iterator[tuple[str, Places]]:
    """The layers that are parts of a fused one in the original, and those whose halves are swapped there."""
    family = SAME_AS.get(family, family)
    for path in layers:
        for names, theirs in FUSED.get(family, ()):
            if path.endswith(names[0]):
                block = path.removesuffix(names[0])
                if all(block + name in layers for name in names):
                    found = _one_after_another(component, {block + name: layers[block + name] for name in names})
                    yield original(family, block) + theirs, found
        if path in SWAPPED.get(family, {}):
            half = Place(component=component, path=path, layer=layers[path]).shape[0] // 2
            rows = torch.arange(2 * half).roll(half)
            yield SWAPPED[family][path], (Place(component=component, path=path, layer=layers[path], rows=rows),)


def _one_after_another(component: str, layers: Mapping[str, nn.Module]) -> Places:
    places, start = [], 0
    for path, layer in layers.items():
        end = start + Place(component=component, path=path, layer=layer).shape[0]
        places.append(Place(component=component, path=path, layer=layer, rows=torch.arange(start, end)))
        start = end
    return tuple(places)
