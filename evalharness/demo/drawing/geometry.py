"""Curves as point arrays: every function returns float64 points of shape (n, 2), x to the right and y down."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Pairs = Sequence[tuple[float, float] | Points] | Points


@cache
def _catmull_rom(steps: int) -> Points:
    t = np.linspace(0.0, 1.0, steps, endpoint=False)
    columns = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3)
    return np.stack(columns, axis=1) / 2


@cache
def _bernstein(steps: int) -> Points:
    t = np.linspace(0.0, 1.0, steps, endpoint=False)
    return np.stack(((1 - t) ** 2, 2 * t * (1 - t), t**2), axis=1)


def smooth(points: Pairs, *, closed: bool = False, steps: int = 7) -> Points:
    """Catmull-Rom curve through all points, `steps` points a segment."""
    knots = np.asarray(points, dtype=np.float64)
    ring = np.concatenate((knots[-1:], knots, knots[:2]) if closed else (knots[:1], knots, knots[-1:]))
    windows = np.stack((ring[:-3], ring[1:-2], ring[2:-1], ring[3:]), axis=1)
    curve = np.asarray(np.einsum("sk,nkd->nsd", _catmull_rom(steps), windows)).reshape(-1, 2)
    return curve if closed else np.concatenate((curve, knots[-1:]))


def bezier(points: Pairs, *, steps: int = 7) -> Points:
    """Chain of quadratic Bezier pieces: knot, control, knot, control, ..., knot (an odd number of points)."""
    knots = np.asarray(points, dtype=np.float64)
    pieces = np.stack((knots[:-2:2], knots[1:-1:2], knots[2::2]), axis=1)
    curve = np.asarray(np.einsum("sk,nkd->nsd", _bernstein(steps), pieces)).reshape(-1, 2)
    return np.concatenate((curve, knots[-1:]))


def ellipse(center: tuple[float, float], radius: tuple[float, float], *, count: int = 26) -> Points:
    """Closed ellipse."""
    angle = np.linspace(0.0, 2 * np.pi, count, endpoint=False)
    return np.stack((center[0] + radius[0] * np.cos(angle), center[1] + radius[1] * np.sin(angle)), axis=1)


def scallop(center: tuple[float, float], radius: tuple[float, float], *, waves: int = 7) -> Points:
    """Closed wavy ellipse: a gathered piece of cloth, a cloud, a tree crown."""
    angle = np.linspace(0.0, 2 * np.pi, waves * 7, endpoint=False)
    swell = 0.86 + 0.16 * np.abs(np.sin(angle * waves / 2))
    return np.stack((center[0] + radius[0] * swell * np.cos(angle), center[1] + radius[1] * swell * np.sin(angle)), 1)


def ribbon(spine: Points, widths: Sequence[float]) -> Points:
    """Closed band along a spine; `widths` (full widths, same unit) are spread evenly over its length."""
    along = np.linspace(0.0, 1.0, len(spine))
    half = np.interp(along, np.linspace(0.0, 1.0, len(widths)), widths)[:, None] / 2
    tangent = np.gradient(spine, axis=0)
    length = np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-9)[:, None]
    normal = np.stack((-tangent[:, 1], tangent[:, 0]), axis=1) / length
    return np.concatenate((spine + normal * half, (spine - normal * half)[::-1]))


def mirrored(points: Pairs) -> Points:
    """The same points on the other side of x = 0."""
    flipped: Points = np.asarray(points, dtype=np.float64) * np.array([-1.0, 1.0])
    return flipped


def symmetric(right: Pairs) -> Points:
    """Points down the right side, then their mirror images back up the left."""
    half = np.asarray(right, dtype=np.float64)
    left = mirrored(half)[::-1]
    return np.concatenate((half, left[np.abs(left[:, 0]) > 1e-9]))
