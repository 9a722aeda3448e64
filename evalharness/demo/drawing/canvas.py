"""A surface to draw on in units of the character, and which of its pixels are hair."""

import dataclasses

import numpy as np
from PIL import Image, ImageDraw

from evalharness.demo.drawing.geometry import Pairs, Points

Rgb = tuple[int, int, int]
Box = tuple[int, int, int, int]

# The alpha channel says what a pixel shows. Pillow replaces RGBA pixels instead of blending them, so one
# pass of drawing gives the picture and its masks.
BACKGROUND, FIGURE, TIE, HAIR = 0, 128, 192, 255


def mix(color: Rgb, other: Rgb, share: float) -> Rgb:
    """`color` moved towards `other` by `share` in [0, 1]."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return red, green, blue


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """How a closed shape looks: fill, line colour (None: no line) and layer."""

    fill: Rgb
    line: Rgb | None = None
    layer: int = FIGURE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """An RGBA image and the affine map from units to its pixels; `line_width` is in units."""

    image: Image.Image
    pen: ImageDraw.ImageDraw
    matrix: Points
    offset: Points
    line_width: float = 0.035

    @classmethod
    def blank(cls, pixels: int) -> "Canvas":
        """A square canvas whose unit is the whole image, its origin at the top left."""
        image = Image.new("RGBA", (pixels, pixels), (255, 255, 255, BACKGROUND))
        return cls(image=image, pen=ImageDraw.Draw(image), matrix=np.eye(2) * pixels, offset=np.zeros(2))

    def placed(self, matrix: Pairs, offset: tuple[float, float]) -> "Canvas":
        """The same image seen from inside: new units are mapped by `matrix`, then `offset`, to the present ones."""
        inner = np.asarray(matrix, dtype=np.float64)
        start = self.offset + self.matrix @ np.asarray(offset, dtype=np.float64)
        return dataclasses.replace(self, matrix=self.matrix @ inner, offset=start)

    def fill(self, points: Pairs, color: Rgb, layer: int = FIGURE) -> None:
        """Fill a closed shape."""
        self.pen.polygon(self._flat(points), fill=(*color, layer))

    def line(self, points: Pairs, color: Rgb, width: float = 1.0, layer: int = FIGURE) -> None:
        """Draw an open line, `width` times the canvas's line width."""
        self.pen.line(self._flat(points), fill=(*color, layer), width=self._thickness(width))

    def shape(self, points: Pairs, paint: Paint, width: float = 1.0) -> None:
        """Fill a closed shape and draw its outline."""
        flat = self._flat(points)
        self.pen.polygon(flat, fill=(*paint.fill, paint.layer))
        if paint.line is not None:
            self.pen.line(flat + flat[:2], fill=(*paint.line, paint.layer), width=self._thickness(width))

    def pixels(self, points: Pairs) -> Points:
        """Where points lie, in pixels of this image."""
        return np.asarray(points, dtype=np.float64) @ self.matrix.T + self.offset

    def _flat(self, points: Pairs) -> list[float]:
        flat: list[float] = self.pixels(points).ravel().tolist()
        return flat

    def _thickness(self, width: float) -> int:
        unit = float(np.sqrt(abs(np.linalg.det(self.matrix))))
        return max(1, round(self.line_width * width * unit))


def bounds(points: Points, scale: float, size: int) -> Box:
    """The box (left, top, right, bottom) around points, scaled to and cut at an image of `size` pixels."""
    low, high = points.min(axis=0) * scale, points.max(axis=0) * scale
    left, top = np.clip(np.floor(low), 0, size)
    right, bottom = np.clip(np.ceil(high), 0, size)
    return int(left), int(top), int(right), int(bottom)
