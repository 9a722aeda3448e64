"""Real Stable Diffusion pipelines with random weights, so small that one builds in a tenth of a second; no hub.

Also LoRA files for them in the formats trainers write. Every weight comes from a seeded generator.
"""

import string
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file

from evalharness.backends.torchvision_shim import ensure_torchvision

ensure_torchvision()

from diffusers import (  # noqa: E402 - needs torchvision first
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (  # noqa: E402
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from evalharness.digest import file_digest  # noqa: E402
from evalharness.types import BASELINE, Cell, LoraFile, Prompt, Setting, Subject  # noqa: E402

WIDTH = 16
SIZE = 64
PROJECTIONS = ("to_q", "to_k", "to_v", "to_out.0", "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")
Format = Literal["diffusers", "peft", "kohya"]
PREFIXES = {"unet": "lora_unet_", "text_encoder": "lora_te_"}
FACTORS: dict[str, tuple[str, str]] = {
    "diffusers": ("lora.down", "lora.up"),
    "peft": ("lora_A", "lora_B"),
    "kohya": ("lora_down", "lora_up"),
}


def tiny_sd(folder: Path) -> Path:
    """Save a StableDiffusionPipeline for 64 px (about 40 thousand parameters) and return its folder."""
    torch.manual_seed(0)
    pipe = StableDiffusionPipeline(
        vae=_vae(),
        unet=_unet(),
        text_encoder=CLIPTextModel(_text_config()).eval(),
        tokenizer=_tokenizer(),
        scheduler=_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder)
    return folder


def tiny_sdxl(folder: Path) -> Path:
    """Save a StableDiffusionXLPipeline for 64 px and return its folder."""
    torch.manual_seed(1)
    pipe = StableDiffusionXLPipeline(
        vae=_vae(),
        unet=_unet(
            cross_attention_dim=2 * WIDTH,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=8 * 6 + WIDTH,
        ),
        text_encoder=CLIPTextModel(_text_config()).eval(),
        text_encoder_2=CLIPTextModelWithProjection(_text_config()).eval(),
        tokenizer=_tokenizer(),
        tokenizer_2=_tokenizer(),
        scheduler=_scheduler(),
    )
    pipe.save_pretrained(folder)
    return folder


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        layers_per_block=1,
        latent_channels=4,
        sample_size=SIZE,
    ).eval()


def _unet(**kwargs: Any) -> UNet2DConditionModel:
    settings = {"cross_attention_dim": WIDTH, **kwargs}
    return UNet2DConditionModel(
        sample_size=SIZE // 8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **settings,
    ).eval()


def _text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(_vocabulary()),
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=32,
        projection_dim=WIDTH,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )


def _vocabulary() -> dict[str, int]:
    letters = string.ascii_lowercase + string.digits + ",."
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    return {token: index for index, token in enumerate(tokens)}


def _tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer(vocab=_vocabulary(), merges=[], model_max_length=32)


def _scheduler() -> DDIMScheduler:
    return DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False, steps_offset=1, set_alpha_to_one=False)


def lora_tensors(
    model: Path,
    form: Format = "peft",
    *,
    components: tuple[str, ...] = ("unet",),
    rank: int = 4,
    alpha: float | None = None,
) -> dict[str, torch.Tensor]:
    """Random LoRA factors for every attention projection of the components, named as the trainers' formats do."""
    generator = torch.Generator("cpu").manual_seed(7)
    tensors: dict[str, torch.Tensor] = {}
    for component in components:
        for name, (outputs, inputs) in _projections(model, component):
            stem = PREFIXES[component] + name.replace(".", "_") if form == "kohya" else f"{component}.{name}"
            down, up = FACTORS[form]
            tensors[f"{stem}.{down}.weight"] = torch.randn(rank, inputs, generator=generator) * 0.3
            tensors[f"{stem}.{up}.weight"] = torch.randn(outputs, rank, generator=generator) * 0.3
            if alpha is not None:
                tensors[f"{stem}.alpha"] = torch.tensor(alpha)
    return tensors


def _projections(model: Path, component: str) -> list[tuple[str, tuple[int, int]]]:
    endings = tuple(f"{name}.weight" for name in PROJECTIONS)
    loader = UNet2DConditionModel if component == "unet" else CLIPTextModel
    state = loader.from_pretrained(model / component).state_dict()
    wanted = {name: tuple(weight.shape) for name, weight in state.items() if name.endswith(endings)}
    if component != "unet":
        wanted = {f"text_model.{name.removeprefix('text_model.')}": shape for name, shape in wanted.items()}
    return [(name.removesuffix(".weight"), shape) for name, shape in wanted.items()]


def lora_subject(path: Path, tensors: dict[str, torch.Tensor]) -> Subject:
    """Write the tensors to `path` and name them as a subject."""
    save_file(tensors, path)
    return subject_of(path)


def subject_of(path: Path) -> Subject:
    digest = file_digest(path)
    return Subject(name=path.stem, identity=digest, loras=(LoraFile(path=path, digest=digest),))


def base_subject() -> Subject:
    return Subject(name=BASELINE, identity=BASELINE)


def cell(text: str = "a girl, happy", seed: int = 1, strength: float = 0.0, **setting: Any) -> Cell:
    """A cell of 64 px and 2 steps; its keys are not used by makers."""
    values = {"steps": 2, "width": SIZE, "height": SIZE, **setting}
    prompt = Prompt(id=text, text=text)
    return Cell(
        key=f"{text}{seed}{strength}",
        pair_key=f"{text}{seed}",
        subject=BASELINE,
        strength=strength,
        prompt=prompt,
        setting=Setting(**values),
        seed=seed,
    )
