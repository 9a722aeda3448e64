"""The face without eyes and mouth: skin, blush, nose and brows."""

import numpy as np

from evalharness.demo.drawing.canvas import mix
from evalharness.demo.drawing.eyes import SHAPES
from evalharness.demo.drawing.figure import INK, Figure
from evalharness.demo.drawing.geometry import Points, ellipse, mirrored, ribbon, smooth, symmetric
from evalharness.demo.look import Emotion

FACE_RIGHT = ((0, -1.12), (0.62, -0.95), (0.93, -0.35), (0.9, 0.22), (0.74, 0.62), (0.4, 0.92), (0.1, 1.07), (0, 1.09))
FACE_PROFILE = (
    (0.3, -1.12), (-0.45, -1.0), (-0.82, -0.6), (-0.86, -0.2), (-0.83, 0.06), (-0.92, 0.22), (-1.06, 0.36),
    (-0.92, 0.46), (-0.9, 0.56), (-0.95, 0.62), (-0.89, 0.69), (-0.92, 0.78), (-0.88, 0.96), (-0.66, 1.06),
    (-0.2, 0.88), (0.2, 0.6), (0.55, 0.3), (0.7, -0.5),
)  # fmt: skip
# Height of a brow's inner end, middle and outer end above the eyes' line, and its thickness, in face units.
BROWS: dict[Emotion, tuple[float, float, float, float]] = {
    "neutral": (-0.37, -0.43, -0.37, 0.075),
    "happy": (-0.42, -0.60, -0.44, 0.075),
    "sad": (-0.60, -0.45, -0.27, 0.08),
    "angry": (-0.16, -0.36, -0.56, 0.115),
    "surprised": (-0.66, -0.80, -0.66, 0.075),
}


def face_outline(figure: Figure) -> Points:
    """The skin's closed outline."""
    return smooth(FACE_PROFILE if figure.profile else symmetric(FACE_RIGHT), closed=True)


def draw_face(figure: Figure) -> None:
    """Draw skin, ears, blush and nose."""
    canvas, colors = figure.canvas, figure.colors
    if figure.profile:
        canvas.shape(face_outline(figure), colors.skin_paint)
        canvas.shape(ellipse((0.3, 0.2), (0.15, 0.22)), colors.skin_paint)
    else:
        for x in (-0.94, 0.94):
            canvas.shape(ellipse((x, 0.22), (0.12, 0.22)), colors.skin_paint)
        canvas.shape(face_outline(figure), colors.skin_paint)
        canvas.line(((-0.01, 0.4), (0.035, 0.46), (-0.015, 0.47)), (176, 96, 90), 0.9)
    _draw_blush(figure)


def _draw_blush(figure: Figure) -> None:
    tone = np.array(figure.colors.skin) * (1.0, 0.94, 0.94)
    red, green, blue = (int(value) for value in tone)
    for x in (-0.5,) if figure.profile else (-0.56, 0.56):
        figure.canvas.fill(ellipse((x, 0.52), (0.2, 0.09)), (red, green, blue))


def brow_lines(figure: Figure) -> tuple[Points, ...]:
    """The spine of every visible brow."""
    emotion = figure.look.brows or figure.look.emotion
    inner, middle, outer, _ = BROWS[emotion]
    lift = figure.chance("brows").uniform(-0.025, 0.025) - 0.35 * (SHAPES[figure.look.archetype].up - 0.24)
    heights = np.array((inner, middle, outer)) + 0.06 + lift
    if figure.profile:
        return (smooth(np.stack((np.array((-0.76, -0.56, -0.3)), heights), axis=1)),)
    right = smooth(np.stack((np.array((0.15, 0.45, 0.77)), heights), axis=1))
    return mirrored(right), right


def draw_brows(figure: Figure) -> None:
    """Draw the brows, always over the bangs."""
    thickness = BROWS[figure.look.brows or figure.look.emotion][3]
    for spine in brow_lines(figure):
        # the halo keeps dark brows readable over dark bangs
        figure.canvas.fill(
            ribbon(spine, (thickness + 0.05, thickness + 0.05, 0.05)), mix(figure.colors.skin, figure.colors.hair, 0.2)
        )
        figure.canvas.fill(ribbon(spine, (thickness, thickness * 1.1, thickness * 0.45)), INK)
