"""The device that a maker would draw on, and how much of its memory is free."""

from dataclasses import dataclass

from evalharness.backends.loading import pick_device


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device by its kind (cuda, mps, cpu) and name; memory in bytes, None where it is the processor's own."""

    kind: str
    name: str
    free: int | None = None
    total: int | None = None


def device(name: str) -> Device:
    """The device of a name; raises BackendError for one that is not here."""
    import torch

    found = pick_device(name)
    if found.type != "cuda":
        return Device(kind=found.type, name="the processor" if found.type == "cpu" else found.type)
    free, total = torch.cuda.mem_get_info(found)
    return Device(kind="cuda", name=torch.cuda.get_device_name(found), free=free, total=total)
