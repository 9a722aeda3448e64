"""The mouth: two variants an emotion, of which the seed takes one."""

import dataclasses

import numpy as np

from evalharness.demo.drawing.canvas import Paint, Rgb
from evalharness.demo.drawing.figure import WHITE, Figure
from evalharness.demo.drawing.geometry import Points, bezier, ellipse
from evalharness.demo.look import Emotion

MOUTH_LINE: Rgb = (110, 36, 44)
MOUTH_INSIDE: Rgb = (150, 42, 52)
TONGUE: Rgb = (232, 120, 120)

Outline = tuple[tuple[float, float], ...]

# Bezier chains (knot, control, knot, ...) around (0, 0) in face units.
SMILE: Outline = ((-0.30, -0.09), (0.0, 0.21), (0.30, -0.09))
LAUGH: Outline = ((-0.27, -0.07), (0, -0.02), (0.27, -0.07), (0.2, 0.26), (0, 0.24), (-0.2, 0.26), (-0.27, -0.07))
FROWN: Outline = ((-0.23, 0.1), (0.0, -0.15), (0.23, 0.1))
SOB: Outline = ((-0.20, 0.11), (-0.13, -0.06), (0.0, -0.05), (0.13, -0.06), (0.20, 0.11), (0.0, 0.03), (-0.20, 0.11))
GRIT: Outline = ((-0.27, 0.1), (-0.26, -0.08), (0, -0.08), (0.26, -0.08), (0.27, 0.1), (0, 0.07), (-0.27, 0.1))
SNARL: Outline = ((-0.25, 0.08), (-0.13, -0.08), (0.0, 0.0), (0.13, -0.08), (0.25, 0.08))
GASP: Outline = (
    (0, -0.14), (0.13, -0.14), (0.13, 0.0), (0.13, 0.16), (0, 0.16), (-0.13, 0.16), (-0.13, 0.0),
    (-0.13, -0.14), (0, -0.14),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MouthShape:
    """A mouth: `outline` is a closed opening or, where not `opened`, a line."""

    outline: Outline
    opened: bool = False
    inside: Rgb = MOUTH_INSIDE
    tongue: bool = False
    teeth: bool = False


MOUTHS: dict[Emotion, tuple[MouthShape, ...]] = {
    "neutral": (
        MouthShape(outline=((-0.13, 0.0), (0.0, 0.015), (0.13, 0.0))),
        MouthShape(outline=((-0.16, 0.0), (0.0, -0.01), (0.16, 0.0))),
    ),
    "happy": (MouthShape(outline=LAUGH, opened=True, tongue=True), MouthShape(outline=SMILE)),
    "sad": (MouthShape(outline=FROWN), MouthShape(outline=SOB, opened=True)),
    "angry": (MouthShape(outline=GRIT, opened=True, inside=WHITE, teeth=True), MouthShape(outline=SNARL)),
    "surprised": (
        MouthShape(outline=GASP, opened=True),
        MouthShape(outline=tuple((0.78 * x, 0.8 * y) for x, y in GASP), opened=True),
    ),
}
MOUTH_CENTER = (0.0, 0.68)
PROFILE_MOUTH = (-0.72, 0.66)


def mouth_shape(figure: Figure) -> MouthShape:
    """The variant the seed has chosen."""
    variants = MOUTHS[figure.look.mouth or figure.look.emotion]
    return variants[int(figure.chance("mouth").integers(len(variants)))]


def mouth_line(figure: Figure) -> Points:
    """The mouth's outline in place; in profile half as wide and only its rear half, at the face's front."""
    curve = bezier(mouth_shape(figure).outline) * 1.12
    if figure.profile:
        curve = np.maximum(curve * (0.85, 1.0), (-0.13, -9.0))
        return curve + PROFILE_MOUTH
    return curve + MOUTH_CENTER


def draw_mouth(figure: Figure) -> None:
    """Draw the mouth."""
    canvas, shape, curve = figure.canvas, mouth_shape(figure), mouth_line(figure)
    if not shape.opened:
        canvas.line(curve, MOUTH_LINE, 1.7)
        return
    canvas.shape(curve, Paint(fill=shape.inside, line=MOUTH_LINE), 1.3)
    x, y = curve.mean(axis=0)
    if shape.tongue:
        canvas.fill(ellipse((x, np.max(curve[:, 1]) - 0.065), (0.11, 0.045)), TONGUE)
    if shape.teeth:
        left, right = np.min(curve[:, 0]), np.max(curve[:, 0])
        canvas.line(((left, y), (right, y)), MOUTH_LINE, 0.8)
        for share in (0.25, 0.5, 0.75):
            tooth = left + (right - left) * share
            canvas.line(((tooth, y - 0.08), (tooth, y + 0.08)), MOUTH_LINE, 0.5)
