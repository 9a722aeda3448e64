"""A net's weights in training: read to go on from, averaged with those before, and kept in half precision."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn


def go_on_from(net: nn.Module, file: Path) -> None:
    """Give a net, in place, the weights of a file; what the file does not have stays as it is."""
    net.load_state_dict({name: value.float() for name, value in load_file(file).items()}, strict=False)


def keep(net: nn.Module, file: Path) -> None:
    """Write a net's weights in half precision; folders that are missing are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    state = {name: value.half().contiguous() for name, value in net.state_dict().items() if value.is_floating_point()}
    save_file(state, file)


def blend(net: nn.Module, before: nn.Module, share: float) -> None:
    """Move a net's weights, in place, to where `share` of the way from those before has been gone.

    Wortsman et al. 2022, Robust fine-tuning of zero-shot models.
    """
    old = before.state_dict()
    mixed = {name: torch.lerp(old[name].float(), value.float(), share) for name, value in net.state_dict().items()}
    net.load_state_dict(mixed)
