"""The layer that all our small networks are made of."""

from torch import nn


def layer(before: int, after: int, kernel: int = 3, stride: int = 2) -> nn.Sequential:
    """A convolution that keeps the size but for its stride, without bias, normalised over the batch; then ReLU."""
    conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())
