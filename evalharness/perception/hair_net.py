"""The network that tells from one small crop how hair is worn and on which side it hangs.

It is asked for a hair tie as well, which it did not learn: that answer is not used.
"""

import torch
from torch import nn

from evalharness.perception.hair_crop import SIDE
from evalharness.perception.net_layer import layer

STYLES = ("down", "twin_tails", "ponytail", "side_ponytail")
SIDES = ("left", "right", "none")


class HairNet(nn.Module):
    """Crops (float, N x 4 x 64 x 64, 0..1) to logits: hairstyles (N x 4), sides (N x 3), a visible hair tie (N)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            layer(4, 16, kernel=5),
            layer(16, 32),
            layer(32, 48),
            layer(48, 64),
            nn.Conv2d(64, 32, 1),
            nn.ReLU(),
            # positions are kept: sides must not be averaged away
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(32 * (SIDE // 16) ** 2, 96),
            nn.ReLU(),
            nn.Linear(96, len(STYLES) + len(SIDES) + 1),
        )

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The logits of hairstyles, sides and the tie."""
        answers: torch.Tensor = self.layers(2.0 * crops - 1.0).float()
        return answers[:, : len(STYLES)], answers[:, len(STYLES) : -1], answers[:, -1]
