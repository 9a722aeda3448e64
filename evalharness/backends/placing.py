"""Where a pipeline's parts are and how they run: device, offloading, compilation, and savings of memory."""

from typing import TYPE_CHECKING, Any

from evalharness.backends.diffusers_options import DiffusersOptions
from evalharness.backends.families import Family
from evalharness.errors import BackendError

if TYPE_CHECKING:
    import torch


def tune(pipe: Any, family: Family, options: DiffusersOptions) -> None:
    """Apply what is set once; raises BackendError for what the pipeline's parts cannot do and would ignore."""
    wanted = {
        "attention_slicing": (getattr(pipe, family.backbone), "set_attention_slice", ("auto",)),
        "vae_slicing": (pipe.vae, "enable_slicing", ()),
        "vae_tiling": (pipe.vae, "enable_tiling", ()),
    }
    for name, (part, method, arguments) in wanted.items():
        if not getattr(options, name):
            continue
        if not hasattr(part, method):
            raise BackendError(f"backend.options.{name} has no effect on {family.pipeline}; leave it out.")
        getattr(part, method)(*arguments)
    for name in family.denoisers if options.compile else ():
        # in place, so that the layers keep the names that LoRA files are matched with
        getattr(pipe, name).compile()


def check_offload(options: DiffusersOptions, device: "torch.device") -> None:
    """Raise BackendError for offloading from the processor to itself."""
    if options.offload != "none" and device.type == "cpu":
        raise BackendError(f"backend.options.offload={options.offload} needs a GPU; on the processor leave it out.")


def place(pipe: Any, family: Family, options: DiffusersOptions, device: "torch.device") -> None:
    """Put the pipeline on the device, whole or part by part as it runs; raises BackendError where it cannot be."""
    if options.offload == "none":
        pipe.to(device)
        return
    method = {"model": "enable_model_cpu_offload", "sequential": "enable_sequential_cpu_offload"}[options.offload]
    if not hasattr(pipe, method):
        raise BackendError(f"{family.pipeline} cannot be offloaded; set backend.options.offload=none.")
    getattr(pipe, method)(device=device)
