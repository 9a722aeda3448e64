"""How trainers name the tensors of a LoRA file: each key is a module's name and the role of the tensor in its algebra.

kohya and LyCORIS write `lora_down.weight`, PEFT and ComfyUI `lora_A.weight`, the older diffusers `lora.down.weight`;
the algebra (LoRA, LoHa, LoKr, DoRA, plain differences) shows in the roles that a module has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_PLAIN = (
    *("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"),
    *("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t2"),
    *("alpha", "dora_scale", "diff", "diff_b"),
)
"""Tensors whose role is how their key ends."""

_ROLES: Mapping[str, str] = {
    **{f".{name}": name for name in _PLAIN},
    ".w_norm": "diff",
    ".b_norm": "diff_b",
    ".lora_mid.weight": "mid",
    ".lora_magnitude_vector": "magnitude",
    ".lora_magnitude_vector.weight": "magnitude",
    ".lora_magnitude_vector.default.weight": "magnitude",
    **{f"{form}{end}": "down" for form in (".lora_A", ".lora_down") for end in ("", ".weight", ".default.weight")},
    **{f"{form}{end}": "up" for form in (".lora_B", ".lora_up") for end in ("", ".weight", ".default.weight")},
    **{f"{form}.down.weight": "down" for form in (".lora", "_lora", ".lora_linear_layer")},
    **{f"{form}.up.weight": "up" for form in (".lora", "_lora", ".lora_linear_layer")},
}
_LONGEST_FIRST = sorted(_ROLES, key=len, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The tensors of one module: `name` as the file has it, prefix and all; `tensors` by role, `keys` by role."""

    name: str
    tensors: Mapping[str, "torch.Tensor"]
    keys: Mapping[str, str]


def split(key: str) -> tuple[str, str] | None:
    """The module's name and the tensor's role; None for a key of no known form.

    >>> split("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight")
    ('lora_unet_mid_block_attentions_0_proj_in', 'down')
    """
    for suffix in _LONGEST_FIRST:
        if key.endswith(suffix):
            # the attention processors of the first diffusers LoRAs stand between a block and its projections
            return key.removesuffix(suffix).replace(".processor.", "."), _ROLES[suffix]
    return None


def grouped(tensors: Mapping[str, "torch.Tensor"]) -> tuple[list[Group], list[str]]:
    """The tensors by module, and the keys of no known form, in the file's order."""
    found: dict[str, tuple[dict[str, torch.Tensor], dict[str, str]]] = {}
    strange = []
    for key, tensor in tensors.items():
        parts = split(key)
        if parts is None or parts[1] in found.get(parts[0], ({}, {}))[1]:
            strange.append(key)
            continue
        name, role = parts
        values, keys = found.setdefault(name, ({}, {}))
        values[role], keys[role] = tensor, key
    return [Group(name=name, tensors=values, keys=keys) for name, (values, keys) in found.items()], strange
