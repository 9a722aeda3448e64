"""ONNX models by onnxruntime, which is imported when the first one is opened."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalharness.errors import PerceptionError, unknown

PROVIDERS = {"cpu": ("CPUExecutionProvider",), "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider")}
Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where models run: `device` cpu or cuda, `threads` of the processor (0 = as many as there are cores)."""

    device: str = "cpu"
    threads: int = 0

    def __post_init__(self) -> None:
        """Refuse devices that nobody knows."""
        if self.device not in PROVIDERS:
            raise PerceptionError(unknown("device of perception", self.device, PROVIDERS))


def answers(path: Path, runtime: Runtime, numbers: Numbers) -> Numbers:
    """The first output of a model with one input; raises PerceptionError where it cannot be opened or run."""
    session = _open(path, runtime)
    try:
        found = session.run(None, {session.get_inputs()[0].name: numbers})[0]
    except Exception as error:  # onnxruntime's own exceptions share no base but this
        raise PerceptionError(f"{path} cannot be run: {_first_line(error)}") from None
    return np.asarray(found, dtype=np.float32)


@lru_cache(maxsize=8)
def _open(path: Path, runtime: Runtime) -> Any:
    """A session, kept for the process: opening takes seconds; a perceiver does not hold it, as it may be pickled."""
    onnxruntime = imported()
    wanted = PROVIDERS[runtime.device]
    if wanted[0] not in (there := onnxruntime.get_available_providers()):
        raise PerceptionError(
            f"onnxruntime has no {wanted[0]} here, only {', '.join(there)}; "
            "for device cuda: pip install onnxruntime-gpu"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = runtime.threads
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), sess_options=options, providers=list(wanted))
    except Exception as error:  # as above
        raise PerceptionError(f"{path} is no ONNX model that can be opened: {_first_line(error)}") from None


def imported() -> Any:
    """The library; raises PerceptionError that says how to install it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise PerceptionError(
            f"perception anime needs onnxruntime ({error}); install it: pip install 'evalharness[anime]'"
        ) from None
    return onnxruntime


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
