"""The network that tells animal ears from all else that stands out on a head, from a view of its crown."""

import torch
from torch import nn

from evalharness.perception.net_layer import layer


class EarNet(nn.Module):
    """Views (float, N x 4 x 36 x 48, see ears.crown_view) to the logit of animal ears (N)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            layer(4, 16),
            layer(16, 24),
            layer(24, 32),
            # places are kept: what stands out in the middle is no ear
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(32 * 5 * 6, 32),
            nn.ReLU(),
            nn.Linear(32, 1),
        )

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """The logits."""
        answers: torch.Tensor = self.layers(views).float()
        return answers[:, 0]
