"""Neck, shoulders, arms and outfit."""

import dataclasses
from collections.abc import Callable

import numpy as np

from evalharness.demo.drawing.canvas import Canvas, Paint, Rgb, mix
from evalharness.demo.drawing.figure import INK, WHITE, Figure
from evalharness.demo.drawing.geometry import Pairs, Points, bezier, ellipse, ribbon, scallop, smooth, symmetric
from evalharness.demo.look import Outfit

NECK = ((0.3, 0.7), (0.3, 1.25), (0.42, 1.42), (0, 1.62))
TORSO = ((0, 1.4), (0.34, 1.38), (0.8, 1.5), (1.3, 1.66), (1.55, 2.0), (1.62, 2.6), (1.62, 7), (0, 7))
BARE = ((0, 1.66), (0.5, 1.85), (0.72, 2.0), (0.95, 1.98), (1.0, 2.4), (1.06, 7), (0, 7))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Garment:
    """Colours of an outfit, where its sleeves end (0 none, 0.5 short, 1 long) and what is drawn upon it."""

    main: Rgb
    trim: Rgb
    sleeve: float
    details: Callable[[Figure, Canvas, "Garment"], None]

    @property
    def paint(self) -> Paint:
        """Cloth with its line."""
        return Paint(fill=self.main, line=mix(self.main, INK, 0.7))

    @property
    def shade(self) -> Rgb:
        """Folds and seams."""
        return mix(self.main, (50, 40, 80), 0.25)


def _uniform(figure: Figure, canvas: Canvas, garment: Garment) -> None:
    collar = Paint(fill=garment.trim, line=INK)
    if figure.behind:
        canvas.shape(((-0.85, 1.45), (0.85, 1.45), (0.95, 2.3), (-0.95, 2.3)), collar)
        canvas.line(((-0.82, 2.18), (0.82, 2.18)), WHITE, 1.5)
        return
    for sign in (-1, 1):
        flap = np.array(((0.3, 1.36), (0.95, 1.5), (0.9, 1.95), (0.05, 2.3))) * (sign, 1)
        canvas.shape(flap, collar)
        canvas.line(np.array(((0.82, 1.56), (0.78, 1.88), (0.12, 2.17))) * (sign, 1), WHITE, 1.2)
    bow = Paint(fill=(214, 48, 60), line=(100, 20, 34))
    for sign in (-1, 1):
        canvas.shape(smooth(np.array(((0, 2.24), (0.42, 2.05), (0.46, 2.5))) * (sign, 1), closed=True), bow)
        canvas.shape(np.array(((0.02, 2.3), (0.26, 2.9), (0.08, 2.84))) * (sign, 1), bow)
    canvas.shape(ellipse((0, 2.28), (0.11, 0.12)), bow)


def _dress(figure: Figure, canvas: Canvas, garment: Garment) -> None:
    for sign in (-1, 1):
        canvas.line(np.array(((0.5, 1.5), (0.62, 1.98))) * (sign, 1), garment.trim, 4.6)
        canvas.line(np.array(((0.5, 1.5), (0.62, 1.98))) * (sign, 1), WHITE, 3.0)
        canvas.line(np.array(((0.3, 2.3), (0.42, 3.3))) * (sign, 1), garment.shade, 1.2)
    if not figure.behind:
        for x in (-0.56, -0.28, 0.0, 0.28, 0.56):
            canvas.shape(
                scallop((x, 1.95 - 0.1 * (1 - abs(x))), (0.2, 0.13)), Paint(fill=WHITE, line=garment.trim), 0.8
            )
    canvas.line(((-1.0, 2.75), (1.0, 2.75)), garment.trim, 3.4)


def _hoodie(figure: Figure, canvas: Canvas, garment: Garment) -> None:
    if figure.behind:
        canvas.shape(
            smooth(((-0.85, 1.35), (0, 1.2), (0.85, 1.35), (0.7, 2.1), (0, 2.5), (-0.7, 2.1)), closed=True),
            Paint(fill=garment.trim, line=INK),
        )
        return
    hood = ribbon(
        smooth(((-0.5, 1.22), (-0.62, 1.6), (0, 1.98), (0.62, 1.6), (0.5, 1.22))), (0.34, 0.4, 0.4, 0.4, 0.34)
    )
    canvas.shape(hood, Paint(fill=garment.trim, line=INK))
    for sign in (-1, 1):
        canvas.line(np.array(((0.22, 2.08), (0.26, 2.62))) * (sign, 1), WHITE, 2.4)
    canvas.shape(((-0.6, 2.8), (0.6, 2.8), (0.9, 3.4), (-0.9, 3.4)), Paint(fill=garment.trim, line=INK))


def _shirt(figure: Figure, canvas: Canvas, garment: Garment) -> None:
    canvas.line(bezier(((-0.42, 1.46), (0, 1.9), (0.42, 1.46))), garment.trim, 3.0)
    if not figure.behind:
        angle = np.arange(10) * np.pi / 5 - np.pi / 2
        reach = np.where(np.arange(10) % 2 == 0, 0.4, 0.17)
        canvas.fill(np.stack((reach * np.cos(angle), 2.4 + reach * np.sin(angle)), axis=1), garment.trim)


def _coat(figure: Figure, canvas: Canvas, garment: Garment) -> None:
    scarf = Paint(fill=garment.trim, line=INK)
    if not figure.behind:
        for sign in (-1, 1):
            lapel = np.array(((0.3, 1.6), (0.8, 1.55), (0.95, 2.15), (0.1, 2.8))) * (sign, 1)
            canvas.shape(lapel, Paint(fill=garment.shade, line=INK))
        canvas.line(((0, 2.75), (0, 4)), INK, 1.0)
        for y in (2.72, 3.05):
            for x in (-0.28, 0.28):
                canvas.shape(ellipse((x, y), (0.09, 0.09)), Paint(fill=(70, 46, 30), line=INK), 0.6)
    canvas.shape(ribbon(smooth(((-0.55, 1.3), (0, 1.55), (0.55, 1.3))), (0.36, 0.42, 0.36)), scarf)
    canvas.shape(((0.2, 1.55), (0.55, 1.5), (0.62, 2.4), (0.3, 2.45)), scarf)


GARMENTS: dict[Outfit, Garment] = {
    "school_uniform": Garment(main=(240, 242, 248), trim=(44, 58, 110), sleeve=1.0, details=_uniform),
    "white_dress": Garment(main=(252, 252, 255), trim=(176, 196, 232), sleeve=0.0, details=_dress),
    "hoodie": Garment(main=(112, 122, 140), trim=(84, 92, 110), sleeve=1.0, details=_hoodie),
    "t_shirt": Garment(main=(236, 108, 96), trim=(255, 236, 130), sleeve=0.5, details=_shirt),
    "coat": Garment(main=(176, 134, 88), trim=(150, 40, 56), sleeve=1.0, details=_coat),
}


def draw_body(figure: Figure) -> None:
    """Draw the body under the head; a profile is the front pressed together."""
    canvas, garment = figure.canvas, GARMENTS[figure.look.outfit]
    if figure.profile:
        canvas = canvas.placed(((0.66, 0.0), (0.0, 1.0)), (0.22, 0.0))
    skin = figure.colors.skin_paint
    canvas.shape(smooth(symmetric(TORSO), closed=True), skin if garment.sleeve < 1 else garment.paint)
    neck = np.array(NECK) if not figure.profile else np.array(NECK) * (1.25, 1.0)
    canvas.shape(symmetric(neck), skin)
    canvas.fill(symmetric(neck[:2] * (0.97, 0.9)), figure.colors.skin_shade)
    if garment.sleeve < 1:
        _draw_short(canvas, garment)
    _draw_arm_lines(canvas, garment, figure)
    garment.details(figure, canvas, garment)
    if figure.look.pose == "running":
        _draw_running_arms(figure, canvas, garment)


def _draw_short(canvas: Canvas, garment: Garment) -> None:
    if garment.sleeve == 0:
        canvas.shape(smooth(symmetric(BARE), closed=True), garment.paint)
        return
    cloth = np.array(((0.42, 1.44), (0.8, 1.5), (1.3, 1.66), (1.58, 2.0), (1.68, 2.55), (1.2, 2.66), (1.12, 7), (0, 7)))
    canvas.shape(
        np.concatenate((bezier(((-0.42, 1.44), (0, 1.95), (0.42, 1.44))), cloth[1:], (cloth * (-1, 1))[::-1])),
        garment.paint,
    )


def _draw_arm_lines(canvas: Canvas, garment: Garment, figure: Figure) -> None:
    color = garment.shade if garment.sleeve > 0 else figure.colors.skin_shade
    for sign in (-1, 1):
        canvas.line(np.array(((1.08, 2.3), (1.12, 2.7), (1.1, 3.6))) * (sign, 1), color, 1.2)


def _draw_running_arms(figure: Figure, canvas: Canvas, garment: Garment) -> None:
    raised = 1 if figure.profile else (1 if figure.chance("arm").random() < 0.5 else -1)
    forward = -1 if figure.profile else raised
    _draw_arm(
        figure,
        canvas,
        garment,
        np.array(((1.25, 2.0), (1.75, 2.9), (1.85, 2.55), (1.95, 2.2), (1.5, 1.72))) * (forward, 1),
    )
    _draw_arm(
        figure,
        canvas,
        garment,
        np.array(((1.3, 2.05), (1.85, 2.3), (2.1, 2.7), (2.2, 3.0), (1.8, 3.2))) * (-forward, 1),
    )


def _draw_arm(figure: Figure, canvas: Canvas, garment: Garment, knots: Pairs) -> None:
    spine: Points = bezier(knots)
    skin = figure.colors.skin_paint
    canvas.shape(ribbon(spine, (0.46, 0.4, 0.36)), garment.paint if garment.sleeve == 1 else skin)
    if garment.sleeve == 0.5:
        canvas.shape(ribbon(spine[:5], (0.52, 0.5)), garment.paint)
    hand = spine[-1]
    canvas.shape(ellipse((float(hand[0]), float(hand[1])), (0.24, 0.24)), skin)
    for lift in (-0.08, 0.02):
        knuckles = np.array(((-0.12, lift), (0.1, lift + 0.02)))
        canvas.line(hand + knuckles, figure.colors.skin_shade, 0.8)
