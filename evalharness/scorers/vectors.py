"""Embeddings of pictures and texts, and how far they are apart."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from evalharness.types import Observation

Vectors = NDArray[np.float64]
Embeddings = tuple[tuple[float, ...], ...]


PICTURES = ("pictures", "likeness")
"""Who compares pictures with pictures: a model that was taught by pictures alone (DINO), else one that reads, too."""


def compared_by(observation: Observation) -> str | None:
    """The model whose embeddings of pictures are compared with each other; None where there is none."""
    judges = (observation.judges.get(question) for question in PICTURES)
    return next((model for model in judges if model in observation.embeddings), None)


def embeddings_by(model: str, observations: Iterable[Observation]) -> Embeddings:
    """A model's embeddings of those that have one."""
    return tuple(tuple(one.embeddings[model]) for one in observations if model in one.embeddings)


def cosines(ours: Vectors, theirs: Vectors) -> Vectors:
    """Cosines of embeddings (n, width) and (m, width), as (n, m)."""
    return np.asarray(_unit(ours) @ _unit(theirs).T)


def differences(ours: Vectors, theirs: Vectors) -> Vectors:
    """(1 - cosine) / 2 of embeddings (n, width) and (m, width), as (n, m) in 0..1."""
    return np.asarray(np.clip((1.0 - cosines(ours, theirs)) / 2.0, 0.0, 1.0))


def _unit(embeddings: Vectors) -> Vectors:
    return np.asarray(embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))
