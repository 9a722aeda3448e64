"""LoRA files on a pipeline: loaded, proven tensor by tensor, scaled, and taken off again.

diffusers loads what it recognises and drops the rest with at most a log line. So nothing it says is trusted here:
every tensor of the file must be found again, value for value, on a layer of the model.
"""

import contextlib
import hashlib
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL.Image import Image
from safetensors import SafetensorError, safe_open

from evalharness.backends.families import Family
from evalharness.digest import file_digest
from evalharness.errors import SubjectError
from evalharness.types import LoraFile, Subject

if TYPE_CHECKING:
    import torch

_EXAMPLES = 3


def load(pipe: Any, family: Family, subject: Subject, accepted: tuple[str, ...] = ()) -> None:
    """Load every LoRA file of the subject and prove each applied; on refusal the pipeline is the base again.

    Keys that start with one of `accepted` may stay unmatched. Raises SubjectError with the counts and examples.
    """
    try:
        for name, lora in zip(adapter_names(subject), subject.loras, strict=True):
            tensors = read_tensors(lora)
            _attach(pipe, lora.path, name, list(tensors))
            _require_match(lora.path, family, tensors, unmatched(pipe, family, name, tensors), accepted)
    except SubjectError:
        unload(pipe)
        raise


def adapter_names(subject: Subject) -> tuple[str, ...]:
    """The adapters' names on the pipeline, one per LoRA file."""
    return tuple(f"lora_{index}" for index in range(len(subject.loras)))


def unload(pipe: Any) -> None:
    """Take every adapter off; the pipeline then draws the base's images bit for bit."""
    pipe.unload_lora_weights()


def set_strength(pipe: Any, subject: Subject, strength: float) -> None:
    """Scale the loaded adapters without reloading; 0 switches them off, which is bit-equal to the base."""
    if strength == 0:
        pipe.disable_lora()
        return
    names = list(adapter_names(subject))
    pipe.enable_lora()
    pipe.set_adapters(names, [strength] * len(names))


def touches_text(pipe: Any, family: Family) -> bool:
    """Whether a loaded adapter sits in a text encoder, so that prompts must be encoded again for it."""
    encoders = [name for name in family.lora_components if name != family.backbone]
    return any(".lora_" in name for encoder in encoders for name, _ in getattr(pipe, encoder).named_parameters())


def read_tensors(lora: LoraFile) -> "dict[str, torch.Tensor]":
    """The tensors of a LoRA file; raises SubjectError for one that is missing, changed, damaged or not finite."""
    if lora.path.suffix != ".safetensors":
        raise SubjectError(
            f"{lora.path} is not a .safetensors file; other formats can run code when opened: convert it."
        )
    try:
        if file_digest(lora.path) != lora.digest:
            raise SubjectError(f"{lora.path} changed after the run was planned; start the run again.")
        with safe_open(lora.path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}
    except (SafetensorError, OSError) as error:
        raise SubjectError(f"{lora.path} is damaged or truncated ({error}); copy it again.") from None
    broken = [key for key, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise SubjectError(
            f"{lora.path.name}: {_of(broken, tensors)} hold NaN or infinity {_examples(broken)}; "
            "the training diverged, use an earlier epoch."
        )
    return tensors


def _attach(pipe: Any, path: Path, name: str, keys: list[str]) -> None:
    """Let diffusers load the file; raises SubjectError with what it says where it cannot."""
    try:
        with _quiet():
            pipe.load_lora_weights(str(path), adapter_name=name, use_safetensors=True)
    except Exception as error:  # diffusers and peft raise nearly every built-in type here
        cause = " ".join(str(error).split())[:200] or type(error).__name__
        raise SubjectError(
            f"{path.name}: none of its {len(keys)} keys could be loaded into {type(pipe).__name__} {_examples(keys)}: "
            f"'{cause}'; was it trained for another model family?"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the loaders' remarks about keys: the proof that follows is stricter and speaks for itself."""
    loggers = [logging.getLogger(name) for name in ("diffusers", "peft", "transformers")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def unmatched(pipe: Any, family: Family, adapter: str, tensors: "dict[str, torch.Tensor]") -> list[str]:
    """The keys of the file whose values are on no layer of the pipeline.

    Factors are compared by value, in the model's precision, whatever they were renamed to. A scalar (kohya's alpha)
    counts as matched where a factor of its layer is.
    """
    dtype = getattr(pipe, family.backbone).dtype
    loaded = Counter(_value(tensor, dtype) for tensor in _adapter_tensors(pipe, family, adapter))
    missing, layers = [], set()
    for key in (key for key, tensor in tensors.items() if tensor.ndim > 0):
        value = _value(tensors[key], dtype)
        if loaded[value] > 0:
            loaded[value] -= 1
            layers.add(key.split(".lora", maxsplit=1)[0])
        else:
            missing.append(key)
    scalars = [key for key, tensor in tensors.items() if tensor.ndim == 0]
    return missing + [key for key in scalars if key.removesuffix(".alpha") not in layers]


def _adapter_tensors(pipe: Any, family: Family, adapter: str) -> "Iterator[torch.Tensor]":
    for component in family.lora_components:
        for name, parameter in getattr(pipe, component).named_parameters():
            if ".lora_" in name and adapter in name.split("."):
                yield parameter.detach()


def _value(tensor: "torch.Tensor", dtype: "torch.dtype") -> tuple[tuple[int, ...], str]:
    """Shape and digest of a tensor in the model's precision: what a cast on loading cannot change."""
    values = tensor.to(device="cpu", dtype=dtype).float().contiguous().numpy()
    return tuple(values.shape), hashlib.sha256(values.tobytes()).hexdigest()


def _require_match(
    path: Path, family: Family, tensors: "dict[str, torch.Tensor]", missing: list[str], accepted: tuple[str, ...]
) -> None:
    """Raise SubjectError unless some keys matched and none is left over but accepted ones."""
    matched = len(tensors) - len(missing)
    if matched == 0:
        raise SubjectError(
            f"{path.name}: 0 of {len(tensors)} keys match {family.pipeline} {_examples(list(tensors))}; "
            "was it trained for another model family?"
        )
    left = [key for key in missing if not key.startswith(accepted)] if accepted else missing
    if left:
        raise SubjectError(
            f"{path.name}: {_of(left, tensors)} found no layer of {family.pipeline} {_examples(left)}; "
            "accept them by prefix with backend.options.accept_unmatched=[...] if that is meant."
        )


def _of(some: list[str], every: "dict[str, torch.Tensor]") -> str:
    return f"{len(some)} of {len(every)} keys"


def _examples(keys: list[str]) -> str:
    if not keys:
        return "(the file is empty)"
    shown = ", ".join(f"'{key}'" for key in keys[:_EXAMPLES])
    return f"(e.g. {shown}{', ...' if len(keys) > _EXAMPLES else ''})"


def differs(first: Image, second: Image) -> bool:
    """Whether two images differ in any pixel by more than one 8-bit step, which is what rounding alone can do."""
    if first.size != second.size:
        return True
    one, two = (np.asarray(image.convert("RGB"), dtype=np.int16) for image in (first, second))
    return bool(np.abs(one - two).max() > 1)
