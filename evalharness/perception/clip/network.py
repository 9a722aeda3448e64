"""A CLIP by open_clip, from files that were pinned: its config, its weights, its vocabulary; nothing is fetched."""

import json
from dataclasses import dataclass
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

VOCABULARY = "vocabulary.txt.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A CLIP that is ready, what turns texts into its tokens, and what its cosines are multiplied by."""

    network: Any
    tokenizer: Any
    scale: float


def image_embedding(image: Image.Image, model: Model, device: str) -> Numbers:
    """The picture's embedding (width,), of length 1."""
    import torch

    opened = opened_clip(model, device)
    seen = torch.from_numpy(numbers_of(image, model.input)).to(device)
    with torch.inference_mode():
        return np.asarray(_unit(opened.network.encode_image(seen), model)[0])


def text_embeddings(texts: list[str], model: Model, device: str) -> Numbers:
    """The texts' embeddings (n, width), of length 1; what is longer than the model reads is cut off."""
    import torch

    opened = opened_clip(model, device)
    with torch.inference_mode():
        # one at a time: a text's numbers must not depend on its neighbours'
        found = [_unit(opened.network.encode_text(opened.tokenizer([text]).to(device)), model)[0] for text in texts]
    return np.stack(found)


def opened_clip(model: Model, device: str) -> Opened:
    """The model on a device; raises PerceptionError for files that are missing, changed, or no CLIP of open_clip."""
    files = dict(zip(model.files, checked(model), strict=True))
    return _open(files["open_clip_config.json"], files["open_clip_model.safetensors"], files.get(VOCABULARY), device)


@lru_cache(maxsize=2)
def _open(config: Path, weights: Path, vocabulary: Path | None, device: str) -> Opened:
    """Kept for the process: opening takes seconds; a perceiver does not hold it, as it may be pickled."""
    open_clip = imported()
    import torch
    from safetensors.torch import load_file

    told = json.loads(config.read_text(encoding="utf-8"))["model_cfg"]
    if told.get("text_cfg", {}).get("hf_tokenizer_name"):
        raise PerceptionError(f"{config} asks for a tokenizer of the hub; only CLIPs with CLIP's own can be opened.")
    if device == "cuda" and not torch.cuda.is_available():
        raise PerceptionError("no CUDA device is here; use perception.options.device=cpu")
    try:
        network = open_clip.CLIP(**told)
        state = {name: value.float() for name, value in load_file(weights).items()}
        # counts of batches, which are not weights
        buffers = {name: value for name, value in network.state_dict().items() if not value.is_floating_point()}
        network.load_state_dict({**buffers, **state})
    except (TypeError, RuntimeError, ValueError) as error:
        raise PerceptionError(f"{weights} is not the CLIP that {config} tells of: {str(error)[:200]}") from None
    length = told.get("text_cfg", {}).get("context_length", 77)
    own = {} if vocabulary is None else {"bpe_path": str(vocabulary)}
    tokenizer = open_clip.SimpleTokenizer(context_length=length, **own)
    return Opened(
        network=network.eval().to(device), tokenizer=tokenizer, scale=float(network.logit_scale.detach().exp())
    )


def imported() -> Any:
    """The library; raises PerceptionError that says how to install it."""
    try:
        ensure_torchvision()
        import open_clip
    except ImportError as error:
        raise PerceptionError(
            f"perception clip needs open_clip ({error}); install it: pip install 'evalharness[clip]'"
        ) from None
    return open_clip


def _unit(found: Any, model: Model) -> Numbers:
    numbers = np.asarray(found.float().cpu().numpy(), dtype=np.float32)
    length = np.linalg.norm(numbers, axis=1, keepdims=True)
    if not np.isfinite(numbers).all() or not (length > 0.0).all():
        raise PerceptionError(f"model {model.name} answers with numbers that are not finite.")
    return np.asarray(numbers / length, dtype=np.float32)
