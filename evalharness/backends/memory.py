"""The memory of an accelerator, given back to others."""

import sys


def free_memory() -> None:
    """Give back what torch keeps for later; a CUDA context of some hundred MB stays until the process ends."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
