"""What stands out on a head: animal ears, which are a fault, and bows, hats and buns of hair, which are none."""

import numpy as np

from evalharness.demo.drawing.canvas import HAIR, Paint, Rgb, mix
from evalharness.demo.drawing.figure import INK, Figure
from evalharness.demo.drawing.geometry import Pairs, Points, bezier, ellipse, ribbon, scallop, smooth
from evalharness.demo.look import SCRUNCHIE_COLORS, Ears

PINK: Rgb = (244, 170, 176)
HAT_COLORS: tuple[Rgb, ...] = ((60, 62, 92), (196, 60, 70), (238, 234, 222), (96, 74, 58), (70, 120, 110))
# Right ears around x = 0 at the root, outside and inside, y as on the head; the lean carries them outwards.
EARS: dict[Ears, tuple[Pairs, Pairs]] = {
    "cat": (
        ((-0.36, -1.02), (-0.03, -1.6), (0.22, -1.95), (0.5, -1.5), (0.36, -0.98)),
        ((-0.17, -1.1), (0.1, -1.5), (0.209, -1.72), (0.36, -1.45), (0.17, -1.08)),
    ),
    "fox": (
        ((-0.38, -1.05), (-0.02, -1.75), (0.3, -2.3), (0.56, -1.6), (0.42, -0.95)),
        ((-0.17, -1.12), (0.1, -1.6), (0.28, -2.0), (0.4, -1.5), (0.2, -1.05)),
    ),
    "rabbit": (
        ((-0.3, -1.1), (-0.42, -2.4), (0.05, -2.75), (0.4, -2.3), (0.2, -1.05)),
        ((-0.14, -1.2), (-0.2, -2.2), (0.03, -2.5), (0.22, -2.1), (0.08, -1.15)),
    ),
    "bear": (
        ((-0.36, -1.1), (-0.34, -1.75), (0.05, -1.8), (0.52, -1.75), (0.42, -0.95)),
        ((-0.18, -1.16), (-0.16, -1.55), (0.05, -1.58), (0.32, -1.5), (0.22, -1.06)),
    ),
}


def draw_animal_ears(figure: Figure) -> None:
    """Two ears in the hair's colour, one in profile."""
    outer, inner = (np.array(points) for points in EARS[figure.look.ears])
    for place, sign in ((0.15, 1),) if figure.profile else ((0.72, -1), (0.72, 1)):
        _draw_ear(figure, outer, (sign, place), (figure.colors.hair_paint, 1.2))
        if not figure.behind:
            _draw_ear(figure, inner, (sign, place), (Paint(fill=PINK), 1.0))


def _draw_ear(figure: Figure, knots: Points, where: tuple[int, float], paint: tuple[Paint, float]) -> None:
    sign, place = where
    figure.canvas.shape(bezier((knots + np.array((place, 0.0))) * (sign, 1)), *paint)


def draw_buns(figure: Figure) -> None:
    """Two round buns of hair on the head, each with a turn of hair drawn in it."""
    random = figure.chance("buns")
    size, x = random.uniform(0.32, 0.44), random.uniform(0.72, 0.9)
    for sign in (1,) if figure.profile else (-1, 1):
        middle = (sign * x, -1.05 - 0.55 * size)
        figure.canvas.shape(ellipse(middle, (size, size)), figure.colors.hair_paint)
        figure.canvas.line(ellipse(middle, (0.55 * size, 0.5 * size))[:17], figure.colors.hair_strand, 0.7, HAIR)


def draw_ribbon(figure: Figure) -> None:
    """A bow on the head: in its middle, or to one side."""
    random = figure.chance("ribbon")
    color = list(SCRUNCHIE_COLORS.values())[int(random.integers(len(SCRUNCHIE_COLORS)))]
    paint = Paint(fill=color, line=mix(color, INK, 0.6))
    x, size = random.choice((-0.65, 0.0, 0.65)), random.uniform(0.4, 0.75)
    knot = np.array((x, -1.28 + 0.25 * abs(x)))
    for sign in (-1, 1):
        wing = np.array(((0.0, 0.0), (0.5, -0.55), (0.95, -0.5), (1.05, 0.0), (0.85, 0.3), (0.4, 0.25)))
        figure.canvas.shape(smooth(knot + size * wing * (sign, 1), closed=True), paint)
    figure.canvas.shape(ellipse((float(knot[0]), float(knot[1])), (0.2 * size, 0.22 * size)), paint)


def draw_hat(figure: Figure) -> None:
    """A knitted cap with a bobble, a cap with a peak, or a pointed hat with a brim."""
    random = figure.chance("hat")
    color = HAT_COLORS[int(random.integers(len(HAT_COLORS)))]
    HATS[int(random.integers(len(HATS)))](figure, Paint(fill=color, line=mix(color, INK, 0.7)))


def _knitted(figure: Figure, paint: Paint) -> None:
    figure.canvas.shape(ellipse((0.0, -1.95), (0.28, 0.26)), paint)
    figure.canvas.shape(smooth(((-1.2, -0.7), (-1.0, -1.4), (0.0, -1.85), (1.0, -1.4), (1.2, -0.7))), paint)
    figure.canvas.shape(ribbon(smooth(((-1.22, -0.68), (0.0, -1.02), (1.22, -0.68))), (0.3, 0.32, 0.3)), paint)


def _peaked(figure: Figure, paint: Paint) -> None:
    figure.canvas.shape(smooth(((-1.15, -0.75), (-0.9, -1.4), (0.0, -1.72), (0.9, -1.4), (1.15, -0.75))), paint)
    figure.canvas.shape(smooth(((-0.9, -0.9), (0.0, -1.12), (0.9, -0.9), (0.0, -0.68)), closed=True), paint)


def _pointed(figure: Figure, paint: Paint) -> None:
    lean = figure.chance("hat lean").uniform(-0.5, 0.5)
    figure.canvas.shape(smooth(((-0.85, -1.0), (-0.5, -1.7), (lean, -2.6), (0.5, -1.7), (0.85, -1.0))), paint)
    figure.canvas.shape(scallop((0.0, -0.98), (1.7, 0.24), waves=5), paint)


HATS = (_knitted, _peaked, _pointed)
