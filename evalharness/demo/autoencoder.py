"""The picture's alphabet: an autoencoder from 128 px drawings to 16 x 16 latents of 8 channels, and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.demo.dataset import World, detail_weights
from evalharness.demo.recipe import Recipe, Schedule

LATENT_CHANNELS = 8
KL_WEIGHT = 1e-5


def build_autoencoder(channels: tuple[int, ...] = (16, 32, 64, 64)) -> Any:
    """An untrained AutoencoderKL with a factor of 8 a side; 0.95 M parameters with the default channels."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=channels,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=128,
        mid_block_add_attention=False,
        force_upcast=False,
    )


def open_autoencoder(checkpoint: Path) -> Any:
    """The autoencoder of a saved checkpoint in float32, ready to be looked through."""
    ensure_torchvision()
    from diffusers import AutoencoderKL

    return AutoencoderKL.from_pretrained(checkpoint, subfolder="vae").float().eval()


def to_tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    """Images (uint8, N x H x W x 3) as float32 N x 3 x H x W in -1 to 1."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1


def _gradient(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return images[..., 1:] - images[..., :-1], images[..., 1:, :] - images[..., :-1, :]


def picture_loss(made: torch.Tensor, wanted: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """L1 + 3 L2 (weighted by N x 1 x H x W), edges, and 4x4 averages.

    Without the averages small and background colours are lost.
    """
    difference = made - wanted
    loss = (weights * (difference.abs() + 3 * difference.square())).mean() / weights.mean()
    for one, other in zip(_gradient(made), _gradient(wanted), strict=True):
        loss = loss + 0.4 * (one - other).abs().mean()
    return loss + functional.avg_pool2d(difference, 4).abs().mean()


def train_autoencoder(
    model: Any, world: World, recipe: Recipe, say: Callable[[str], None], snapshot: Path | None = None
) -> None:
    """Train the model in place; every 200 steps its state goes to `snapshot`, if given."""
    device = next(model.parameters()).device
    schedule, rng = Schedule(recipe), np.random.default_rng(recipe.seed)
    torch.manual_seed(recipe.seed)  # the latent's noise
    optimizer = torch.optim.AdamW(model.parameters(), recipe.learning_rate, weight_decay=1e-4)
    for step in range(recipe.steps):
        if (progress := schedule.progress(step)) >= 1:
            break
        optimizer.param_groups[0]["lr"] = schedule.learning_rate(progress)
        picked = rng.integers(len(world), size=recipe.batch)
        images = to_tensor(world.images[picked]).to(device)
        weights = torch.from_numpy(detail_weights(world, picked, images.shape[-1])).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            latent = model.encode(images).latent_dist
            made = model.decode(latent.sample()).sample
        loss = picture_loss(made.float(), images, weights) + KL_WEIGHT * latent.kl().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 50 == 0:
            say(f"vae step {step} progress {progress:.3f} loss {loss.item():.4f} dB {decibels(made, images):.2f}")
        if snapshot is not None and step % 200 == 199:
            torch.save(model.state_dict(), snapshot)


def decibels(made: torch.Tensor, wanted: torch.Tensor) -> float:
    """Peak signal to noise ratio over a batch of images in -1 to 1."""
    error = (made.detach().float().clamp(-1, 1) - wanted).square().mean()
    return float(10 * torch.log10(4 / error))


@torch.no_grad()
def encode_world(model: Any, images: NDArray[np.uint8]) -> torch.Tensor:
    """Latent means (float32, N x 8 x 16 x 16 for 128 px), unscaled, on the CPU."""
    device = next(model.parameters()).device
    parts = [
        model.encode(to_tensor(images[start : start + 64]).to(device)).latent_dist.mean.cpu()
        for start in range(0, len(images), 64)
    ]
    return torch.cat(parts)


@torch.no_grad()
def reconstruct(model: Any, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The images (uint8, N x H x W x 3) after going through the autoencoder."""
    device = next(model.parameters()).device
    latents = encode_world(model, images)
    made = [model.decode(part.to(device)).sample.float().cpu() for part in latents.split(64)]
    return as_images(torch.cat(made))


def as_images(tensor: torch.Tensor) -> NDArray[np.uint8]:
    """Float N x 3 x H x W in -1 to 1 as uint8 N x H x W x 3."""
    array: NDArray[np.uint8] = ((tensor.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return array


def set_scale(model: Any, latents: torch.Tensor) -> None:
    """Record the factor that brings the latents to unit variance."""
    model.register_to_config(scaling_factor=float(1 / latents.std()))
