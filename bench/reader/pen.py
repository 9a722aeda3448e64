"""A grey surface in face units: lines of varying width, filled shapes, and the turn of the head."""

from dataclasses import dataclass
from functools import cache
from math import cos, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.interpolate import CubicSpline

Points = NDArray[np.float64]
PER_UNIT = 100
"""Pixels of the surface a face unit; the crop that the net sees has about half of that."""
REACH = 1.7
"""The surface shows -REACH to REACH in both directions."""
SIDE = round(2 * REACH * PER_UNIT)


@dataclass(slots=True, kw_only=True)
class Pen:
    """Draws on `image` (mode L); `yaw` and `pitch` turn the head, in radians."""

    image: Image.Image
    yaw: float = 0.0
    pitch: float = 0.0

    def turned(self, points: Points) -> Points:
        """Face units on the flat drawing -> face units as the turned head shows them."""
        x, y = points[:, 0], points[:, 1]
        depth = np.sqrt(np.maximum(1.0 - 0.64 * x * x, 0.0))
        turned = np.empty_like(points)
        turned[:, 0] = x * cos(self.yaw) + (0.9 * sin(self.yaw)) * (depth - 0.5)
        turned[:, 1] = y + (0.3 * sin(self.pitch)) * depth * (1.0 - 0.3 * y)
        return turned

    def pixels(self, points: Points) -> list[float]:
        """Face units to pixels, flat, as Pillow wants them."""
        pixels: list[float] = ((self.turned(points) + REACH) * PER_UNIT).ravel().tolist()
        return pixels

    def fill(self, points: Points, shade: float) -> None:
        """A closed shape; shade 0 (black) to 255."""
        ImageDraw.Draw(self.image).polygon(self.pixels(points), fill=round(min(max(shade, 0.0), 255.0)))

    def line(self, points: Points, widths: tuple[float, ...], shade: float) -> None:
        """An open line whose width, in face units, follows `widths` along it."""
        if len(points) < 2:
            return
        width = (
            np.interp(steps(len(points)), steps(len(widths)), widths)
            if len(widths) > 1
            else np.full(len(points), widths[0])
        )
        self.fill(ribbon(points, np.maximum(width, 0.012)), shade)

    def paste(self, tone: NDArray[np.uint8], mask: Image.Image) -> None:
        """Put a pattern (SIDE x SIDE) where `mask` is white."""
        self.image.paste(Image.fromarray(tone), mask=mask)

    def mask(self, points: Points) -> Image.Image:
        """A mask of a closed shape."""
        mask = Image.new("L", self.image.size, 0)
        ImageDraw.Draw(mask).polygon(self.pixels(points), fill=255)
        return mask


@cache
def steps(count: int) -> Points:
    """`count` steps from 0 to 1."""
    return np.linspace(0.0, 1.0, count)


def ribbon(points: Points, width: Points) -> Points:
    """The outline of a line of varying width."""
    moves = points[1:] - points[:-1]
    along = np.concatenate((moves[:1], moves[1:] + moves[:-1], moves[-1:]))
    across = along[:, ::-1] * (-1.0, 1.0)
    side = across * (width / (2 * np.maximum(np.sqrt((across**2).sum(1)), 1e-9)))[:, None]
    return np.concatenate((points + side, (points - side)[::-1]))


def curve(*knots: tuple[float, float], count: int = 14) -> Points:
    """A smooth line through the knots: a parabola through three, straight through two, else a cubic spline."""
    at, t = np.array(knots, dtype=np.float64), steps(count)[:, None]
    if len(at) == 2:
        return np.asarray(at[0] + t * (at[1] - at[0]))
    if len(at) == 3:
        bend = 2 * at[0] - 4 * at[1] + 2 * at[2]
        return np.asarray(at[0] + t * (at[2] - at[0] - bend) + t**2 * bend)
    return np.asarray(CubicSpline(steps(len(at)), at)(t[:, 0]))


ROUND = np.stack(
    (np.cos(np.linspace(0, 2 * np.pi, 24, endpoint=False)), np.sin(np.linspace(0, 2 * np.pi, 24, endpoint=False))),
    axis=1,
)


def shifted(points: Points, x: float, y: float) -> Points:
    """The same points moved."""
    return np.asarray(points + np.array((x, y)))


def oval(x: float, y: float, rx: float, ry: float) -> Points:
    """An ellipse."""
    return np.asarray(ROUND * (rx, ry) + (x, y))
