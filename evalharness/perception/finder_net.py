"""The network that finds faces in a small grey picture: how likely one is at each place, its size, eyes and mouth."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from evalharness.perception.net_layer import layer

STRIDE = 8
"""Pixels of the picture between two places of the answer."""
TYPICAL = 24.0
"""Half a face's width in pixels of which the net answers 0; it answers e-folds of this."""
SHAPE = 7
"""Numbers that tell a face's size and, in head units from the place, its left eye, right eye and mouth (x, y)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A face in pixels of the picture: eye, eye and mouth (3 x 2; the image's left eye first), half its width."""

    points: torch.Tensor
    unit: float
    likelihood: float


class FinderNet(nn.Module):
    """Pictures (float, N x 1 x H x W, sides multiples of 32, any brightness) to heat (logits) and shapes.

    Places are H/8 x W/8. Far cells tell near ones what the whole shows, so that a face may be larger than the picture.
    """

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Sequential(
            layer(1, 16, kernel=5, stride=2), layer(16, 24, stride=2), layer(24, 40, stride=2), layer(40, 40, stride=1)
        )
        self.middle = nn.Sequential(layer(40, 64, stride=2), layer(64, 64, stride=1))
        self.far = nn.Sequential(layer(64, 72, stride=2), layer(72, 72, stride=1), layer(72, 64, stride=1))
        self.from_middle = layer(64, 40, kernel=1, stride=1)
        self.join_far = layer(64, 64, kernel=1, stride=1)
        self.last = nn.Sequential(layer(40, 40, stride=1), nn.Conv2d(40, 1 + SHAPE, 1))
        nn.init.constant_(self.last[-1].bias[:1], -3.0)  # type: ignore[index]

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Heat (N x H/8 x W/8, logits) and shapes (N x 7 x H/8 x W/8)."""
        mean = pictures.mean(dim=(2, 3), keepdim=True)
        spread = pictures.std(dim=(2, 3), keepdim=True)
        near = self.near((pictures - mean) / (spread + 0.02))
        middle = self.middle(near)
        middle = self.join_far(middle + functional.interpolate(self.far(middle), scale_factor=2.0))
        answers = self.last(near + functional.interpolate(self.from_middle(middle), scale_factor=2.0)).float()
        return answers[:, 0], answers[:, 1:]


def decode(heat: torch.Tensor, shape: torch.Tensor, least: float) -> list[Seen]:
    """The faces of one picture, most likely first: the heat's peaks of at least this likelihood, one a face."""
    share = heat[0].sigmoid()
    peaks = (share == functional.max_pool2d(share[None], 3, 1, 1)[0]) & (share >= least)
    rows, columns = peaks.nonzero(as_tuple=True)
    found = [_at(share, shape[0], int(row), int(column)) for row, column in zip(rows, columns, strict=True)]
    kept: list[Seen] = []
    for face in sorted(found, key=lambda one: -one.likelihood):
        if all(_apart(face, other) > 0.8 for other in kept):
            kept.append(face)
    return kept


def _at(share: torch.Tensor, shape: torch.Tensor, row: int, column: int) -> Seen:
    numbers = shape[:, row, column].double()
    unit = float(numbers[0].clamp(-3.0, 3.0).exp()) * TYPICAL
    place = torch.tensor((column + 0.5, row + 0.5), dtype=torch.float64) * STRIDE
    return Seen(points=numbers[1:].view(3, 2) * unit + place, unit=unit, likelihood=float(share[row, column]))


def _apart(one: Seen, other: Seen) -> float:
    """The distance of two faces' middles in units of the larger."""
    return float((one.points.mean(0) - other.points.mean(0)).norm()) / max(one.unit, other.unit)
