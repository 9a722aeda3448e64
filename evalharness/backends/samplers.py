"""Schedulers by the names people use for samplers; 'default' keeps the checkpoint's own."""

import contextlib
import inspect
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from evalharness.errors import BackendError, unknown

DEFAULT = "default"

Arguments = Mapping[str, object]
Table = Mapping[str, tuple[str, Arguments]]

SAMPLERS: Table = {
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
"""For models that predict noise or v."""

_FLOW: Arguments = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}

FLOW_SAMPLERS: Table = {
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", **_FLOW}),
    "euler": ("FlowMatchEulerDiscreteScheduler", {}),
    "euler_karras": ("FlowMatchEulerDiscreteScheduler", {"use_karras_sigmas": True}),
    "heun": ("FlowMatchHeunDiscreteScheduler", {}),
    "lcm": ("FlowMatchLCMScheduler", {}),
    "unipc": ("UniPCMultistepScheduler", _FLOW),
}
"""For flow matching. Karras' schedule is left out of dpmpp_2m: diffusers would drop the flow's own and draw NaN."""


def check_sampler(name: str, working: Iterable[str] = (), pipeline: str = "") -> None:
    """Raise BackendError for a name that no table has, or that is not among those `working` with the pipeline."""
    if name != DEFAULT and name not in {*SAMPLERS, *FLOW_SAMPLERS}:
        raise BackendError(unknown("sampler", name, {DEFAULT, *(working or (*SAMPLERS, *FLOW_SAMPLERS))}))
    if pipeline and name not in (DEFAULT, *working):
        choice = ", ".join((DEFAULT, *working))
        raise BackendError(f"sampler '{name}' does not work with {pipeline}; take one of {choice}.")


def make_scheduler(name: str, own: Any, arguments: Arguments | None = None) -> Any:
    """A fresh scheduler: the checkpoint's `own` for 'default', else one of the tables that keeps its noise schedule.

    `arguments` override its config. Raises BackendError for a name or argument that the scheduler does not have.
    """
    table = FLOW_SAMPLERS if is_flow(own) else SAMPLERS
    check_sampler(name, table, type(own).__name__)
    import diffusers

    class_name, preset = (type(own).__name__, {}) if name == DEFAULT else table[name]
    kind = getattr(diffusers, class_name)
    known = [parameter for parameter in inspect.signature(kind.__init__).parameters if parameter != "self"]
    for argument in arguments or {}:
        if argument not in known:
            raise BackendError(unknown(f"argument of {class_name}", argument, known))
    kept = {key: value for key, value in own.config.items() if key in known}
    with diffusers_noise_off():
        return kind.from_config({**kept, **_shift(own, known), **preset, **(arguments or {})})


def is_flow(own: Any) -> bool:
    """Whether a scheduler follows a flow instead of removing predicted noise."""
    return type(own).__name__.startswith("FlowMatch") or own.config.get("prediction_type") == "flow_prediction"


def _shift(own: Any, known: list[str]) -> dict[str, object]:
    """The flow's shift under the name that the new scheduler has for it; without it, other noise levels are drawn."""
    shift = own.config.get("shift", own.config.get("flow_shift"))
    return {} if shift is None else {name: shift for name in ("shift", "flow_shift") if name in known}


@contextlib.contextmanager
def diffusers_noise_off() -> Iterator[None]:
    """Ignore the one warning that diffusers' schedulers cause by giving tensors to numpy 2; others pass.

    Log lines below errors are held back too: they repeat at every batch and would break the progress bars.
    """
    loggers = [logging.getLogger(name) for name in ("diffusers", "transformers")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="__array__ implementation", category=DeprecationWarning)
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
