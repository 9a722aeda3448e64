"""The network that tells animal ears from all else that stands out on a head, from a view of its crown."""

import torch
from torch import nn


class EarNet(nn.Module):
    """Views (float, N x 4 x 36 x 48, see ears.crown_view) to the logit of animal ears (N)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _layer(4, 16),
            _layer(16, 24),
            _layer(24, 32),
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


def _layer(before: int, after: int) -> nn.Sequential:
    conv = nn.Conv2d(before, after, 3, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())
