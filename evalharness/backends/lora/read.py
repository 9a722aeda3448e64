"""The tensors of a LoRA file: whole, unchanged since the plan, and finite, or refused."""

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from evalharness.backends.lora.words import examples, of
from evalharness.digest import file_digest
from evalharness.errors import SubjectError
from evalharness.types import LoraFile

if TYPE_CHECKING:
    import torch


def read_tensors(lora: LoraFile) -> "dict[str, torch.Tensor]":
    """The tensors of a LoRA file; raises SubjectError for one that is missing, changed, damaged or not finite."""
    _require_safetensors(lora)
    try:
        if file_digest(lora.path) != lora.digest:
            raise SubjectError(f"{lora.path} changed after the run was planned; start the run again.")
        with safe_open(lora.path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
    except (SafetensorError, OSError) as error:
        raise _damaged(lora, error) from None
    broken = [key for key, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise SubjectError(
            f"{lora.path.name}: {of(broken, tensors)} hold NaN or infinity {examples(broken)}; "
            "the training diverged, use an earlier epoch."
        )
    return tensors


def read_shapes(lora: LoraFile) -> dict[str, list[int]]:
    """The shapes of a LoRA file's tensors, from its header alone; raises SubjectError for a damaged file."""
    _require_safetensors(lora)
    try:
        with safe_open(lora.path, framework="pt") as file:
            return {key: file.get_slice(key).get_shape() for key in file.keys()}
    except (SafetensorError, OSError) as error:
        raise _damaged(lora, error) from None


def scale_in_metadata(metadata: Mapping[str, str], component: str, path: str, rank: int) -> float | None:
    """Alpha / rank of a layer as diffusers writes it for PEFT files, whose tensors do not say; None where it is not.

    The metadata's `lora_adapter_metadata` is JSON: 'unet.lora_alpha' (LoHa and LoKr: 'unet.alpha'),
    'unet.alpha_pattern', 'unet.use_rslora' and more. A `rank` of 0 does not show in the tensors: then 'unet.r' says it.
    """
    try:
        told = json.loads(metadata.get("lora_adapter_metadata", "{}"))
        start = f"{component}."
        inside = {key.removeprefix(start): value for key, value in told.items() if key.startswith(start)}
        alpha = _own(inside, "alpha_pattern", path, inside.get("lora_alpha", inside.get("alpha")))
        rank = rank or _own(inside, "rank_pattern", path, inside.get("r"))
        root = rank**0.5 if inside.get("use_rslora") else rank
        return None if alpha is None else float(alpha) / root
    except (ValueError, AttributeError, TypeError, ZeroDivisionError):
        return None


def require_own_alpha(lora: LoraFile, keys: Iterable[str]) -> None:
    """Raise SubjectError for a file whose alpha stands only in PEFT's `adapter_config.json` beside it.

    It is no part of the file that is measured, kept and promoted; where it says alpha / rank 1, nothing is lost.
    """
    if "lora_adapter_metadata" in lora.metadata or any(key.endswith("alpha") for key in keys):
        return
    beside = lora.path.with_name("adapter_config.json")
    try:
        told = json.loads(beside.read_bytes())
        alpha, rank = told.get("lora_alpha", told.get("alpha")), told.get("r")
        own = bool(told.get("alpha_pattern") or told.get("rank_pattern") or told.get("use_rslora"))
    except (OSError, ValueError, AttributeError):
        return
    if alpha is not None and (own or alpha != rank):
        raise SubjectError(
            f"{lora.path.name} does not hold its alpha: only {beside.name} beside it says alpha {alpha}, rank {rank}, "
            "which is lost when the file is copied; save it with diffusers' save_lora_weights and its adapter metadata."
        )


def _own(told: Mapping[str, Any], pattern: str, path: str, otherwise: Any) -> Any:
    """A layer's own value, where the pattern has one: its keys are ends of paths."""
    for end, value in (told.get(pattern) or {}).items():
        otherwise = value if path == end or path.endswith(f".{end}") else otherwise
    return otherwise


def _require_safetensors(lora: LoraFile) -> None:
    if lora.path.suffix != ".safetensors":
        raise SubjectError(
            f"{lora.path} is not a .safetensors file; other formats can run code when opened: convert it."
        )


def _damaged(lora: LoraFile, error: Exception) -> SubjectError:
    return SubjectError(f"{lora.path} is damaged or truncated ({error}); copy it again.")
