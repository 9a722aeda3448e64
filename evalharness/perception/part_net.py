"""The network that reads a face's parts from one grey crop: states, emotions and landmarks."""

import torch
from torch import nn

from evalharness.perception.face_crop import SIDE
from evalharness.perception.net_layer import layer
from evalharness.types import EMOTIONS

STATES = {
    "left_eye": ("present", "closed", "hidden", "missing"),
    "right_eye": ("present", "closed", "hidden", "missing"),
    "brows": ("present", "hidden"),
    "mouth": ("present", "hidden", "missing"),
}
"""What each part may be; the eyes are named by the image's sides."""
GROUPS = ("eyes", "brows", "mouth")
POINTS = 20
"""Landmarks: per eye inner and outer corner, top, bottom, middle; per brow inner end, middle, outer end; and the
mouth's left, right, top, bottom."""
SIZES = (*(len(words) for words in STATES.values()), *(len(EMOTIONS) for _ in GROUPS), 2 * POINTS)


class PartNet(nn.Module):
    """Crops (float, N x 1 x 96 x 96, any brightness) to the logits of all states, emotions, and the landmarks."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            layer(1, 16, kernel=5, stride=2),
            layer(16, 32, stride=2),
            layer(32, 64, stride=2),
            layer(64, 64, stride=1),
            layer(64, 128, stride=2),
            layer(128, 48, kernel=1, stride=1),
            # positions are kept: a line is a brow or a mouth by where it lies
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(48 * (SIDE // 16) ** 2, 128),
            nn.ReLU(),
        )
        self.heads = nn.Linear(128, sum(SIZES))

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """One tensor per part's state and per group's emotions (logits), then the landmarks (N x 40, head units)."""
        middle = crops.mean(dim=(2, 3), keepdim=True)
        spread = crops.std(dim=(2, 3), keepdim=True)
        answers: torch.Tensor = self.heads(self.layers((crops - middle) / (spread + 0.02)))
        return torch.split(answers.float(), list(SIZES), dim=1)
