"""A DINO by transformers, from files that were pinned: its config and its weights; nothing is fetched."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.errors import PerceptionError
from evalharness.models.cache import checked
from evalharness.models.table import Model
from evalharness.perception.anime.picture import numbers_of
from evalharness.perception.anime.session import Numbers


def picture_embedding(image: Image.Image, model: Model, device: str) -> Numbers:
    """The RGB picture's embedding (width,), of length 1: the class token after the last layer's norm."""
    import torch

    network = opened_network(model, device)
    seen = torch.from_numpy(numbers_of(image, model.input)).to(device)
    try:
        with torch.inference_mode():
            found = network(pixel_values=seen).pooler_output
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise PerceptionError(f"model {model.name} cannot look at a picture: {str(error)[:200]}") from None
    numbers = np.asarray(found.float().cpu().numpy(), dtype=np.float32)
    if numbers.ndim != 2 or not np.isfinite(numbers).all() or not numbers.any():
        raise PerceptionError(f"model {model.name} answers {numbers.shape} to one picture, not an embedding.")
    return np.asarray(numbers[0] / np.linalg.norm(numbers[0]), dtype=np.float32)


def opened_network(model: Model, device: str) -> Any:
    """The model on a device; raises PerceptionError for files that are missing, changed, or of no such network."""
    config, weights = checked(model)
    return _open(config, weights, device)


@lru_cache(maxsize=2)
def _open(config: Path, weights: Path, device: str) -> Any:
    """Kept for the process: opening takes seconds; a perceiver does not hold it, as it may be pickled."""
    ensure_torchvision()
    import torch
    from transformers import AutoModel

    if device == "cuda" and not torch.cuda.is_available():
        raise PerceptionError("no CUDA device is here; use perception.options.device=cpu")
    if (config.name, weights.name) != ("config.json", "model.safetensors") or config.parent != weights.parent:
        raise PerceptionError(f"{config} and {weights} must be config.json and model.safetensors of one folder.")
    try:
        # a local folder: transformers reads exactly the two files that were checked
        network, found = AutoModel.from_pretrained(
            config.parent, local_files_only=True, use_safetensors=True, dtype=torch.float32, output_loading_info=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise PerceptionError(f"{weights} is not the network that {config} tells of: {str(error)[:200]}") from None
    # transformers fills what is missing with noise, and only warns of it
    if missing := [*found["missing_keys"], *found["mismatched_keys"]]:
        raise PerceptionError(f"{weights} is not the network that {config} tells of: it lacks {missing[0]}.")
    return network.eval().to(device)
