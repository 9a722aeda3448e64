"""The mean of a net's weights before and after more training (Wortsman et al. 2022, Robust fine-tuning)."""

import torch
from torch import nn


def blend(net: nn.Module, before: nn.Module, share: float) -> None:
    """Move a net's weights, in place, to where `share` of the way from those before has been gone."""
    old = before.state_dict()
    mixed = {name: torch.lerp(old[name].float(), value.float(), share) for name, value in net.state_dict().items()}
    net.load_state_dict(mixed)
