"""A change of a layer, computed beside it: output + strength * change(input). The base's weights are never written.

So strength 0 and taking the branch off give the base bit for bit, a strength is changed without any work, and weights
that are offloaded or compiled need no care. A change that has no factors costs its layer a second product.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from evalharness.backends.lora.delta import Change, Dense, Factors, Kronecker


class Branch:
    """The change of one layer by one LoRA file; `strength` is what the change is multiplied by, 0 = off."""

    def __init__(self, component: str, index: int, change: Change) -> None:
        self.component, self.index, self.change, self.strength = component, index, change, 0.0

    def __call__(self, layer: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        """A forward hook: the layer's output with the change in it."""
        if self.strength == 0:
            return None
        (given,) = args
        self.change = _near(self.change, given)
        return output + self.strength * _changed(layer, self.change, given)


def attach(layer: nn.Module, branch: Branch) -> None:
    """Put a branch beside a layer."""
    layer.register_forward_hook(branch)


def branches(pipe: Any) -> Iterator[Branch]:
    """All branches on a pipeline."""
    for layer in _layers(pipe):
        yield from (hook for hook in layer._forward_hooks.values() if isinstance(hook, Branch))


def detach_all(pipe: Any) -> None:
    """Take all branches off."""
    for layer in _layers(pipe):
        for key in [key for key, hook in layer._forward_hooks.items() if isinstance(hook, Branch)]:
            del layer._forward_hooks[key]


def _layers(pipe: Any) -> Iterator[nn.Module]:
    for component in pipe.components.values():
        if isinstance(component, nn.Module):
            yield from component.modules()


def _near(change: Change, given: Tensor) -> Change:
    """The change on the device and in the precision of what it is applied to."""
    if isinstance(change, Factors):
        if _is_near(change.up, given):
            return change
        return Factors(down=change.down.to(given), up=change.up.to(given))
    if isinstance(change, Kronecker):
        if _is_near(change.left, given):
            return change
        return Kronecker(left=change.left.to(given), right=change.right.to(given))
    if all(part is None or _is_near(part, given) for part in (change.weight, change.bias)):
        return change
    weight, bias = (None if part is None else part.to(given) for part in (change.weight, change.bias))
    return Dense(weight=weight, bias=bias)


def _is_near(part: Tensor, given: Tensor) -> bool:
    return part.device == given.device and part.dtype == given.dtype


def _changed(layer: Any, change: Change, given: Tensor) -> Tensor:
    """What the change adds to the layer's output."""
    if isinstance(layer, nn.Linear):
        return _linear(change, given)
    if layer.weight.ndim == 1:
        return _norm(layer, change, given)
    ones = [1] * (layer.weight.ndim - 2)
    if isinstance(change, Factors):
        low = layer._conv_forward(given, change.down, None)
        return torch.einsum("or,br...->bo...", change.up, low)
    assert isinstance(change, Dense)
    added = given.new_zeros(())
    if change.weight is not None:
        added = layer._conv_forward(given, change.weight, None)
    return added if change.bias is None else added + change.bias.reshape(-1, *ones)


def _linear(change: Change, given: Tensor) -> Tensor:
    if isinstance(change, Factors):
        return functional.linear(functional.linear(given, change.down), change.up)
    if isinstance(change, Kronecker):
        return _kronecker(change, given)
    added = given.new_zeros(()) if change.weight is None else functional.linear(given, change.weight)
    return added if change.bias is None else added + change.bias


def _norm(layer: Any, change: Change, given: Tensor) -> Tensor:
    """What the changes of a norm's scale and shift add: both stand behind the normalising, and it is linear in them."""
    assert isinstance(change, Dense)
    scale = given.new_zeros(layer.weight.shape) if change.weight is None else change.weight
    if isinstance(layer, nn.GroupNorm):
        return functional.group_norm(given, layer.num_groups, scale, change.bias, layer.eps)
    if isinstance(layer, nn.LayerNorm):
        return functional.layer_norm(given, layer.normalized_shape, scale, change.bias, layer.eps)
    # transformers calls it variance_epsilon
    smallest = layer.eps if hasattr(layer, "eps") else layer.variance_epsilon
    scaled = functional.rms_norm(given, scale.shape, scale, smallest)
    return scaled if change.bias is None else scaled + change.bias


def _kronecker(change: Kronecker, given: Tensor) -> Tensor:
    """kron(L, R) x without the product: x as a matrix X of (L's inputs, R's inputs), then L X R^T, row by row."""
    matrix = given.unflatten(-1, (change.left.shape[1], change.right.shape[1]))
    changed: Tensor = change.left @ (matrix @ change.right.T)
    return changed.flatten(-2)
