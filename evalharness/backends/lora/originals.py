"""What each family's layers are called where the model was first published, which is how many trainers name them.

A row is (how diffusers calls it, how the original does), applied in order to a whole path. Sources: the published
code of Stable Diffusion XL (generative-models), Cosmos-Predict2, Wan2.2, FLUX.2 and Z-Image.
"""

from collections.abc import Iterator, Mapping

Renames = tuple[tuple[str, str], ...]

RENAMES: Mapping[str, Renames] = {
    "anima": (
        ("transformer_blocks.", "blocks."),
        ("norm1.linear_", "adaln_modulation_self_attn."),
        ("norm2.linear_", "adaln_modulation_cross_attn."),
        ("norm3.linear_", "adaln_modulation_mlp."),
        ("attn1.", "self_attn."),
        ("attn2.", "cross_attn."),
        ("to_q", "q_proj"),
        ("to_k", "k_proj"),
        ("to_v", "v_proj"),
        ("to_out.0", "output_proj"),
        ("norm_q", "q_norm"),
        ("norm_k", "k_norm"),
        ("ff.net.0.proj", "mlp.layer1"),
        ("ff.net.2", "mlp.layer2"),
        ("norm_out.linear_", "final_layer.adaln_modulation."),
        ("proj_out", "final_layer.linear"),
        ("time_embed.t_embedder", "t_embedder.1"),
        ("patch_embed.proj", "x_embedder.proj.1"),
    ),
    "wan": (
        ("attn1.", "self_attn."),
        ("attn2.", "cross_attn."),
        ("norm2", "norm3"),
        ("to_q", "q"),
        ("to_k", "k"),
        ("to_v", "v"),
        ("to_out.0", "o"),
        ("add_k_proj", "k_img"),
        ("add_v_proj", "v_img"),
        ("ffn.net.0.proj", "ffn.0"),
        ("ffn.net.2", "ffn.2"),
        ("condition_embedder.time_embedder.linear_1", "time_embedding.0"),
        ("condition_embedder.time_embedder.linear_2", "time_embedding.2"),
        ("condition_embedder.text_embedder.linear_1", "text_embedding.0"),
        ("condition_embedder.text_embedder.linear_2", "text_embedding.2"),
        ("condition_embedder.time_proj", "time_projection.1"),
        ("condition_embedder.image_embedder.ff.net.0.proj", "img_emb.proj.1"),
        ("condition_embedder.image_embedder.ff.net.2", "img_emb.proj.3"),
        ("proj_out", "head.head"),
    ),
    "flux2": (
        ("single_transformer_blocks.", "single_blocks."),
        ("transformer_blocks.", "double_blocks."),
        ("attn.to_qkv_mlp_proj", "linear1"),
        ("attn.to_out.0", "img_attn.proj"),
        ("attn.to_out", "linear2"),
        ("attn.to_add_out", "txt_attn.proj"),
        ("ff.linear_in", "img_mlp.0"),
        ("ff.linear_out", "img_mlp.2"),
        ("ff_context.linear_in", "txt_mlp.0"),
        ("ff_context.linear_out", "txt_mlp.2"),
        ("x_embedder", "img_in"),
        ("context_embedder", "txt_in"),
        ("time_guidance_embed.timestep_embedder.linear_1", "time_in.in_layer"),
        ("time_guidance_embed.timestep_embedder.linear_2", "time_in.out_layer"),
        ("time_guidance_embed.guidance_embedder.linear_1", "guidance_in.in_layer"),
        ("time_guidance_embed.guidance_embedder.linear_2", "guidance_in.out_layer"),
        ("_modulation_img.linear", "_modulation_img.lin"),
        ("_modulation_txt.linear", "_modulation_txt.lin"),
        ("_stream_modulation.linear", "_stream_modulation.lin"),
        ("proj_out", "final_layer.linear"),
    ),
    "zimage": (
        ("attention.to_out.0", "attention.out"),
        ("attention.norm_q", "attention.q_norm"),
        ("attention.norm_k", "attention.k_norm"),
        ("all_final_layer.2-1.", "final_layer."),
        ("all_x_embedder.2-1", "x_embedder"),
    ),
}

FUSED: Mapping[str, tuple[tuple[tuple[str, str, str], str], ...]] = {
    "flux2": (
        (("attn.to_q", "attn.to_k", "attn.to_v"), "img_attn.qkv"),
        (("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"), "txt_attn.qkv"),
    ),
    "zimage": ((("attention.to_q", "attention.to_k", "attention.to_v"), "attention.qkv"),),
}
"""Three projections here are one in the original, their outputs one after the other."""

SWAPPED: Mapping[str, Mapping[str, str]] = {"flux2": {"norm_out.linear": "final_layer.adaLN_modulation.1"}}
"""Layers whose two halves of outputs (shift, scale) stand the other way round in the original."""

SAME_AS: Mapping[str, str] = {"flux2_klein": "flux2"}

TEXT_ROOTS = ("text_model.", "model.language_model.", "language_model.", "model.")
"""What transformers puts before a text encoder's layers, or does not, from version to version."""


def original(family: str, path: str) -> str:
    """A layer's name in the family's original code."""
    for ours, theirs in RENAMES.get(SAME_AS.get(family, family), ()):
        path = path.replace(ours, theirs)
    return path


def text_names(path: str) -> Iterator[str]:
    """A text encoder's layer with and without the roots that versions differ in."""
    bare = next((path.removeprefix(root) for root in TEXT_ROOTS if path.startswith(root)), path)
    yield from (path, bare, *(f"{root}{bare}" for root in TEXT_ROOTS))


_RESNET: Renames = (
    ("norm1", "in_layers.0"),
    ("norm2", "out_layers.0"),
    ("conv1", "in_layers.2"),
    ("conv2", "out_layers.3"),
    ("time_emb_proj", "emb_layers.1"),
    ("conv_shortcut", "skip_connection"),
)
_UNET_ENDS: Mapping[str, str] = {
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}


def unet_original(path: str, layers: int, attends: tuple[bool, ...]) -> str:
    """A UNet layer's name in Stability's code, which numbers blocks through; kohya trains SDXL under these names.

    `layers` is the UNet's layers_per_block; `attends` says of each up block whether it has attention.
    """
    if path in _UNET_ENDS:
        return _UNET_ENDS[path]
    for kind, position in ((".resnets.", 0), (".attentions.", 1)):
        place, _, rest = path.partition(kind)
        if rest:
            index, _, name = rest.partition(".")
            name = dict(_RESNET).get(name, name)
            if place == "mid_block":
                return f"middle_block.{1 if position else 2 * int(index)}.{name}"
            return f"{_block(place, int(index), layers)}.{position}.{name}"
    return _resampler(path, layers, attends)


def _block(place: str, index: int, layers: int) -> str:
    """Down blocks have `layers` layers and a downsampler each, up blocks one layer more and the upsampler inside."""
    side, _, number = place.partition(".")
    at = int(number) * (layers + 1) + index
    return f"input_blocks.{at + 1}" if side == "down_blocks" else f"output_blocks.{at}"


def _resampler(path: str, layers: int, attends: tuple[bool, ...]) -> str:
    place, _, kind = path.partition(".downsamplers.0.")
    if kind:
        return f"{_block(place, layers, layers)}.0.op"
    place, _, kind = path.partition(".upsamplers.0.")
    if kind:
        position = 2 if attends[int(place.partition(".")[2])] else 1
        return f"{_block(place, layers, layers)}.{position}.conv"
    return path
