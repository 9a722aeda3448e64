"""Things that should not be there: rope, a second pair of eyes or mouth, and a blurred picture."""

import dataclasses

import numpy as np
from PIL import Image, ImageFilter

from evalharness.demo.drawing.canvas import Paint, Rgb
from evalharness.demo.drawing.eyes import Eye
from evalharness.demo.drawing.figure import Figure
from evalharness.demo.drawing.geometry import Points, bezier, ribbon

ROPE: Rgb = (206, 164, 104)
ROPE_DARK: Rgb = (112, 72, 34)
BLUR = 0.016
"""Radius of the blur as a share of the image's side."""


def draw_rope(figure: Figure) -> None:
    """A thick twisted rope: three turns around the chest, and one end that hangs down over them."""
    random = figure.chance("rope")
    reach = 1.15 if figure.profile else 1.62
    tilt = random.uniform(-0.06, 0.06)
    for y in (1.48, 1.95, 2.42):
        _draw_turn(figure, bezier(((-reach, y - tilt), (0, y + 0.2), (reach, y + tilt))))
    x = random.uniform(-0.35, 0.35)
    _draw_turn(figure, bezier(((x, 1.5), (x + 0.1, 2.1), (x - 0.05, 2.8))))


def _draw_turn(figure: Figure, spine: Points) -> None:
    figure.canvas.shape(ribbon(spine, (0.26, 0.26)), Paint(fill=ROPE, line=ROPE_DARK), 1.2)
    steps = np.linspace(0, len(spine) - 1, 10)
    index = np.arange(len(spine))
    for place in np.stack((np.interp(steps, index, spine[:, 0]), np.interp(steps, index, spine[:, 1])), axis=1):
        figure.canvas.line(place + np.array(((-0.08, 0.11), (0.08, -0.11))), ROPE_DARK, 1.3)


def second_eyes(figure: Figure, eyes: tuple[Eye, ...]) -> tuple[Eye, ...]:
    """Smaller eyes below or above the first: both, or the one of a side."""
    random = figure.chance("doubled")
    below, chosen, size = random.random() < 0.6, random.random(), random.uniform(0.7, 0.95)
    away = (1 if below else -1) * (random.uniform(0.1, 0.16) + 0.6 * eyes[0].height) if eyes else 0.0
    seconds = [
        dataclasses.replace(
            eye,
            shape=dataclasses.replace(eye.shape, up=size * eye.shape.up, down=size * eye.shape.down),
            center=(eye.center[0], eye.center[1] + away),
            width=size * eye.width,
        )
        for eye in eyes
    ]
    return tuple(seconds if chosen < 0.6 else seconds[:1] if chosen < 0.8 else seconds[-1:])


def with_second_mouth(figure: Figure) -> Figure:
    """The figure on whose canvas a mouth comes to lie lower, higher or to a side, a little smaller."""
    random = figure.chance("doubled")
    size, turn = random.uniform(0.7, 1.0), random.uniform(-0.1, 0.1)
    middle = np.array((0.0, 0.68))
    shift = ((0.0, 0.24), (0.0, -0.24), (0.42, 0.0), (-0.42, 0.0))[int(random.integers(4))]
    matrix = size * np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn))))
    x, y = middle + shift - matrix @ middle
    return dataclasses.replace(figure, canvas=figure.canvas.placed(matrix, (float(x), float(y))))


def blurred(image: Image.Image) -> Image.Image:
    """The picture out of focus."""
    return image.filter(ImageFilter.GaussianBlur(image.width * BLUR))
