"""The colours an image is made of: a small deterministic k-means, and who is nearest to a pixel."""

import numpy as np
from numpy.typing import NDArray

from evalharness.perception.geometry import Array

ROUNDS = 8
"""Rounds of k-means; centres of flat drawings stand still earlier."""


def clusters(pixels: Array, count: int) -> Array:
    """At most `count` centres (k, 3) of Lab pixels (n, 3), begun at the pixels farthest from those begun with.

    Deterministic: farthest-point start from the median (Gonzalez 1985), then Lloyd's rounds.
    """
    sample = pixels[:: max(1, len(pixels) // 2000)]
    centers = [np.median(sample, axis=0)]
    nearest = np.linalg.norm(sample - centers[0], axis=1)
    while len(centers) < count and np.max(nearest) > 10.0:
        centers.append(sample[int(np.argmax(nearest))])
        nearest = np.minimum(nearest, np.linalg.norm(sample - centers[-1], axis=1))
    return _lloyd(sample, np.array(centers))


def _lloyd(sample: Array, centers: Array) -> Array:
    for _ in range(ROUNDS):
        owner = labels(sample, centers)
        centers = np.array(
            [sample[owner == k].mean(axis=0) if (owner == k).any() else centers[k] for k in range(len(centers))]
        )
    return centers


def labels(pixels: Array, centers: Array) -> NDArray[np.intp]:
    """The index of the nearest centre for every pixel (..., 3)."""
    return np.asarray(np.argmin(np.linalg.norm(pixels[..., None, :] - centers, axis=-1), axis=-1))


def nearest_distance(lab: Array, centers: Array, lightness: float) -> Array:
    """Distance of every pixel to its nearest centre, lightness weighted by `lightness`; infinite without centres."""
    best = np.full(lab.shape[:-1], np.inf)
    for center in centers:
        best = np.minimum(best, squared_distance(lab, center, lightness))
    return np.asarray(np.sqrt(best))


def squared_distance(lab: Array, center: Array, lightness: float) -> Array:
    """The square of every pixel's distance to a colour; by planes, since a sum over pixels of three numbers is slow."""
    light, a, b = ((lab[..., channel] - center[channel]) for channel in range(3))
    return np.asarray((light * lightness) ** 2 + a**2 + b**2)
