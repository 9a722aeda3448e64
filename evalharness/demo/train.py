"""Make the demo's checkpoint, reference set and LoRAs again from nothing: `python -m evalharness.demo.train`.

drawings -> autoencoder -> text encoder and U-Net -> checkpoint -> reference set -> LoRA epochs
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.demo.assemble import save_pipeline
from evalharness.demo.autoencoder import build_autoencoder, encode_world, set_scale, train_autoencoder
from evalharness.demo.dataset import draw_world, sample_looks, sample_world_look
from evalharness.demo.denoiser import Denoiser, build_scheduler, build_text_encoder, build_unet, train_denoiser
from evalharness.demo.lora import BATCH, faulty_trainings, sakichan_training, train_lora
from evalharness.demo.recipe import Recipe
from evalharness.demo.reference import sakichan_looks, write_reference
from evalharness.demo.vocabulary import build_tokenizer

DATA = Path(__file__).parent / "data"
Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of everything: drawings for each part, and the recipes."""

    autoencoder_drawings: int
    denoiser_drawings: int
    autoencoder: Recipe
    denoiser: Recipe
    lora_steps: int
    lora_batch: int
    workers: int = 2


FULL = Sizes(
    autoencoder_drawings=10_000,
    denoiser_drawings=14_000,
    autoencoder=Recipe(steps=8_000, batch=8, learning_rate=2e-3, seed=2),
    denoiser=Recipe(steps=12_000, batch=32, learning_rate=1e-3, seed=4),
    lora_steps=20,
    lora_batch=BATCH,
)
QUICK = Sizes(
    autoencoder_drawings=8,
    denoiser_drawings=8,
    autoencoder=Recipe(steps=2, batch=2, learning_rate=1e-3, seed=2),
    denoiser=Recipe(steps=2, batch=2, learning_rate=1e-3, seed=4),
    lora_steps=1,
    lora_batch=2,
    workers=1,
)


def train(folder: Path, sizes: Sizes, say: Say, device: str = "cpu") -> None:
    """Everything in `folder` (evalharness/demo/data has the same layout): checkpoint/, sakichan/, loras/."""
    ensure_torchvision()
    vae = make_autoencoder(sizes, say, device)
    denoiser = make_denoiser(vae, sizes, say, device)
    save_pipeline(vae, denoiser, folder / "checkpoint")
    write_reference(folder / "sakichan", sakichan_looks())
    for training in (sakichan_training(sizes.lora_steps), *faulty_trainings(sizes.lora_steps)):
        sized = dataclasses.replace(training, batch=sizes.lora_batch)
        train_lora(vae, denoiser, sized, folder / "loras", say)


def make_autoencoder(sizes: Sizes, say: Say, device: str) -> Any:
    """A trained autoencoder on the device, with its scale recorded."""
    world = draw_world(sample_looks(sizes.autoencoder_drawings, 1, sample_world_look), sizes.workers)
    say(f"drew {len(world)} drawings for the autoencoder")
    torch.manual_seed(sizes.autoencoder.seed)
    vae = build_autoencoder().to(device).train()
    train_autoencoder(vae, world, sizes.autoencoder, say)
    vae.eval()
    set_scale(vae, encode_world(vae, world.images[:512]))
    return vae


def make_denoiser(vae: Any, sizes: Sizes, say: Say, device: str) -> Denoiser:
    """A trained text encoder and U-Net on the device."""
    world = draw_world(sample_looks(sizes.denoiser_drawings, 11, sample_world_look), sizes.workers)
    latents = encode_world(vae, world.images) * vae.config.scaling_factor
    say(f"drew and encoded {len(world)} drawings for the U-Net")
    torch.manual_seed(sizes.denoiser.seed)
    tokenizer = build_tokenizer()
    denoiser = Denoiser(
        tokenizer=tokenizer,
        text_encoder=build_text_encoder(tokenizer).to(device),
        unet=build_unet().to(device),
        scheduler=build_scheduler(),
    )
    train_denoiser(denoiser, world, latents, sizes.denoiser, say)
    return denoiser


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=DATA, help="where checkpoint/, sakichan/ and loras/ go")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--quick", action="store_true", help="a few steps of everything, to see that it runs")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    train(
        options.folder,
        QUICK if options.quick else FULL,
        lambda text: print(f"{time.monotonic() - start:7.0f} s  {text}", file=sys.stderr, flush=True),  # noqa: T201
        options.device,
    )


if __name__ == "__main__":
    main()
