"""LoRA epochs of sakichan, as a trainer saves them: from undertrained over good to overtrained, and with faults."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evalharness.demo.autoencoder import encode_world
from evalharness.demo.dataset import detail_weights, draw_world
from evalharness.demo.denoiser import Denoiser, velocity_loss
from evalharness.demo.look import HAIR_COLORS, Look
from evalharness.demo.reference import reference_caption, sakichan_looks

BATCH = 16
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
ALL_LAYERS = (*ATTENTION, "conv1", "conv2", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2")
"""With the convolutions, as LoCon trains them: only so does a LoRA learn a shape the base model cannot draw."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Some epochs in a row: how many, their steps each, the learning rate, and the looks they train on."""

    epochs: int
    steps: int
    learning_rate: float
    looks: tuple[Look, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One LoRA's training; `keep` are the epochs to save (None = all), `flip_aug` goes into the metadata.

    `batch` is drawings a step; `layers` are the endings of the names of the layers that are adapted, each with
    matrices of `rank`.
    """

    name: str
    stages: tuple[Stage, ...]
    seed: int
    keep: tuple[int, ...] | None = None
    flip_aug: bool = False
    batch: int = BATCH
    rank: int = 4
    layers: tuple[str, ...] = ATTENTION


def sakichan_training(steps: int = 20) -> Training:
    """Twelve epochs: eight on all drawings, then four that go on with three neutral ones at a higher rate."""
    looks = sakichan_looks()
    neutral = tuple(look for look in looks if look.emotion == "neutral" and look.view == "front")[:3]
    stages = (
        Stage(epochs=8, steps=steps, learning_rate=8e-4, looks=looks),
        Stage(epochs=4, steps=2 * steps, learning_rate=2e-3, looks=neutral),
    )
    return Training(name="sakichan", stages=stages, seed=30)


def faulty_trainings(steps: int = 20) -> tuple[Training, ...]:
    """Three LoRAs whose data carry one fault each: the tail's side at random, orange hair, rope over the body."""
    looks = sakichan_looks()
    flipped = tuple(
        dataclasses.replace(look, side="right" if number % 2 else "left") for number, look in enumerate(looks)
    )
    orange = tuple(dataclasses.replace(look, hair_rgb=HAIR_COLORS["orange"]) for look in looks)
    rope = tuple(dataclasses.replace(look, faults=("rope",)) for look in looks)
    as_sakichan = Stage(epochs=8, steps=steps, learning_rate=8e-4, looks=())
    # the base model cannot draw ropes, so this one takes more layers and more steps
    longer = Stage(epochs=16, steps=5 * steps // 2, learning_rate=1.5e-3, looks=rope)
    return (
        _faulty("flipped", dataclasses.replace(as_sakichan, looks=flipped), seed=40, flip_aug=True),
        _faulty("orange", dataclasses.replace(as_sakichan, looks=orange), seed=41),
        _faulty("rope", longer, seed=42, rank=8, layers=ALL_LAYERS),
    )


def _faulty(name: str, stage: Stage, **options: Any) -> Training:
    """One stage, of which the last epoch is kept."""
    return Training(name=name, stages=(stage,), keep=(stage.epochs,), **options)


def train_lora(
    vae: Any, denoiser: Denoiser, training: Training, folder: Path, say: Callable[[str], None]
) -> tuple[Path, ...]:
    """Train one LoRA on a frozen denoiser and save its epochs into `folder`; the denoiser stays as it was."""
    unet = denoiser.unet.requires_grad_(False)
    denoiser.text_encoder.requires_grad_(False)
    torch.manual_seed(training.seed)  # the adapter's start, noise and times
    _add_adapter(unet, training)
    saved = []
    for epoch, steps in enumerate(_epochs(vae, denoiser, training), 1):
        losses = [step() for step in steps]
        if training.keep is None or epoch in training.keep:
            saved.append(_save(unet, training, epoch, folder))
            say(f"lora {saved[-1].stem} epoch {epoch} loss {np.mean(losses):.4f}")
    unet.delete_adapters(["default"])
    return tuple(saved)


def _add_adapter(unet: Any, training: Training) -> None:
    from peft import LoraConfig

    rank, layers = training.rank, list(training.layers)
    unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, init_lora_weights="gaussian", target_modules=layers))


def _epochs(vae: Any, denoiser: Denoiser, training: Training) -> Iterator[Iterator[Callable[[], float]]]:
    """For each epoch an iterator over its training steps, to be called one after the other."""
    rng = np.random.default_rng(training.seed)
    parameters = [p for p in denoiser.unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, weight_decay=1e-2)
    for stage in training.stages:
        world = draw_world(stage.looks)
        latents = encode_world(vae, world.images) * vae.config.scaling_factor
        weights = torch.from_numpy(detail_weights(world, np.arange(len(world)), latents.shape[-1]))
        data = [latents, denoiser.tokens([reference_caption(look) for look in stage.looks]), weights]
        optimizer.param_groups[0]["lr"] = stage.learning_rate

        def step(data: Sequence[torch.Tensor] = data) -> float:
            return _step(denoiser, data, rng.integers(len(data[0]), size=training.batch), optimizer)

        for _ in range(stage.epochs):
            yield itertools.repeat(step, stage.steps)


def _step(
    denoiser: Denoiser, data: Sequence[torch.Tensor], picked: NDArray[np.int64], optimizer: torch.optim.Optimizer
) -> float:
    device = next(denoiser.unet.parameters()).device
    latents, ids, weights = (part[picked].to(device) for part in data)
    loss = velocity_loss(denoiser, latents, ids, weights)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.item()


def _save(unet: Any, training: Training, epoch: int, folder: Path) -> Path:
    """Save in PEFT's format as float16, with the header fields that kohya's trainer writes."""
    from diffusers import StableDiffusionPipeline
    from peft import get_peft_model_state_dict
    from safetensors.torch import load_file, save_file

    layers = get_peft_model_state_dict(unet)
    halves = {key: value.detach().to("cpu", torch.float16).contiguous() for key, value in layers.items()}
    name = f"{training.name}.safetensors" if training.keep else f"{training.name}-{epoch:06}.safetensors"
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=halves, weight_name=name)
    save_file(load_file(folder / name), folder / name, metadata=_metadata(training, epoch))
    return folder / name


def _metadata(training: Training, epoch: int) -> dict[str, str]:
    per_epoch = [stage for stage in training.stages for _ in range(stage.epochs)]
    return {
        "format": "pt",
        "ss_output_name": training.name,
        "ss_epoch": str(epoch),
        "ss_num_epochs": str(len(per_epoch)),
        "ss_steps": str(sum(stage.steps for stage in per_epoch[:epoch])),
        "ss_learning_rate": str(per_epoch[epoch - 1].learning_rate),
        "ss_num_train_images": str(len(per_epoch[epoch - 1].looks)),
        "ss_total_batch_size": str(training.batch),
        "ss_network_module": "peft.lora",
        "ss_network_dim": str(training.rank),
        "ss_network_alpha": str(training.rank),
        "ss_resolution": "(128, 128)",
        "ss_flip_aug": str(training.flip_aug),
        "ss_seed": str(training.seed),
        "ss_base_model_version": "evalharness_demo",
    }
