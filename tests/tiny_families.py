"""Every model family as a real diffusers pipeline with random weights, small enough to draw in a tenth of a second.

No hub: the tokenizers are made here too. `make_pipeline(name)` gives one in memory, `save_pipeline` a folder of it.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import pre_tokenizers

from evalharness.backends.torchvision_shim import ensure_torchvision

ensure_torchvision()

import diffusers  # noqa: E402 - needs torchvision first
import transformers  # noqa: E402
from tiny_pipelines import tiny_sd, tiny_sdxl  # noqa: E402

WIDTH = 16
SIZES = {"sd": 64, "sdxl": 64, "wan": 16, "flux2": 32, "flux2_klein": 32, "zimage": 32, "qwenimage": 32, "anima": 32}
"""Width and height in pixels to draw at."""

ROPE = {"rope_type": "default", "rope_theta": 1e4}
CHAT = "{% for m in messages %}<|im_start|>{{ m['content'] }}{% endfor %}"
PARTS_CHAT = "{% for m in messages %}{% for p in m['content'] %}<|im_start|>{{ p['text'] }}{% endfor %}{% endfor %}"
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
PIXTRAL_SPECIAL = ("[IMG]", "[IMG_BREAK]", "[IMG_END]")


def make_pipeline(name: str) -> Any:
    """The tiny pipeline of a family; equal weights at every call."""
    torch.manual_seed(0)
    pipe = _BUILDERS[name]()
    for component, factor in _LOUDER.get(name, {}).items():
        _amplify(getattr(pipe, component), factor)
    return pipe


def _amplify(model: Any, factor: float) -> None:
    """Scale a model's matrices and kernels: at their initial size a prompt hardly moves a pixel."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(factor)


def save_pipeline(name: str, folder: Path) -> Path:
    """Save the tiny pipeline of a family and return its folder."""
    if name in _SAVED_BY_OTHERS:
        return _SAVED_BY_OTHERS[name](folder)
    options = {"overwrite_modular_index": True} if name == "anima" else {}
    make_pipeline(name).save_pretrained(str(folder), **options)
    return folder


_SAVED_BY_OTHERS: dict[str, Callable[[Path], Path]] = {"sd": tiny_sd, "sdxl": tiny_sdxl}


def _stable_diffusion(name: str) -> Any:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        loader = diffusers.StableDiffusionPipeline if name == "sd" else diffusers.StableDiffusionXLPipeline
        options = {"safety_checker": None, "requires_safety_checker": False} if name == "sd" else {}
        return loader.from_pretrained(save_pipeline(name, Path(folder)), **options)


def _anima() -> Any:
    blocks = diffusers.AnimaAutoBlocks()
    pipe = blocks.init_pipeline()
    pipe.update_components(
        text_encoder=transformers.Qwen3Model(_qwen3_config(2)).eval(),
        tokenizer=_qwen_tokenizer(),
        t5_tokenizer=_t5_tokenizer(),
        vae=_video_vae(diffusers.AutoencoderKLQwenImage),
        text_conditioner=diffusers.AnimaTextConditioner(
            source_dim=WIDTH,
            target_dim=WIDTH,
            model_dim=WIDTH,
            num_layers=1,
            num_attention_heads=2,
            target_vocab_size=len(_t5_tokenizer()),
            min_sequence_length=64,
        ).eval(),
        transformer=diffusers.CosmosTransformer3DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=16,
            num_layers=2,
            mlp_ratio=2,
            text_embed_dim=WIDTH,
            adaln_lora_dim=4,
            max_size=(4, 32, 32),
            rope_scale=(1.0, 4.0, 4.0),
            concat_padding_mask=True,
            extra_pos_embed_type=None,
        ).eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )
    return pipe


def _flux2() -> Any:
    text = transformers.MistralConfig(
        vocab_size=len(_qwen_tokenizer(PIXTRAL_SPECIAL)),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=31,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=4,
    )
    vision = transformers.PixtralVisionConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=16
    )
    config = transformers.Mistral3Config(
        text_config=text, vision_config=vision, image_token_index=3, spatial_merge_size=1
    )
    return diffusers.Flux2Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=_flux2_vae(),
        text_encoder=transformers.Mistral3ForConditionalGeneration(config).eval(),
        tokenizer=_pixtral_processor(),
        transformer=_flux2_transformer(guidance_embeds=True),
    )


def _flux2_klein() -> Any:
    return diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=_flux2_vae(),
        text_encoder=transformers.Qwen3ForCausalLM(_qwen3_config(28, width=8)).eval(),
        tokenizer=_qwen_tokenizer(),
        transformer=_flux2_transformer(guidance_embeds=False),
    )


def _zimage() -> Any:
    transformer = diffusers.ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[4, 6, 6],
        axes_lens=[256, 32, 32],
    ).eval()
    with torch.no_grad():
        transformer.x_pad_token.normal_()
        transformer.cap_pad_token.normal_()
    return diffusers.ZImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_image_vae(),
        text_encoder=transformers.Qwen3Model(_qwen3_config(2)).eval(),
        tokenizer=_qwen_tokenizer(),
        transformer=transformer,
    )


def _qwenimage() -> Any:
    text = {
        "vocab_size": len(_qwen_tokenizer()),
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6},
    }
    text |= {"bos_token_id": None, "eos_token_id": 0}
    vision = {"depth": 1, "hidden_size": 8, "intermediate_size": 8, "num_heads": 2, "out_hidden_size": WIDTH}
    config = transformers.Qwen2_5_VLConfig(text_config=text, vision_config=vision)
    return diffusers.QwenImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.02),
        vae=_video_vae(diffusers.AutoencoderKLQwenImage),
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(config).eval(),
        tokenizer=_qwen_tokenizer(),
        transformer=diffusers.QwenImageTransformer2DModel(
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            axes_dims_rope=(8, 4, 4),
        ).eval(),
    )


def _wan() -> Any:
    config = transformers.UMT5Config(
        vocab_size=len(_t5_tokenizer()), d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1, num_heads=2
    )
    return diffusers.WanPipeline(
        tokenizer=_t5_tokenizer(),
        text_encoder=transformers.UMT5EncoderModel(config).eval(),
        vae=_video_vae(diffusers.AutoencoderKLWan),
        scheduler=diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=_wan_transformer(),
        transformer_2=_wan_transformer(),
        boundary_ratio=0.875,
    )


def _wan_transformer() -> Any:
    return diffusers.WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=WIDTH,
        freq_dim=16,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
    ).eval()


def _flux2_transformer(*, guidance_embeds: bool) -> Any:
    return diffusers.Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=24,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=guidance_embeds,
    ).eval()


def _image_vae() -> Any:
    return diffusers.AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        layers_per_block=1,
        latent_channels=4,
        scaling_factor=0.4,
        shift_factor=0.1,
    ).eval()


def _flux2_vae() -> Any:
    return diffusers.AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        layers_per_block=1,
        latent_channels=4,
    ).eval()


def _video_vae(kind: Any) -> Any:
    return kind(
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    ).eval()


def _qwen3_config(layers: int, *, width: int = WIDTH) -> Any:
    return transformers.Qwen3Config(
        vocab_size=len(_qwen_tokenizer()),
        hidden_size=width,
        intermediate_size=width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=width // 2,
        rope_parameters=ROPE,
    )


def _byte_vocabulary(special: tuple[str, ...]) -> dict[str, int]:
    """Special tokens, then the 256 letters that byte-level tokenizers write bytes with."""
    return {token: index for index, token in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}


def _qwen_tokenizer(more: tuple[str, ...] = ()) -> Any:
    special = (*SPECIAL, *more)
    tokenizer = transformers.Qwen2Tokenizer(
        vocab=_byte_vocabulary(special), merges=[], extra_special_tokens=[*special[1:]], model_max_length=2048
    )
    tokenizer.chat_template = CHAT
    return tokenizer


def _pixtral_processor() -> Any:
    tokenizer = _qwen_tokenizer(PIXTRAL_SPECIAL)
    tokenizer.chat_template = PARTS_CHAT
    image_processor = transformers.PixtralImageProcessor(
        size={"longest_edge": 32}, patch_size={"height": 16, "width": 16}
    )
    return transformers.PixtralProcessor(
        image_processor=image_processor, tokenizer=tokenizer, patch_size=16, chat_template=PARTS_CHAT
    )


def _t5_tokenizer() -> Any:
    letters = [(letter, -1.0) for letter in "▁abcdefghijklmnopqrstuvwxyz0123456789,."]
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), *letters]
    return transformers.T5TokenizerFast(vocab=vocabulary, extra_ids=0, model_max_length=512)


_BUILDERS: dict[str, Callable[[], Any]] = {
    "sd": functools.partial(_stable_diffusion, "sd"),
    "sdxl": functools.partial(_stable_diffusion, "sdxl"),
    "anima": _anima,
    "flux2": _flux2,
    "flux2_klein": _flux2_klein,
    "zimage": _zimage,
    "qwenimage": _qwenimage,
    "wan": _wan,
}
_LOUDER: dict[str, dict[str, float]] = {
    "anima": {"text_encoder": 20.0, "transformer": 2.0, "vae": 2.0},
    "flux2": {"text_encoder": 20.0, "transformer": 2.0},
    "flux2_klein": {"text_encoder": 20.0, "transformer": 2.0},
    "qwenimage": {"text_encoder": 20.0, "transformer": 2.0, "vae": 2.0},
    "wan": {"text_encoder": 2.0, "transformer": 2.0, "transformer_2": 2.0, "vae": 2.0},
}
FAMILIES = tuple(_BUILDERS)
