"""Head units: coordinates in which every upright face has its eyes and its mouth at the same places."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from evalharness.types import Box

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadFrame:
    """Where a head is: `origin` lies between the eyes, `unit` is half a face's width, both in pixels.

    `angle` is the tilt in degrees, clockwise positive. In head units x points to the image's right and y to the
    chin; eyes are near (-0.46, 0) and (0.46, 0), the chin near (0, 0.95).
    """

    origin: tuple[float, float]
    unit: float
    angle: float = 0.0

    def to_image(self, points: Array) -> Array:
        """Points (n, 2) in head units to pixels."""
        x, y = points[:, 0] * self.unit, points[:, 1] * self.unit
        cos, sin = self._turn()
        return np.stack((x * cos - y * sin + self.origin[0], x * sin + y * cos + self.origin[1]), axis=1)

    def from_image(self, points: Array) -> Array:
        """Points (n, 2) in pixels to head units."""
        return np.stack(self._upright(points[:, 0], points[:, 1]), axis=1)

    def coordinates(self, shape: tuple[int, ...]) -> tuple[Array, Array]:
        """The x and y in head units of every pixel of an image of `shape` (height, width, ...)."""
        columns, rows = np.arange(shape[1], dtype=np.float64), np.arange(shape[0], dtype=np.float64)
        return self._upright(columns[None, :] + 0.5, rows[:, None] + 0.5)

    def scaled(self, factor: float) -> "HeadFrame":
        """The same head in an image resized by `factor`."""
        x, y = self.origin
        return HeadFrame(origin=(x * factor, y * factor), unit=self.unit * factor, angle=self.angle)

    def _upright(self, x: Array, y: Array) -> tuple[Array, Array]:
        right, down = (x - self.origin[0]) / self.unit, (y - self.origin[1]) / self.unit
        cos, sin = self._turn()
        return right * cos + down * sin, down * cos - right * sin

    def _turn(self) -> tuple[float, float]:
        turn = np.deg2rad(self.angle)
        return float(np.cos(turn)), float(np.sin(turn))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """An upright view of a head: `lab` (height, width, 3) with `PER_UNIT` pixels a head unit."""

    frame: HeadFrame
    lab: Array

    def window(self, values: Array, x: tuple[float, float], y: tuple[float, float]) -> Array:
        """The part of `values` (height, width, ...) between two x and two y, given in head units."""
        left, right = (int(np.clip(column_of(value), 0, values.shape[1])) for value in x)
        top, bottom = (int(np.clip(row_of(value), 0, values.shape[0])) for value in y)
        return values[top:bottom, left:right]


PER_UNIT = 32
"""Pixels of a crop a head unit: a face is then 64 pixels wide."""
LEFT, RIGHT, TOP, BOTTOM = -1.3, 1.3, -1.5, 1.3


def column_of(x: float) -> int:
    """The column of a crop at x."""
    return round((x - LEFT) * PER_UNIT)


def row_of(y: float) -> int:
    """The row of a crop at y."""
    return round((y - TOP) * PER_UNIT)


@cache
def crop_coordinates() -> tuple[Array, Array]:
    """The x and y in head units of every pixel of a crop."""
    y, x = np.mgrid[TOP : BOTTOM : 1 / PER_UNIT, LEFT : RIGHT : 1 / PER_UNIT]
    return x, y


def head_window(frame: HeadFrame, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels of an image that a head's crop needs: left, top, right, bottom."""
    places, limit = _places(frame), np.array((width, height))
    low = np.clip(places.min(axis=0).astype(int) - 2, 0, limit - 1)
    high = np.clip(places.max(axis=0).astype(int) + 3, low + 1, limit)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def crop_window(near: Array, corner: tuple[int, int], frame: HeadFrame) -> Crop:
    """A head, upright and at the crop's scale, from its window alone (height, width, 3); edges are repeated outside.

    `corner` is the window's left and top.
    """
    shrink = frame.unit / PER_UNIT
    # only a shrinking view needs smoothing first, or thin strokes fall between the samples
    smooth = ndimage.gaussian_filter(near, (0.5 * shrink, 0.5 * shrink, 0)) if shrink > 1.3 else near
    at = (_places(frame) - corner).T[::-1]
    channels = [ndimage.map_coordinates(plane, at, order=1, mode="nearest") for plane in np.moveaxis(smooth, 2, 0)]
    return Crop(frame=frame, lab=np.stack(channels, axis=1).reshape(*crop_coordinates()[0].shape, 3))


def _places(frame: HeadFrame) -> Array:
    """Where in the image the pixels of a head's crop lie (n, 2)."""
    xs, ys = crop_coordinates()
    return frame.to_image(np.stack((xs.ravel(), ys.ravel()), axis=1)) - 0.5


def box_of(frame: HeadFrame, x: tuple[float, float], y: tuple[float, float]) -> Box:
    """The upright box in pixels around a rectangle in head units."""
    corners = frame.to_image(np.array([(a, b) for a in x for b in y]))
    return box_around(corners)


def box_around(points: Array) -> Box:
    """The box around points (n, 2)."""
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    return Box(x=float(left), y=float(top), width=float(right - left), height=float(bottom - top))
