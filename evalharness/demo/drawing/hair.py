"""Hair on the head: the mass behind, the cap, bangs, side locks and the ahoge."""

import itertools

import numpy as np

from evalharness.demo.drawing.canvas import HAIR
from evalharness.demo.drawing.figure import Figure
from evalharness.demo.drawing.geometry import Pairs, Points, bezier, ribbon, smooth, symmetric

SHORT_BACK = ((0, -1.36), (0.7, -1.2), (1.1, -0.62), (1.14, 0.0), (1.02, 0.55), (0.78, 0.86), (0.4, 0.92), (0, 0.95))
LONG_BACK = (
    (0, -1.38), (0.74, -1.22), (1.16, -0.62), (1.24, 0.1), (1.36, 0.9), (1.52, 1.7), (1.62, 2.3), (1.3, 2.18),
    (1.12, 2.42), (0.8, 2.2), (0.45, 2.45), (0.2, 2.25), (0, 2.4),
)  # fmt: skip
SHORT_PROFILE = (
    (-0.8, -0.72),
    (-0.5, -1.2),
    (0.1, -1.4),
    (0.75, -1.2),
    (1.18, -0.6),
    (1.2, 0.0),
    (0.98, 0.55),
    (0.62, 0.95),
    (0.3, 0.7),
    (0.2, 0.0),
    (-0.1, -0.5),
)
LONG_PROFILE = (
    (-0.8, -0.72), (-0.5, -1.2), (0.1, -1.4), (0.78, -1.2), (1.24, -0.6), (1.32, 0.2), (1.42, 1.1), (1.6, 2.0),
    (1.35, 2.4), (1.15, 2.15), (0.8, 2.45), (0.6, 2.1), (0.45, 1.0), (0.2, 0.2), (-0.1, -0.5),
)  # fmt: skip
CAP_BEHIND = (
    (0, -1.38),
    (0.72, -1.2),
    (1.12, -0.62),
    (1.16, 0.05),
    (1.04, 0.6),
    (0.82, 0.98),
    (0.55, 0.9),
    (0.28, 1.08),
    (0, 0.94),
)


def draw_back_hair(figure: Figure) -> None:
    """The mass behind neck and shoulders."""
    if figure.behind:
        return
    long = figure.look.hairstyle == "down"
    if figure.profile:
        figure.canvas.shape(smooth(LONG_PROFILE if long else SHORT_PROFILE, closed=True), figure.colors.hair_back)
        return
    figure.canvas.shape(smooth(symmetric(LONG_BACK if long else SHORT_BACK), closed=True), figure.colors.hair_back)


def draw_front_hair(figure: Figure) -> None:
    """All hair that lies over the face or, from behind, over the back of the head."""
    if figure.behind:
        _draw_behind(figure)
    elif figure.profile:
        _draw_profile(figure)
    else:
        _draw_front(figure)
    if figure.look.ahoge:
        _draw_ahoge(figure)


def _draw_front(figure: Figure) -> None:
    canvas, paint = figure.canvas, figure.colors.hair_paint
    side_length = 2.25 if figure.look.hairstyle == "down" else 0.85
    random = figure.chance("locks")
    for sign in (-1, 1):
        length = side_length + random.uniform(-0.12, 0.12)
        spine = bezier(((0.93, -0.7), (1.16, 0.1), (1.0 + 0.1 * length, length)))
        width = 0.3 + random.uniform(0.0, 0.08)
        canvas.shape(ribbon(spine * (sign, 1), (width * 0.8, width, width * 0.9, 0.03)), paint)
    edge = _fringe(figure, -1.0, 1.0)
    top = smooth(((1.1, -0.1), (1.09, -0.62), (0.7, -1.2), (0, -1.39), (-0.7, -1.2), (-1.09, -0.62), (-1.1, -0.1)))
    canvas.shape(np.concatenate((edge, top)), paint)
    _draw_shine(figure, ((-0.8, -0.82), (-0.35, -1.02), (0.1, -1.06), (0.5, -0.98), (0.82, -0.8)))
    _draw_strands(figure, _partings(figure))


def _fringe(figure: Figure, start: float, end: float) -> Points:
    """The lower edge of the bangs as pointed strands from x = start to x = end."""
    random = figure.chance("bangs")
    count = int(random.integers(4, 8))
    lean = random.uniform(-0.14, 0.14)
    roots = np.linspace(start, end, count + 1) + np.pad(random.uniform(-0.05, 0.05, count - 1), 1)
    part = random.choice((0.0, 0.0, 0.22, 0.3))
    knots: list[tuple[float, float]] = [(start * 1.1, -0.1)]
    for left, right in itertools.pairwise(roots):
        middle = (left + right) / 2
        tip = (middle + lean * (right - left) * 2.4, -0.2 + random.uniform(-0.1, 0.07) - part * (1 - abs(middle)))
        valley = (right, random.uniform(-0.62, -0.5) + 0.3 * right**2)
        knots += [(left + 0.02, tip[1] - 0.12), tip, (right - 0.03, tip[1] - 0.18), valley]
    knots[-1] = (end * 1.1, -0.1)
    return bezier(knots)


def _partings(figure: Figure) -> tuple[Points, ...]:
    random = figure.chance("partings")
    roots = np.linspace(-0.75, 0.75, 5) + random.uniform(-0.08, 0.08, 5)
    return tuple(bezier(((x * 0.3, -1.3), (x * 0.95, -1.1), (x, random.uniform(-0.75, -0.6)))) for x in roots)


def _draw_shine(figure: Figure, line: Pairs) -> None:
    spine = smooth(line)
    wave = 0.05 * np.sin(np.linspace(0, 9, len(spine)) * np.pi)
    spine[:, 1] += wave
    figure.canvas.fill(ribbon(spine, (0.02, 0.1, 0.13, 0.1, 0.02)), figure.colors.hair_light, HAIR)


def _draw_strands(figure: Figure, strands: tuple[Points, ...]) -> None:
    for strand in strands:
        figure.canvas.line(strand, figure.colors.hair_strand, 0.7, HAIR)


def _draw_profile(figure: Figure) -> None:
    canvas, paint = figure.canvas, figure.colors.hair_paint
    random = figure.chance("bangs")
    tips = np.array(((-0.93, -0.2), (-0.72, -0.26), (-0.45, -0.22))) + random.uniform(-0.06, 0.06, (3, 2))
    edge = bezier((
        (-0.86, -0.8), (-1.02, -0.4), tips[0], (-0.8, -0.5), (-0.76, -0.58), (-0.78, -0.4), tips[1], (-0.55, -0.45),
        (-0.5, -0.58), (-0.52, -0.4), tips[2], (-0.3, -0.4), (-0.18, -0.5), (-0.14, 0.2), (-0.1, 0.82), (0.04, 0.55),
        (0.1, 0.42), (0.16, 0.66), (0.3, 0.78), (0.36, 0.72), (0.42, 0.66), (0.5, 0.85), (0.62, 1.05), (0.7, 1.0),
    ))  # fmt: skip
    rear = smooth(
        ((0.7, 1.0), (0.98, 0.55), (1.2, 0.0), (1.18, -0.6), (0.75, -1.2), (0.1, -1.4), (-0.5, -1.22), (-0.86, -0.8))
    )
    canvas.shape(np.concatenate((edge, rear)), paint)
    _draw_shine(figure, ((-0.6, -0.85), (-0.2, -1.0), (0.3, -1.02), (0.8, -0.8)))
    target = np.array((1.05, -0.45) if figure.look.hairstyle != "down" else (0.9, 0.7))
    starts = ((-0.3, -1.15), (0.2, -1.2), (0.25, 0.0), (0.5, 0.5), (0.7, -1.05))
    _draw_strands(figure, tuple(bezier((start, (start + target) / 2 + (0.05, -0.1), target)) for start in starts))


def _draw_behind(figure: Figure) -> None:
    canvas, paint = figure.canvas, figure.colors.hair_paint
    long = figure.look.hairstyle == "down"
    canvas.shape(smooth(symmetric(LONG_BACK if long else CAP_BEHIND), closed=True), paint)
    _draw_shine(figure, ((-0.85, -0.7), (-0.35, -0.9), (0.1, -0.93), (0.5, -0.86), (0.86, -0.68)))
    target = _gathering(figure)
    roots = ((-0.9, -0.5), (-0.95, 0.2), (-0.6, 0.75), (-0.2, 0.9), (0.2, 0.9), (0.6, 0.75), (0.95, 0.2), (0.9, -0.5))
    if target is None:
        _draw_strands(
            figure,
            tuple(bezier(((x * 0.4, -1.0), (x, 0.2), (x * 1.25, 2.0))) for x in (-0.9, -0.5, -0.15, 0.2, 0.55, 0.9)),
        )
        return
    _draw_strands(
        figure,
        tuple(bezier((root, np.array(root) * 0.6 + target * 0.4, root + (target - root) * 0.8)) for root in roots),
    )


def _gathering(figure: Figure) -> Points | None:
    """Where combed strands run to, seen from behind."""
    points = {"ponytail": (0.0, -0.4), "side_ponytail": (0.95 * figure.tail_sign, -0.2), "twin_tails": (0.0, -1.1)}
    found = points.get(figure.look.hairstyle)
    return None if found is None else np.array(found)


def _draw_ahoge(figure: Figure) -> None:
    random = figure.chance("ahoge")
    sway = random.choice((-1, 1)) * random.uniform(0.8, 1.2)
    spine = bezier(((0.0, -1.3), (-0.02 * sway, -1.72), (0.3 * sway, -1.78), (0.55 * sway, -1.78), (0.56 * sway, -1.5)))
    figure.canvas.shape(ribbon(spine, (0.2, 0.17, 0.13, 0.02)), figure.colors.hair_paint)
