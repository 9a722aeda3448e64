"""Who a drawn character is, by CCIP: an embedding of the picture, whose differences tell characters apart."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.models.cache import checked
from evalharness.models.table import Model
from evalharness.perception.anime.picture import numbers_of
from evalharness.perception.anime.session import Numbers, Runtime, answers

DIGITS = 5
"""Of an embedding's numbers: enough that differences keep four digits."""


def embedding_of(image: Image.Image, model: Model, runtime: Runtime) -> tuple[float, ...]:
    """The picture's embedding; raises PerceptionError where the model's metric head is not what scorers take it for.

    Scorers see no models: `identity` computes differences by `half_cosine`, so the head must agree with it.
    """
    network, head = checked(model)
    found = answers(network, runtime, numbers_of(image, model.input))
    if found.ndim != 2 or len(found) != 1 or not np.isfinite(found).all() or not found.any():
        raise PerceptionError(f"model {model.name} answers {found.shape} to one picture, not an embedding.")
    if not _is_half_cosine(head, runtime, found.shape[1]):
        raise PerceptionError(f"the metric head of model {model.name} is not (1 - cosine) / 2; identity cannot use it.")
    return tuple(float(f"{value:.{DIGITS}g}") for value in found[0])


@lru_cache
def _is_half_cosine(head: Path, runtime: Runtime, width: int) -> bool:
    """Whether a metric head maps random embeddings to the differences that the formula gives."""
    some = np.random.default_rng(0).normal(size=(6, width)).astype(np.float32)
    found = answers(head, runtime, some)
    return found.shape == (6, 6) and bool(np.allclose(found, half_cosine(some), atol=1e-4))


def half_cosine(embeddings: Numbers) -> Numbers:
    """Differences of embeddings (n, width) as (n, n) in 0..1."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    return np.asarray(np.clip((1.0 - unit @ unit.T) / 2.0, 0.0, 1.0), dtype=np.float32)
