"""Prompts, each encoded once; the text encoders leave the GPU when all prompts are known."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from evalharness.backends.families import Embeddings, Family, Tensors
from evalharness.backends.memory import free_memory
from evalharness.backends.samplers import diffusers_noise_off

if TYPE_CHECKING:
    import torch

_LARGEST = 2**31
"""Bytes of embeddings that are kept; Flux 2 has 16 MB a prompt, SDXL 0.6."""

Key = tuple[str, str, str]


class Prompts:
    """The embeddings of a pipeline's prompts, kept in the processor's memory.

    With `parks`, the encoders move there too when all prompts are prepared, or after a round in which none was new, and
    come back for a new one.
    """

    def __init__(self, pipe: Any, family: Family, device: "torch.device", *, parks: bool) -> None:
        self._pipe, self._family, self._device, self._parks = pipe, family, device, parks
        self._kept: dict[Key, Embeddings] = {}
        self._bytes = 0
        self._new = self._parked = False

    def encode(self, text: str, negative: str, state: str) -> Embeddings:
        """A prompt's embeddings on the device; `state` names what is loaded into the text encoders."""
        import torch

        key = (text, negative, state)
        if key not in self._kept:
            self._wake()
            with torch.no_grad(), diffusers_noise_off():
                self._keep(key, self._family.encode(self._pipe, text, negative, self._device))
        return moved(self._kept[key], self._device)

    def prepare(self, texts: Iterable[tuple[str, str]], state: str) -> None:
        """Encode all prompts and negatives that there is room for; with `parks` the encoders are away before and after.

        Nothing else of the pipeline need be on the device for it.
        """
        new = [key for key in dict.fromkeys((*one, state) for one in texts) if key not in self._kept]
        if not new:
            return
        self._parked = self._parks
        for key in new:
            if self._bytes < _LARGEST:
                self.encode(*key)
        self._new = False
        self.rest()

    def _keep(self, key: Key, found: Embeddings) -> None:
        import torch

        self._kept[key] = moved(found, torch.device("cpu"))
        self._bytes += _size(found)
        while self._bytes > _LARGEST and len(self._kept) > 1:
            self._bytes -= _size(self._kept.pop(next(iter(self._kept))))

    def _wake(self) -> None:
        self._new = True
        if self._parked:
            self._move(self._device)
            self._parked = False

    def rest(self) -> None:
        """Say that a round is over: without a new prompt in it, the encoders are not needed on the device."""
        import torch

        if self._parks and not self._new and not self._parked:
            self._move(torch.device("cpu"))
            self._parked = True
            free_memory()
        self._new = False

    def _move(self, device: "torch.device") -> None:
        for name in self._family.text_encoders:
            getattr(self._pipe, name).to(device)

    @contextlib.contextmanager
    def out_of_sight(self) -> Iterator[None]:
        """Take parked encoders off the pipeline for a call: it would take their device for its own."""
        names = self._family.text_encoders if self._parked else ()
        encoders = {name: getattr(self._pipe, name) for name in names}
        for name in encoders:
            setattr(self._pipe, name, None)
        try:
            yield
        finally:
            for name, encoder in encoders.items():
                setattr(self._pipe, name, encoder)


def moved(found: Embeddings, device: "torch.device") -> Embeddings:
    """The embeddings on a device; their values stay as they are."""
    return {name: _moved(value, device) for name, value in found.items()}


def _moved(value: Tensors, device: "torch.device") -> Tensors:
    if isinstance(value, list):
        return [tensor.to(device) for tensor in value]
    return None if value is None else value.to(device)


def _size(found: Embeddings) -> int:
    every = [tensor for value in found.values() for tensor in (value if isinstance(value, list) else [value])]
    return sum(tensor.numel() * tensor.element_size() for tensor in every if tensor is not None)
