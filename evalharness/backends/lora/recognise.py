"""Which family a LoRA file was trained for, by its keys and shapes alone, before anything is loaded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """What only one kind of file has: keys of a `pattern`, with dots flattened to underscores.

    `families` are those it may be for, none for models that are not among ours. `width` is the number of inputs of
    the layers that match, where names alone do not tell; 0 = any.
    """

    kind: str
    families: tuple[str, ...]
    pattern: str
    width: int = 0


_TO_TEXT = r"attn2_to_[kv]"

SIGNS: tuple[Sign, ...] = (
    Sign(kind="SDXL", families=("sdxl",), pattern=r"^(lora_te2_|text_encoder_2_|text_encoders_clip_g_)"),
    Sign(kind="SDXL", families=("sdxl",), pattern=r"_blocks_\d+_.*transformer_blocks_\d+_" + _TO_TEXT, width=2048),
    Sign(kind="SD 1.5", families=("sd",), pattern=r"_blocks?_.*transformer_blocks_\d+_" + _TO_TEXT, width=768),
    Sign(kind="SD 2", families=("sd",), pattern=r"_blocks?_.*transformer_blocks_\d+_" + _TO_TEXT, width=1024),
    Sign(
        kind="SD or SDXL",
        families=("sd", "sdxl"),
        pattern=r"(^|_)(down_blocks|up_blocks|input_blocks|output_blocks|mid_block|middle_block)_",
    ),
    Sign(
        kind="Z-Image",
        families=("zimage",),
        pattern=r"(^|_)(noise_refiner|context_refiner)_|(^|_)layers_\d+_(attention_(qkv|to_)|feed_forward_w)",
    ),
    Sign(
        kind="Anima",
        families=("anima",),
        pattern=r"(^|_)llm_adapter_|(^|_)blocks_\d+_(((self|cross)_attn_(q|k|v|output)_proj)|adaln_modulation_)",
    ),
    Sign(
        kind="Wan",
        families=("wan",),
        pattern=r"(^|_)blocks_\d+_((self|cross)_attn_(q|k|v|o|k_img|v_img)_(lora|hada|lokr|diff|alpha|dora)"
        r"|ffn_[02]_|ffn_net_)",
    ),
    Sign(
        kind="Qwen-Image",
        families=("qwenimage",),
        pattern=r"(^|_)transformer_blocks_\d+_((img|txt)_mlp_net_|(img|txt)_mod_1)",
    ),
    Sign(
        kind="FLUX.1",
        families=(),
        pattern=r"(double|single)_blocks_\d+_((img|txt)_mod_lin|modulation_lin)|single_transformer_blocks_\d+_proj_mlp",
    ),
    Sign(
        kind="FLUX.2",
        families=("flux2", "flux2_klein"),
        pattern=r"_attn_to_qkv_mlp_proj|transformer_blocks_\d+_ff(_context)?_linear_(in|out)",
    ),
    Sign(
        kind="FLUX",
        families=("flux2", "flux2_klein"),
        pattern=r"(^|_)(double_blocks_\d+_(img|txt)_(attn|mlp)|single_blocks_\d+_linear)",
    ),
)


def recognise(shapes: Shapes) -> Sign | None:
    """The first sign that a file shows; None for one that could be several families' or is nobody's we know."""
    flat = {key.replace(".", "_"): shape for key, shape in shapes.items()}
    for sign in SIGNS:
        pattern = re.compile(sign.pattern)
        if any(pattern.search(key) and _fits(key, shape, sign.width) for key, shape in flat.items()):
            return sign
    return None


def _fits(key: str, shape: Sequence[int], width: int) -> bool:
    """Whether a tensor reads that many inputs; only the factor next to the input tells."""
    reads = "lora_down" in key or "lora_A" in key or "_down_weight" in key or key.endswith(("w1_b", "diff"))
    return not width or (reads and len(shape) > 1 and shape[1] == width)
