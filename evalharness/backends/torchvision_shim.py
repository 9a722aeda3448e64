"""Make torchvision importable beside a CPU build of torch, where its compiled operators cannot load.

No torchvision wheel on PyPI loads under CPU torch, and transformers, diffusers, open_clip and timm all import it.
"""

import importlib
import sys

_MISSING_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def ensure_torchvision() -> None:
    """Import torchvision, declaring the operators that its import needs where they are missing.

    Call before transformers, diffusers, open_clip or timm are imported; calling again costs nothing. Where the
    operators load this changes nothing; elsewhere calling `nms` still raises, but all pure Python parts work.

    Raises RuntimeError: when importing torchvision fails for any other reason.
    """
    if "torchvision" in sys.modules:
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        _declare_operators()
        importlib.import_module("torchvision")


def _declare_operators() -> None:
    """Forget the half-imported torchvision and declare the two operators its import registers fakes for."""
    import torch

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    for operator in _MISSING_OPERATORS:
        torch.library.define(f"torchvision::{operator}", _SCHEMA)
