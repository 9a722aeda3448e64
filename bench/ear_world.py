"""Ears of many forms, and what only looks like ears or makes them hard to see, put onto drawings of heads.

Points are in head units, (0, 0) between the eyes and y downwards, as in HeadFrame; colours are 0-255 sRGB.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from evalharness.demo.drawing.geometry import bezier, ellipse, ribbon, smooth
from evalharness.perception.geometry import HeadFrame

Rng = np.random.Generator
Points = NDArray[np.float64]
FINE = 3
"""Shapes are drawn this many times as large, then averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A picture (RGB) with a head, its place, the colour of its hair, and where that hair is (H x W)."""

    image: Image.Image
    frame: HeadFrame
    color: Points
    hair: NDArray[np.bool_]

    def filled(self, shapes: list[Points], color: Points) -> "Head":
        """The head with closed shapes of one colour over it."""
        return replace(self, image=over(self.image, self.frame, shapes, color))

    def grown(self, shapes: list[Points], rng: Rng, lined: float = 0.8) -> "Head":
        """More hair: shapes in its colour, each with a darker line around it by the chance `lined`."""
        head = self
        for shape in shapes:
            if rng.random() < lined:
                closed = np.concatenate((shape, shape[:1]))
                head = head.filled([ribbon(closed, (0.05, 0.05))], self.color * rng.uniform(0.0, 0.7))
            head = head.filled([shape], self.color)
        new = np.asarray(cover(self.image.size, self.frame, shapes)) > 127
        return replace(head, hair=head.hair | new)

    def tinted(self, share: NDArray[np.float64], color: Points) -> "Head":
        """The head with another colour mixed into its hair, by a share for each pixel."""
        pixels = np.asarray(self.image, dtype=np.float64)
        mixed = pixels + (share * self.hair)[..., None] * (color - pixels)
        return replace(self, image=Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8)))


Touch = Callable[[Head, Rng], Head]


def over(image: Image.Image, frame: HeadFrame, shapes: list[Points], color: Points) -> Image.Image:
    """An image with filled shapes (head units) of one colour."""
    paint = Image.new("RGB", image.size, tuple(int(value) for value in np.clip(color, 0, 255)))
    return Image.composite(paint, image, cover(image.size, frame, shapes))


def cover(size: tuple[int, int], frame: HeadFrame, shapes: list[Points]) -> Image.Image:
    """How much of each pixel shapes cover, as an image of 0 to 255."""
    mask = Image.new("L", (FINE * size[0], FINE * size[1]), 0)
    pen = ImageDraw.Draw(mask)
    for shape in shapes:
        pen.polygon((FINE * frame.to_image(np.asarray(shape, dtype=np.float64))).ravel().tolist(), fill=255)
    return mask.resize(size, Image.Resampling.BOX)


def some_ears(head: Head, rng: Rng) -> Head:
    """Two ears of one random form: narrow or wide, pointed or round, upright or leaning outwards."""
    wide, tall, lean = rng.uniform(0.24, 0.5), rng.uniform(0.65, 1.3), rng.uniform(-0.1, 0.4)
    inner, outer = rng.uniform(0.35, 1.15, 2)
    knots = np.array(
        ((-wide, 0.1), (-wide * inner, -0.55 * tall), (lean, -tall), (wide * outer + lean / 2, -0.5 * tall))
    )
    form = (smooth if rng.random() < 0.5 else bezier)(np.concatenate((knots, ((wide, 0.25),))))
    x = rng.uniform(0.5, 0.95)
    root = np.array((x, 0.1 - 1.35 * np.sqrt(1.0 - (x / 1.3) ** 2)))
    within = (None, (244.0, 170.0, 176.0), (245.0, 245.0, 245.0), tuple(0.5 * head.color))[int(rng.integers(4))]
    for sign in (-1, 1):
        ear = form * rng.uniform(0.92, 1.08)
        head = head.grown([(ear + root) * (sign, 1)], rng)
        if within is not None:
            head = head.filled([(0.55 * ear + root) * (sign, 1)], np.array(within))
    return head


def spikes(head: Head, rng: Rng) -> Head:
    """Spiky hair: strands stand out all around the crown, in its middle, too."""
    count, sway = int(rng.integers(6, 15)), rng.uniform(-0.3, 0.3)
    turns = np.linspace(-1.7, 1.7, count) + rng.normal(0.0, 0.08, count)
    mean, wide = rng.uniform(1.4, 1.9), rng.uniform(0.1, 0.22)
    shapes = []
    for turn in turns:
        reach = mean * rng.uniform(0.85, 1.15)
        angles, radii = np.array((turn - wide, turn + sway, turn + wide)), np.array((1.0, reach, 1.0))
        shapes.append(np.stack((1.05 * radii * np.sin(angles), -0.15 - 1.1 * radii * np.cos(angles)), axis=1))
    return head.grown(shapes, rng, 0.8 * (rng.random() < 0.5))


def parted(head: Head, rng: Rng) -> Head:
    """Much hair that falls to both sides of a parting: two broad humps."""
    x, y = rng.uniform(0.4, 0.65), rng.uniform(-0.95, -0.7)
    across, up = rng.uniform(0.65, 0.95), rng.uniform(0.55, 0.95)
    humps = [ellipse((sign * x, y), (across, up)) for sign in (-1, 1)]
    above = [np.minimum(hump, (np.inf, -0.55)) for hump in humps]
    return head.grown(above, rng, 0.8 * (rng.random() < 0.5))


def volume(head: Head, rng: Rng) -> Head:
    """Hair that stands far off the head all around, with a dent in the middle or none."""
    turns = np.linspace(-1.9, 1.9, 40)
    dent = rng.uniform(0.0, 0.25) * np.exp(-((turns / rng.uniform(0.1, 0.4)) ** 2))
    reach = rng.uniform(1.2, 1.55) - dent + rng.normal(0.0, rng.uniform(0.0, 0.04), 40)
    circle = np.stack((np.sin(turns), -np.cos(turns)), axis=1)
    ring = np.concatenate((reach[:, None] * circle, circle[::-1])) * (1.05, 1.1) + (0.0, -0.1)
    return head.grown([ring], rng)


def antennae(head: Head, rng: Rng) -> Head:
    """One to four thin strands that stand up from the crown."""
    shapes = []
    for _ in range(int(rng.integers(1, 5))):
        x, tall, sway = rng.uniform(-0.8, 0.8), rng.uniform(0.3, 0.9), rng.normal(0.0, 0.4)
        line = bezier(((x, -1.1), (x + sway / 2, -1.3 - tall), (x + sway, -1.3 - tall * rng.uniform(0.3, 1.1))))
        shapes.append(ribbon(line, (rng.uniform(0.06, 0.2), rng.uniform(0.05, 0.15), 0.02)))
    return head.filled(shapes, head.color)


def side_buns(head: Head, rng: Rng) -> Head:
    """Round buns beside the head, from the temples up to the crown."""
    turn, size = rng.uniform(0.6, 1.7), rng.uniform(0.3, 0.55)
    reach = 1.1 + 0.6 * size
    x, y = reach * np.sin(turn), -0.15 - 1.05 * reach * np.cos(turn)
    return head.grown([ellipse((sign * x, y), (size, size)) for sign in (-1, 1)], rng)


def ornaments(head: Head, rng: Rng) -> Head:
    """Flowers, clips, a band over the hair, or two small bows, in other colours than the hair's."""
    color, shapes = rng.uniform(0, 255, 3), []
    if rng.random() < 0.4:
        y = rng.uniform(-1.25, -0.9)
        band = smooth(((-1.15, y + 0.65), (-0.7, y + 0.15), (0.0, y), (0.7, y + 0.15), (1.15, y + 0.65)))
        shapes.append(ribbon(band, (0.12, rng.uniform(0.1, 0.35), 0.12)))
    sides = (-1, 1) if rng.random() < 0.4 else (int(rng.choice((-1, 1))),)
    x, y, size = rng.uniform(0.5, 1.15), rng.uniform(-1.4, -0.5), rng.uniform(0.12, 0.4)
    for sign in sides:
        for turn in np.arange(0, 2 * np.pi, 2 * np.pi / int(rng.integers(2, 6))):
            middle = (sign * x + 0.6 * size * np.cos(turn), y + 0.6 * size * np.sin(turn))
            shapes.append(ellipse(middle, (0.55 * size, 0.45 * size)))
    return head.filled(shapes, color)


def loose(head: Head, rng: Rng) -> Head:
    """Strands drawn as lines that leave the head at both sides, from the crown downwards."""
    shapes = []
    for sign in (-1, 1):
        for _ in range(int(rng.integers(1, 4))):
            x, away, high = rng.uniform(0.0, 0.8), rng.uniform(1.25, 2.2), rng.uniform(-1.7, -0.6)
            line = bezier(((sign * x, -1.3), (sign * (x + away) / 2, high), (sign * away, rng.uniform(-0.4, 1.0))))
            shapes.append(ribbon(line, (0.04, rng.uniform(0.04, 0.14), 0.02)))
    return head.filled(shapes, head.color * rng.uniform(0.3, 1.0))


def shine(head: Head, rng: Rng) -> Head:
    """Bands of light or shade across the hair, with jagged or smooth edges."""
    x, y = head.frame.coordinates(head.hair.shape)
    share = np.zeros(head.hair.shape)
    for _ in range(int(rng.integers(1, 3))):
        middle = rng.uniform(-1.25, -0.6) + rng.uniform(0.0, 0.45) * x**2
        jag = rng.uniform(0.0, 0.25) * np.abs((x * rng.uniform(2, 7) + rng.uniform()) % 2.0 - 1.0)
        share = np.maximum(share, np.abs(y - middle - jag) < rng.uniform(0.05, 0.3))
    light = rng.random() < 0.75
    to = np.full(3, 255.0) if light else 0.2 * head.color
    return head.tinted(share * rng.uniform(0.35, 1.0), to)


def strands(head: Head, rng: Rng) -> Head:
    """Hair in ink: lines of another lightness from the crown outwards, few or so many that nothing else is left."""
    x, y = head.frame.coordinates(head.hair.shape)
    turn = np.arctan2(x, y + rng.uniform(1.5, 3.5)) + rng.normal(0.0, 0.02) * y
    bent = turn + rng.uniform(0.0, 0.05) * np.sin(y * rng.uniform(1, 6)) + 0.01 * np.sin(turn * 91.0)
    wave = np.sin(bent * rng.uniform(18, 110) + rng.uniform(0, 6)) + rng.normal(0.0, rng.uniform(0, 0.4), x.shape)
    to = np.full(3, 255.0) if head.color.mean() < 130 or rng.random() < 0.3 else np.full(3, 20.0)
    return head.tinted((wave > rng.uniform(-0.6, 0.8)) * rng.uniform(0.5, 1.0), to)


def inked(head: Head, rng: Rng) -> Head:
    """The picture in black and white, with little between."""
    grey = np.asarray(head.image.convert("L"), dtype=np.float64)
    middle, steep = rng.uniform(70, 190), rng.uniform(6, 60)
    hard = 255.0 / (1.0 + np.exp(-np.clip((grey - middle) / steep, -30, 30)))
    return replace(head, image=Image.fromarray(hard.astype(np.uint8)).convert("RGB"))


FORMS: tuple[tuple[float, Touch], ...] = (
    (0.22, spikes), (0.15, parted), (0.22, volume), (0.14, antennae), (0.14, side_buns), (0.2, ornaments),
    (0.14, loose),
)  # fmt: skip
"""What stands out on heads without ears, each by its own chance."""
WAYS: tuple[tuple[float, Touch], ...] = ((0.35, shine), (0.4, strands), (0.15, inked))
"""How hair and picture are drawn; ears are drawn so, too."""


def touched(head: Head, eared: bool, rng: Rng) -> Head:
    """The head with what may make it hard; on heads with ears all forms but volume and thin strands would hide them."""
    for chance, touch in FORMS:
        if rng.random() < chance * (0.4 if eared else 1.0) and not (eared and touch in (spikes, parted, side_buns)):
            head = touch(head, rng)
    for chance, touch in WAYS:
        if rng.random() < chance:
            head = touch(head, rng)
    return head


def beside(behind: Image.Image, frame: HeadFrame, color: Points, rng: Rng) -> Image.Image:
    """A background with things of nearly the hair's colour: dark corners, posts, and round things beside the head."""
    shapes: list[Points] = []
    for sign in (-1, 1):
        if rng.random() < 0.6:
            inner, low = rng.uniform(0.3, 1.6), rng.uniform(-1.6, 0.5)
            foot = inner + rng.uniform(0, 2)
            shapes.append(np.array(((inner, -5.0), (5.0, -5.0), (5.0, low), (foot, low))) * (sign, 1))
        if rng.random() < 0.4:
            middle = (sign * rng.uniform(0.9, 2.4), rng.uniform(-2.5, 0.0))
            shapes.append(ellipse(middle, (rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8))))
    near = color + rng.normal(0.0, 12.0, 3)
    return over(behind, frame, shapes, near) if shapes else behind


def closer(head: Head, eared: bool, rng: Rng) -> Head:
    """A close view: the frame cuts the head off above or at one side; ears stay in the picture for the most part."""
    top = rng.uniform(-2.7, -1.95) if eared else rng.uniform(-2.2, -0.8)
    sides = rng.uniform(1.5, 3.0, 2) if eared else rng.uniform(0.7, 3.0, 2)
    x, y = head.frame.origin
    unit, (width, height) = head.frame.unit, head.image.size
    left, right = max(0, round(x - sides[0] * unit)), min(width, round(x + sides[1] * unit))
    upper, lower = max(0, round(y + top * unit)), min(height, round(y + rng.uniform(1.3, 4.0) * unit))
    moved = replace(head.frame, origin=(x - left, y - upper))
    image = head.image.crop((left, upper, right, lower))
    return replace(head, image=image, frame=moved, hair=head.hair[upper:lower, left:right])
