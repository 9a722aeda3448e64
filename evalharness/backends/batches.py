"""How many images are drawn at once: a fixed number, or as many as are found to fit."""

from typing import Literal

from evalharness.backends.loading import pick_device
from evalharness.backends.memory import free_memory
from evalharness.errors import BackendError
from evalharness.types import Setting

AUTO: Literal["auto"] = "auto"
_ON_CPU = 8
_ON_CUDA = 16  # beyond it a GPU is busy anyway, and a plan is cut into batches of this size
_FIRST_TRIAL = 2


class BatchSize:
    """The size of the next batch. `auto` begins small on CUDA and doubles while batches fit; memory halves either."""

    def __init__(self, given: int | Literal["auto"], device: str) -> None:
        if given != AUTO and given < 1:
            raise BackendError(f"backend.batch_size is {given}; it must be at least 1, or auto.")
        on_cuda = given == AUTO and pick_device(device).type == "cuda"
        self.largest = (_ON_CUDA if on_cuda else _ON_CPU) if given == AUTO else given
        self.now = _FIRST_TRIAL if on_cuda else self.largest

    def fitted(self, tried: int) -> None:
        """A batch fitted: a full one is doubled next time, up to the largest."""
        if tried == self.now:
            self.now = min(2 * self.now, self.largest)

    def burst(self, tried: int, setting: Setting) -> None:
        """A batch did not fit: half of it is the largest from now on. Raises BackendError where it was one image."""
        if tried == 1:
            raise BackendError(
                f"one image of {setting.width} x {setting.height} pixels does not fit in GPU memory; "
                "use a smaller size, backend.dtype=float16 or backend.options.offload=model."
            )
        self.now = self.largest = tried // 2
        free_memory()
