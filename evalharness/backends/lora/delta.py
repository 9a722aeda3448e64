"""What a group of tensors adds to the weight of its module, exactly, in each of the trainers' algebras.

Shapes: a weight is (out, in) or (out, in, *kernel); r is the rank. All is computed in float32 on the CPU.

LoRA    Hu et al. 2021 (arXiv 2106.09685): up @ down * alpha / r; of a convolution, down has the kernel, up is 1 x 1.
LoCon   LyCORIS (Yeh et al. 2023, arXiv 2309.14859) with Tucker core `mid`: (r, r, *kernel) between down and up.
LoHa    LyCORIS, after FedPara (arXiv 2108.06098): (w1_a @ w1_b) * (w2_a @ w2_b) * alpha / r, element by element.
LoKr    LyCORIS: kron(w1, w2), each a matrix or a product of two; alpha / r counts only where one is a product.
DoRA    Liu et al. 2024 (arXiv 2402.09353): m * (W + D) / norm(W + D) - W, with the norm of each row of outputs (PEFT,
        LyCORIS with wd_on_out) or of each input (kohya's and the older LyCORIS). ComfyUI divides by the norm of W in
        the first case; here it is the trainers' own.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Tensors = Mapping[str, Tensor]

_LORA = frozenset({"down", "up"})
_LOHA = frozenset({"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"})
_TUCKER = frozenset({"hada_t1", "hada_t2"})


class MisfitError(ValueError):
    """Tensors that are no whole algebra, or do not fit the weight; its text says why, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """A low-rank change kept as its factors: `down` (r, in, *kernel) and `up` (out, r), with alpha / r in `up`."""

    down: Tensor
    up: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Kronecker:
    """The change kron(left, right) of a linear layer, kept as its two factors."""

    left: Tensor
    right: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Dense:
    """A change of the whole weight; None where only the bias changes."""

    weight: Tensor | None
    bias: Tensor | None = None


Change = Factors | Kronecker | Dense


def change(tensors: Tensors, shape: torch.Size, base: Tensor | None, scale: float | None = None) -> Change:
    """The change of a weight of `shape`; `base` is the weight itself, which only DoRA reads.

    `scale` replaces alpha / r where the file says it in its metadata instead. Raises MisfitError.
    """
    values = {role: tensor.detach().to("cpu", torch.float32) for role, tensor in tensors.items()}
    roles = set(values)
    if {"dora_scale", "magnitude"} & roles:
        plain = {role: value for role, value in values.items() if role not in ("dora_scale", "magnitude")}
        return Dense(weight=_decomposed(values, full(change(plain, shape, None, scale), shape), base))
    if len(shape) == 1 and not roles <= {"diff", "diff_b"}:
        raise MisfitError(f"has {', '.join(sorted(roles))} for a norm, which has no matrix")
    if _LORA <= roles:
        return _lora(values, shape, scale)
    if _LOHA <= roles:
        return _loha(values, shape, scale)
    if any(role.startswith("lokr_") for role in roles):
        return _lokr(values, shape, scale)
    if {"diff", "diff_b"} & roles:
        return _difference(values, shape)
    raise MisfitError(f"has {', '.join(sorted(roles))} only, which is no whole LoRA")


def full(change: Change, shape: torch.Size) -> Tensor:
    """The change as one tensor of the weight's shape."""
    if isinstance(change, Factors):
        return (change.up @ change.down.flatten(1)).reshape(shape)
    if isinstance(change, Kronecker):
        return torch.kron(change.left, change.right).reshape(shape)
    return torch.zeros(shape) if change.weight is None else change.weight


def rows(change: Change, shape: torch.Size, chosen: Tensor) -> Change:
    """The change of some of the outputs: what one projection gets of a fused one's; `shape` is the fused weight's."""
    if isinstance(change, Factors):
        return Factors(down=change.down, up=change.up[chosen])
    bias = change.bias[chosen] if isinstance(change, Dense) and change.bias is not None else None
    return Dense(weight=full(change, shape)[chosen], bias=bias)


def _only(values: Tensors, known: set[str] | frozenset[str]) -> None:
    if extra := set(values) - known - {"alpha"}:
        raise MisfitError(f"has {', '.join(sorted(extra))} beside {', '.join(sorted(known & set(values)))}")


def rank_of(tensors: Tensors) -> int:
    """The rank of a LoRA's or LoHa's tensors; 0 where they do not show it."""
    factor = tensors.get("down", tensors.get("hada_w1_b"))
    return 0 if factor is None else factor.shape[0]


def _rate(values: Tensors, rank: int, scale: float | None) -> float:
    """Alpha / rank; without alpha what the metadata says, else 1. Ranks of 0 are nothing that a trainer writes."""
    if "alpha" not in values:
        return 1.0 if scale is None else scale
    return float(values["alpha"].item()) / rank if rank else 1.0


def _shaped(weight: Tensor, shape: torch.Size) -> Tensor:
    if weight.numel() != math.prod(shape) or weight.shape[0] != shape[0]:
        raise MisfitError(f"has the shape {_size(weight.shape)} where the layer has {_size(shape)}")
    return weight.reshape(shape)


def _size(shape: torch.Size) -> str:
    return " x ".join(map(str, shape))


def _factors_misfit(first: Tensor, second: Tensor, shape: torch.Size) -> MisfitError:
    return MisfitError(f"has factors {_size(first.shape)} and {_size(second.shape)} where the layer has {_size(shape)}")


def _lora(values: Tensors, shape: torch.Size, scale: float | None) -> Change:
    _only(values, _LORA | {"mid", "diff_b"})
    down, up = values["down"], values["up"].flatten(1)
    rank = down.shape[0]
    if up.shape[1] != rank or up.shape[0] != shape[0]:
        raise _factors_misfit(values["up"], down, shape)
    up = up * _rate(values, rank, scale)
    if "mid" in values:
        core = values["mid"]
        return Dense(weight=_shaped(_tucker(core, up.T, down.flatten(1)), shape), bias=_bias(values, shape))
    if math.prod(down.shape[1:]) != math.prod(shape[1:]):
        raise _factors_misfit(values["up"], down, shape)
    low = Factors(down=down.reshape(rank, *shape[1:]), up=up)
    return low if "diff_b" not in values else Dense(weight=full(low, shape), bias=_bias(values, shape))


def _tucker(core: Tensor, outputs: Tensor, inputs: Tensor) -> Tensor:
    """The weight (out, in, *kernel) of a core (r, r, *kernel), `outputs` (r, out) and `inputs` (r, in)."""
    if core.shape[0] != outputs.shape[0] or core.shape[1] != inputs.shape[0]:
        raise MisfitError(f"has a core {_size(core.shape)} for ranks {outputs.shape[0]} and {inputs.shape[0]}")
    return torch.einsum("ij...,io,jn->on...", core, outputs, inputs)


def _loha(values: Tensors, shape: torch.Size, scale: float | None) -> Change:
    _only(values, _LOHA | _TUCKER)
    rank = values["hada_w1_b"].shape[0]
    try:
        if _TUCKER <= set(values):
            first = _tucker(values["hada_t1"], values["hada_w1_a"], values["hada_w1_b"])
            second = _tucker(values["hada_t2"], values["hada_w2_a"], values["hada_w2_b"])
        else:
            first = values["hada_w1_a"] @ values["hada_w1_b"]
            second = values["hada_w2_a"] @ values["hada_w2_b"]
        product = first * second
    except RuntimeError as error:
        raise MisfitError("has Hadamard factors that do not fit each other") from error
    return Dense(weight=_shaped(product * _rate(values, rank, scale), shape))


def _lokr(values: Tensors, shape: torch.Size, scale: float | None) -> Change:
    _only(values, {role for role in values if role.startswith("lokr_")})
    left, first_rank = _kronecker_factor(values, "lokr_w1")
    right, second_rank = _kronecker_factor(values, "lokr_w2")
    rank = second_rank or first_rank
    left = left * _rate(values, rank, scale)
    if right.ndim == 2 and len(shape) == 2:
        if (left.shape[0] * right.shape[0], left.shape[1] * right.shape[1]) != tuple(shape):
            raise _factors_misfit(left, right, shape)
        return Kronecker(left=left, right=right)
    wide = left.reshape(*left.shape, *[1] * (right.ndim - 2))
    return Dense(weight=_shaped(torch.kron(wide, right.contiguous()), shape))


def _kronecker_factor(values: Tensors, name: str) -> tuple[Tensor, int]:
    """One factor and its rank, 0 where it is a whole matrix."""
    if name in values:
        return values[name], 0
    if not {f"{name}_a", f"{name}_b"} <= set(values):
        raise MisfitError(f"has no {name}")
    first, second = values[f"{name}_a"], values[f"{name}_b"]
    if name == "lokr_w2" and "lokr_t2" in values:
        return _tucker(values["lokr_t2"], first, second), second.shape[0]
    if first.shape[1] != second.shape[0]:
        raise MisfitError(f"has {name} factors {_size(first.shape)} and {_size(second.shape)}, no product")
    return first @ second.flatten(1), second.shape[0]


def _difference(values: Tensors, shape: torch.Size) -> Change:
    _only(values, {"diff", "diff_b"})
    weight = _shaped(values["diff"], shape) if "diff" in values else None
    return Dense(weight=weight, bias=_bias(values, shape))


def _bias(values: Tensors, shape: torch.Size) -> Tensor | None:
    if "diff_b" in values and values["diff_b"].shape != shape[:1]:
        raise MisfitError(f"has {values['diff_b'].numel()} biases where the layer has {shape[0]} outputs")
    return values.get("diff_b")


def _decomposed(values: Tensors, delta: Tensor, base: Tensor | None) -> Tensor:
    if base is None:
        raise MisfitError("has a DoRA scale for a projection whose weight is not one matrix here")
    weight = base.detach().to("cpu", torch.float32)
    changed = weight + delta
    size = _magnitude(values, changed)
    axes = tuple(axis for axis in range(changed.ndim) if size.shape[axis] == 1)
    norm: Tensor = torch.linalg.vector_norm(changed, dim=axes, keepdim=True) + torch.finfo(torch.float32).eps
    return changed * (size / norm) - weight


def _magnitude(values: Tensors, weight: Tensor) -> Tensor:
    """The magnitudes as (out, 1, ...) or (1, in, 1, ...); PEFT's vector is always one of outputs."""
    ones = [1] * (weight.ndim - 1)
    if "magnitude" in values:
        size = values["magnitude"].flatten()
        fits, shape = size.numel() == weight.shape[0], (-1, *ones)
    else:
        size = values["dora_scale"]
        on_inputs = size.ndim > 1 and size.shape[0] == 1 and size.numel() == weight.shape[1] and weight.shape[0] != 1
        fits = on_inputs or size.numel() == weight.shape[0]
        shape = (1, -1, *ones[1:]) if on_inputs else (-1, *ones)
    if not fits:
        raise MisfitError(f"has {size.numel()} DoRA scales for a layer of {_size(weight.shape)}")
    return size.reshape(shape)
