"""The parts as one StableDiffusionPipeline, saved as any user's checkpoint is."""

import copy
from pathlib import Path
from typing import Any

import torch

from evalharness.demo.denoiser import Denoiser


def assemble(vae: Any, denoiser: Denoiser) -> Any:
    """The pipeline; it shares its parts with the arguments."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=denoiser.text_encoder,
        tokenizer=denoiser.tokenizer,
        unet=denoiser.unet,
        scheduler=denoiser.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save_pipeline(vae: Any, denoiser: Denoiser, folder: Path) -> None:
    """Save as float16 safetensors with save_pretrained; the parts stay as they are."""
    halves = {"text_encoder": denoiser.text_encoder, "unet": denoiser.unet}
    copies = {name: copy.deepcopy(part).to("cpu", torch.float16).eval() for name, part in halves.items()}
    held = Denoiser(tokenizer=denoiser.tokenizer, scheduler=denoiser.scheduler, **copies)
    assemble(copy.deepcopy(vae).to("cpu", torch.float16).eval(), held).save_pretrained(folder)
