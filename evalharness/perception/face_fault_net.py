"""The network that tells sound eyes and mouths from missing, blank and doubled ones, from one grey crop."""

import torch
from torch import nn

from evalharness.perception.face_crop import SIDE
from evalharness.perception.net_layer import layer

EYES = ("sound", "missing_eyes", "blank_eyes", "doubled_eyes")
"""What both eyes together may be; closed and hidden ones are sound."""


class FaceFaultNet(nn.Module):
    """Crops (float, N x 1 x 96 x 96, any brightness) to logits: the eyes' states (N x 4), a doubled mouth (N)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            layer(1, 16, kernel=5),
            layer(16, 32),
            layer(32, 64),
            layer(64, 96),
            nn.Conv2d(96, 16, 1),
            nn.ReLU(),
            # positions are kept: a brow is no eye by where it lies
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(16 * (SIDE // 16) ** 2, 96),
            nn.ReLU(),
            nn.Linear(96, len(EYES) + 1),
        )

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The logits of the eyes' states and of a doubled mouth."""
        middle = crops.mean(dim=(2, 3), keepdim=True)
        spread = crops.std(dim=(2, 3), keepdim=True)
        answers: torch.Tensor = self.layers((crops - middle) / (spread + 0.02)).float()
        return answers[:, : len(EYES)], answers[:, len(EYES)]
