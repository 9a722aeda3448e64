"""Schedulers by the names people use for samplers; 'default' keeps the checkpoint's own."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from evalharness.errors import BackendError, unknown

DEFAULT = "default"

SAMPLERS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "ddim": ("DDIMScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "use_karras_sigmas": True}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "euler_karras": ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "heun": ("HeunDiscreteScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "pndm": ("PNDMScheduler", {"skip_prk_steps": True}),
    "unipc": ("UniPCMultistepScheduler", {}),
}


def check_sampler(name: str) -> None:
    """Raise BackendError, with the nearest known name, for a sampler that the table does not have."""
    if name != DEFAULT and name not in SAMPLERS:
        raise BackendError(unknown("sampler", name, (DEFAULT, *SAMPLERS)))


def make_scheduler(name: str, own: Any) -> Any:
    """A fresh scheduler: the checkpoint's `own` for 'default', else one of the table that keeps its noise schedule."""
    check_sampler(name)
    if name == DEFAULT:
        return type(own).from_config(own.config)
    import diffusers

    class_name, arguments = SAMPLERS[name]
    with diffusers_noise_off():
        return getattr(diffusers, class_name).from_config(own.config, **arguments)


@contextlib.contextmanager
def diffusers_noise_off() -> Iterator[None]:
    """Ignore the one warning that diffusers' schedulers cause by giving tensors to numpy 2; others pass."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        yield
