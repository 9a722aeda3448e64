"""The network that finds letters in a grey picture: how likely each small cell has some, and half-clear ones."""

import torch
from torch import nn
from torch.nn import functional

from evalharness.perception.net_layer import layer

LINE = 4
"""Cells that a line of letters has at least: the most likely ones together say whether there is one."""


class LetterNet(nn.Module):
    """Pictures (float, N x 1 x H x W, sides multiples of 16) to logits of letters and half-clear ones.

    The answer is N x 2 x H/8 x W/8. What lies around a cell comes from a coarser grid: hatching fills areas, letters
    stand in lines.
    """

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Sequential(
            layer(1, 12, kernel=5), layer(12, 24), layer(24, 32, stride=1), layer(32, 48), layer(48, 48, stride=1)
        )
        self.far = nn.Sequential(layer(48, 64), layer(64, 64, stride=1), layer(64, 48, kernel=1, stride=1))
        self.last = nn.Sequential(layer(48, 48, stride=1), nn.Conv2d(48, 2, 1))
        nn.init.constant_(self.last[-1].bias, -3.0)  # type: ignore[arg-type]

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The cells' logits."""
        mean = pictures.mean(dim=(2, 3), keepdim=True)
        spread = pictures.std(dim=(2, 3), keepdim=True)
        near = self.near((pictures - mean) / (spread + 0.02))
        answers: torch.Tensor = self.last(near + functional.interpolate(self.far(near), scale_factor=2.0)).float()
        return answers


def whole(cells: torch.Tensor) -> torch.Tensor:
    """The logits of whole pictures (N x 2): the mean of their `LINE` highest cells."""
    flat = cells.flatten(2)
    return flat.topk(min(LINE, flat.shape[2]), dim=2).values.mean(dim=2)
