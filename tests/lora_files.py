"""LoRA files as trainers write them, and the weight changes they mean, written out by hand: nothing here asks the code.

`NAMES` holds, per family and layout, names as real files have them and the layers they mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from evalharness.digest import file_digest
from evalharness.types import LoraFile, Subject

Tensors = dict[str, torch.Tensor]
UNET, TEXT, TEXT_2 = "unet", "text_encoder", "text_encoder_2"
DOWN = "down_blocks.1.attentions.0.transformer_blocks.0."
LAYER = "text_model.encoder.layers.1."


@dataclass(frozen=True)
class Named:
    """A module as a file names it, and its layers as component:path; three of them are a fused projection's parts."""

    name: str
    layers: tuple[str, ...]
    swapped: bool = False


def one(name: str, layer: str, *, swapped: bool = False) -> Named:
    return Named(name, (layer,), swapped)


def fused(name: str, block: str, *paths: str) -> Named:
    return Named(name, tuple(block + path for path in paths))


NAMES: Mapping[tuple[str, str], Sequence[Named]] = {
    ("sd", "kohya"): (
        one("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_q", f"unet:{DOWN}attn1.to_q"),
        one("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_out_0", f"unet:{DOWN}attn2.to_out.0"),
        one(
            "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj",
            "unet:mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj",
        ),
        one("lora_te_text_model_encoder_layers_1_self_attn_q_proj", f"text_encoder:{LAYER}self_attn.q_proj"),
        one("lora_te_text_model_encoder_layers_1_mlp_fc1", f"text_encoder:{LAYER}mlp.fc1"),
    ),
    ("sd", "diffusers"): (
        one(f"unet.{DOWN}attn1.to_q", f"unet:{DOWN}attn1.to_q"),
        one(f"text_encoder.{LAYER}self_attn.q_proj", f"text_encoder:{LAYER}self_attn.q_proj"),
    ),
    ("sd", "first diffusers"): (one(f"unet.{DOWN}attn1.processor.to_q", f"unet:{DOWN}attn1.to_q"),),
    ("sd", "ComfyUI"): (
        one("diffusion_model.input_blocks.3.1.transformer_blocks.0.attn1.to_q", f"unet:{DOWN}attn1.to_q"),
        one(f"text_encoders.clip_l.transformer.{LAYER}self_attn.q_proj", f"text_encoder:{LAYER}self_attn.q_proj"),
    ),
    ("sdxl", "kohya"): (
        one("lora_unet_input_blocks_3_1_transformer_blocks_0_attn1_to_q", f"unet:{DOWN}attn1.to_q"),
        one("lora_unet_input_blocks_3_1_transformer_blocks_0_attn2_to_k", f"unet:{DOWN}attn2.to_k"),
        one(
            "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_out_0",
            "unet:mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0",
        ),
        one(
            "lora_unet_output_blocks_1_1_transformer_blocks_0_ff_net_2",
            "unet:up_blocks.0.attentions.1.transformer_blocks.0.ff.net.2",
        ),
        one("lora_te1_text_model_encoder_layers_1_self_attn_q_proj", f"text_encoder:{LAYER}self_attn.q_proj"),
        one("lora_te2_text_model_encoder_layers_1_mlp_fc2", f"text_encoder_2:{LAYER}mlp.fc2"),
    ),
    ("sdxl", "diffusers"): (
        one(f"unet.{DOWN}attn1.to_q", f"unet:{DOWN}attn1.to_q"),
        one(f"text_encoder_2.{LAYER}mlp.fc2", f"text_encoder_2:{LAYER}mlp.fc2"),
    ),
    ("sdxl", "ComfyUI"): (
        one(
            "diffusion_model.output_blocks.1.1.transformer_blocks.0.attn2.to_v",
            "unet:up_blocks.0.attentions.1.transformer_blocks.0.attn2.to_v",
        ),
        one(f"text_encoders.clip_g.transformer.{LAYER}mlp.fc2", f"text_encoder_2:{LAYER}mlp.fc2"),
    ),
    ("anima", "kohya"): (
        one("lora_unet_blocks_0_self_attn_q_proj", "transformer:transformer_blocks.0.attn1.to_q"),
        one("lora_unet_blocks_1_cross_attn_output_proj", "transformer:transformer_blocks.1.attn2.to_out.0"),
        one("lora_unet_blocks_0_mlp_layer1", "transformer:transformer_blocks.0.ff.net.0.proj"),
        one("lora_unet_blocks_0_adaln_modulation_self_attn_1", "transformer:transformer_blocks.0.norm1.linear_1"),
        one("lora_unet_blocks_0_adaln_modulation_mlp_2", "transformer:transformer_blocks.0.norm3.linear_2"),
        one("lora_unet_final_layer_linear", "transformer:proj_out"),
        one("lora_unet_x_embedder_proj_1", "transformer:patch_embed.proj"),
        one("lora_unet_llm_adapter_blocks_0_cross_attn_q_proj", "text_conditioner:blocks.0.cross_attn.q_proj"),
    ),
    ("anima", "text"): (one("lora_te_layers_1_self_attn_q_proj", "text_encoder:layers.1.self_attn.q_proj"),),
    ("anima", "ComfyUI"): (
        one("diffusion_model.blocks.0.self_attn.k_proj", "transformer:transformer_blocks.0.attn1.to_k"),
        one("diffusion_model.blocks.0.mlp.layer2", "transformer:transformer_blocks.0.ff.net.2"),
        one("diffusion_model.llm_adapter.blocks.0.mlp.0", "text_conditioner:blocks.0.mlp.0"),
    ),
    ("anima", "diffusers"): (
        one("transformer.transformer_blocks.0.attn1.to_k", "transformer:transformer_blocks.0.attn1.to_k"),
        one("text_conditioner.blocks.0.mlp.0", "text_conditioner:blocks.0.mlp.0"),
    ),
    ("wan", "kohya"): (
        one("lora_unet_blocks_0_self_attn_q", "transformer:blocks.0.attn1.to_q"),
        one("lora_unet_blocks_1_cross_attn_o", "transformer:blocks.1.attn2.to_out.0"),
        one("lora_unet_blocks_0_ffn_0", "transformer:blocks.0.ffn.net.0.proj"),
        one("lora_unet_blocks_0_ffn_2", "transformer:blocks.0.ffn.net.2"),
        one("lora_unet_time_projection_1", "transformer:condition_embedder.time_proj"),
        one("lora_unet_text_embedding_2", "transformer:condition_embedder.text_embedder.linear_2"),
        one("lora_unet_head_head", "transformer:proj_out"),
    ),
    ("wan", "ComfyUI"): (
        one("diffusion_model.blocks.0.self_attn.v", "transformer:blocks.0.attn1.to_v"),
        one("diffusion_model.blocks.1.ffn.0", "transformer:blocks.1.ffn.net.0.proj"),
    ),
    ("wan", "diffusers"): (one("transformer.blocks.0.attn1.to_v", "transformer:blocks.0.attn1.to_v"),),
    ("zimage", "kohya"): (
        one("lora_unet_layers_0_attention_to_q", "transformer:layers.0.attention.to_q"),
        one("lora_unet_layers_1_attention_to_out_0", "transformer:layers.1.attention.to_out.0"),
        one("lora_unet_layers_1_feed_forward_w2", "transformer:layers.1.feed_forward.w2"),
        one("lora_unet_noise_refiner_0_adaLN_modulation_0", "transformer:noise_refiner.0.adaLN_modulation.0"),
        one("lora_unet_cap_embedder_1", "transformer:cap_embedder.1"),
    ),
    ("zimage", "ComfyUI"): (
        fused("diffusion_model.layers.0.attention.qkv", "transformer:layers.0.attention.", "to_q", "to_k", "to_v"),
        one("diffusion_model.layers.0.attention.out", "transformer:layers.0.attention.to_out.0"),
        one("diffusion_model.context_refiner.0.feed_forward.w3", "transformer:context_refiner.0.feed_forward.w3"),
    ),
    ("zimage", "diffusers"): (one("transformer.layers.0.attention.to_v", "transformer:layers.0.attention.to_v"),),
    ("qwenimage", "kohya"): (
        one("lora_unet_transformer_blocks_0_attn_to_q", "transformer:transformer_blocks.0.attn.to_q"),
        one("lora_unet_transformer_blocks_1_attn_add_k_proj", "transformer:transformer_blocks.1.attn.add_k_proj"),
        one("lora_unet_transformer_blocks_0_attn_to_add_out", "transformer:transformer_blocks.0.attn.to_add_out"),
        one("lora_unet_transformer_blocks_0_img_mlp_net_0_proj", "transformer:transformer_blocks.0.img_mlp.net.0.proj"),
        one("lora_unet_transformer_blocks_0_txt_mod_1", "transformer:transformer_blocks.0.txt_mod.1"),
    ),
    ("qwenimage", "ComfyUI"): (
        one("diffusion_model.transformer_blocks.0.attn.to_out.0", "transformer:transformer_blocks.0.attn.to_out.0"),
        one("diffusion_model.transformer_blocks.0.img_mod.1", "transformer:transformer_blocks.0.img_mod.1"),
    ),
    ("qwenimage", "diffusers"): (
        one("transformer.transformer_blocks.0.attn.to_k", "transformer:transformer_blocks.0.attn.to_k"),
    ),
}
_FLUX2 = {
    "kohya": (
        fused(
            "lora_unet_double_blocks_0_img_attn_qkv", "transformer:transformer_blocks.0.attn.", "to_q", "to_k", "to_v"
        ),
        fused(
            "lora_unet_double_blocks_0_txt_attn_qkv",
            "transformer:transformer_blocks.0.attn.",
            "add_q_proj",
            "add_k_proj",
            "add_v_proj",
        ),
        one("lora_unet_double_blocks_0_img_attn_proj", "transformer:transformer_blocks.0.attn.to_out.0"),
        one("lora_unet_double_blocks_0_txt_attn_proj", "transformer:transformer_blocks.0.attn.to_add_out"),
        one("lora_unet_double_blocks_0_img_mlp_0", "transformer:transformer_blocks.0.ff.linear_in"),
        one("lora_unet_double_blocks_0_txt_mlp_0", "transformer:transformer_blocks.0.ff_context.linear_in"),
        one("lora_unet_double_blocks_0_img_mlp_2", "transformer:transformer_blocks.0.ff.linear_out"),
        one("lora_unet_time_in_in_layer", "transformer:time_guidance_embed.timestep_embedder.linear_1"),
        one("lora_unet_final_layer_linear", "transformer:proj_out"),
        one("lora_unet_double_blocks_0_txt_mlp_2", "transformer:transformer_blocks.0.ff_context.linear_out"),
        one("lora_unet_single_blocks_0_linear1", "transformer:single_transformer_blocks.0.attn.to_qkv_mlp_proj"),
        one("lora_unet_single_blocks_0_linear2", "transformer:single_transformer_blocks.0.attn.to_out"),
        one("lora_unet_img_in", "transformer:x_embedder"),
        one("lora_unet_double_stream_modulation_img_lin", "transformer:double_stream_modulation_img.linear"),
    ),
    "ComfyUI": (
        fused(
            "diffusion_model.double_blocks.0.img_attn.qkv",
            "transformer:transformer_blocks.0.attn.",
            "to_q",
            "to_k",
            "to_v",
        ),
        one("diffusion_model.single_blocks.0.linear1", "transformer:single_transformer_blocks.0.attn.to_qkv_mlp_proj"),
        one("diffusion_model.txt_in", "transformer:context_embedder"),
    ),
    "swapped": (one("diffusion_model.final_layer.adaLN_modulation.1", "transformer:norm_out.linear", swapped=True),),
    "LyCORIS": (one("lycoris_transformer_blocks_0_attn_to_k", "transformer:transformer_blocks.0.attn.to_k"),),
    "diffusers": (one("transformer.transformer_blocks.0.attn.to_k", "transformer:transformer_blocks.0.attn.to_k"),),
}
NAMES = {**NAMES, **{(family, form): names for family in ("flux2", "flux2_klein") for form, names in _FLUX2.items()}}

SUFFIXES = {
    "kohya": ("lora_down.weight", "lora_up.weight"),
    "ComfyUI": ("lora_A.weight", "lora_B.weight"),
    "diffusers": ("lora_A.weight", "lora_B.weight"),
    "first diffusers": None,
}


def layer_of(pipe: Any, layer: str) -> torch.nn.Module:
    """A layer by component:path; transformers' CLIP models have lost their root 'text_model' at some version."""
    component, path = layer.split(":")
    model = getattr(pipe, component)
    names = dict(model.named_modules())
    return names.get(path) or names[path.removeprefix("text_model.")]


def numbers(seed: int, *shape: int, scale: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def algebra(kind: str, weight: np.ndarray, seed: int, form: str = "kohya") -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Random tensors of one algebra by the end of their keys, and the change of `weight` that they mean."""
    outputs, inputs, *kernel = weight.shape
    n, rank = (lambda index, *shape: numbers(seed + index, *shape)), 4
    down, up = SUFFIXES.get(form) or ("lora_A.weight", "lora_B.weight")
    if kind == "lora":
        values = {down: n(0, rank, inputs, *kernel), up: n(1, outputs, rank, *[1] * len(kernel))}
        change = (values[up].reshape(outputs, rank) @ values[down].reshape(rank, -1)).reshape(weight.shape)
        if form == "kohya":
            values["alpha"], change = np.float32(2.0), change * 2.0 / rank
        return values, change
    if kind in ("dora rows", "dora columns"):
        values, change = algebra("lora", weight, seed, form)
        rows = kind == "dora rows"
        scale = np.abs(n(7, outputs if rows else inputs)) + 0.5
        shape = (-1, 1, *[1] * len(kernel)) if rows else (1, -1, *[1] * len(kernel))
        changed = weight + change
        axes = tuple(axis for axis in range(weight.ndim) if axis != (0 if rows else 1))
        norm = np.sqrt((changed**2).sum(axis=axes, keepdims=True))
        return values | {"dora_scale": scale.reshape(shape)}, scale.reshape(shape) * changed / norm - weight
    if kind == "diff":
        return {"diff": n(0, *weight.shape)}, n(0, *weight.shape)
    if kind == "loha":
        w = [n(0, outputs, rank), n(1, rank, weight[0].size), n(2, outputs, rank), n(3, rank, weight[0].size)]
        values = dict(zip(("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"), w, strict=True))
        change = (w[0] @ w[1]) * (w[2] @ w[3]) * 2.0 / rank
        return values | {"alpha": np.float32(2.0)}, change.reshape(weight.shape)
    if "core" in kind:
        return _tucker(kind, weight, n)
    return _kronecker(kind, weight, n)


def _tucker(kind: str, weight: np.ndarray, n: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
    outputs, inputs, *kernel = weight.shape
    rank, alpha = 4, np.float32(2.0)

    def whole(core: np.ndarray, up: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Each output's and input's share of the core, at every point of the kernel."""
        points = [up @ core[:, :, y, x] @ down for y in range(kernel[0]) for x in range(kernel[1])]
        return np.stack(points, axis=-1).reshape(len(up), down.shape[1], *kernel)

    core, up, down = n(0, rank, rank, *kernel), n(1, outputs, rank), n(2, rank, inputs)
    if kind.startswith("locon"):
        factors = {"lora_up.weight": up[..., None, None], "lora_down.weight": down[..., None, None]}
        return factors | {"lora_mid.weight": core, "alpha": alpha}, whole(core, up, down) * 2.0 / rank
    if kind.startswith("loha"):
        other, up_2, down_2 = n(3, rank, rank, *kernel), n(4, outputs, rank), n(5, rank, inputs)
        values = {"hada_t1": core, "hada_w1_a": up.T, "hada_w1_b": down}
        values |= {"hada_t2": other, "hada_w2_a": up_2.T, "hada_w2_b": down_2, "alpha": alpha}
        return values, whole(core, up, down) * whole(other, up_2, down_2) * 2.0 / rank
    left, up, down = n(1, 2, 2), n(2, outputs // 2, rank), n(3, rank, inputs // 2)
    values = {"lokr_w1": left, "lokr_t2": core, "lokr_w2_a": up.T, "lokr_w2_b": down, "alpha": alpha}
    return values, np.kron(left[..., None, None], whole(core, up, down)) * 2.0 / rank


def _kronecker(kind: str, weight: np.ndarray, n: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
    outputs, inputs, *kernel = weight.shape
    left = n(0, *(2 if size % 2 == 0 else 1 for size in (outputs, inputs)))
    small = (outputs // left.shape[0], inputs // left.shape[1])
    wide = left.reshape(*left.shape, *[1] * len(kernel))
    if kind == "lokr whole":
        right = n(1, *small, *kernel)
        # alpha says nothing where both factors are whole matrices
        return {"lokr_w1": left, "lokr_w2": right, "alpha": np.float32(16.0)}, np.kron(wide, right)
    first, second = n(2, small[0], 3), n(3, 3, small[1] * int(np.prod(kernel, dtype=int)))
    right = (first @ second).reshape(*small, *kernel) * 12.0 / 3
    values = {"lokr_w1": left, "lokr_w2_a": first, "lokr_w2_b": second, "alpha": np.float32(12.0)}
    return values, np.kron(wide, right)


def written(pipe: Any, names: Sequence[Named], kind: str, form: str) -> tuple[Tensors, dict[str, torch.Tensor]]:
    """A file's tensors for the named modules, and the change of each layer by component:path."""
    tensors: Tensors = {}
    changes: dict[str, torch.Tensor] = {}
    for index, named in enumerate(names):
        weights = [layer_of(pipe, layer).weight.detach().numpy() for layer in named.layers]
        whole = np.concatenate(weights)
        half = len(whole) // 2
        if named.swapped:
            whole = np.concatenate([whole[half:], whole[:half]])
        values, change = algebra(kind, whole, 100 * index, form)
        if named.swapped:
            change = np.concatenate([change[half:], change[:half]])
        tensors |= {_key(named.name, end, form): torch.tensor(value) for end, value in values.items()}
        parts = np.split(change, np.cumsum([len(weight) for weight in weights])[:-1])
        changes |= {layer: torch.tensor(part) for layer, part in zip(named.layers, parts, strict=True)}
    return tensors, changes


def _key(name: str, end: str, form: str) -> str:
    """The first diffusers LoRAs write to_q_lora.down.weight."""
    if form == "first diffusers":
        return f"{name}_lora.{'down' if 'lora_A' in end else 'up'}.weight"
    return f"{name}.{end}"


def subject(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None, **strengths: float) -> Subject:
    """Write a file and name it as a subject."""
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, path, metadata)
    digest = file_digest(path)
    lora = LoraFile(path=path, digest=digest, metadata=metadata or {}, **strengths)
    return Subject(name=path.stem, identity=digest, loras=(lora,))
