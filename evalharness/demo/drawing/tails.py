"""Gathered hair: where each tail hangs in each view, and the scrunchie that holds it."""

import dataclasses

import numpy as np

from evalharness.demo.drawing.canvas import HAIR, TIE, Paint, mix
from evalharness.demo.drawing.figure import INK, Figure
from evalharness.demo.drawing.geometry import Points, bezier, ribbon, scallop

Spine = tuple[tuple[float, float], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """A hanging tail: Bezier spine from the scrunchie down, widths along it, in face units."""

    spine: Spine
    widths: tuple[float, ...]
    scrunchie: float = 0.27
    over_head: bool = True


SIDE = Tail(
    spine=((1.12, -0.42), (1.95, -0.6), (1.86, 0.45), (1.82, 1.2), (1.5, 1.85)),
    widths=(0.3, 0.62, 0.66, 0.5, 0.04),
    scrunchie=0.3,
)
TWIN = Tail(
    spine=((1.02, -0.78), (1.85, -1.1), (1.8, 0.1), (1.78, 1.0), (1.62, 1.9)), widths=(0.26, 0.5, 0.52, 0.42, 0.04)
)
FRONT_PONY = Tail(
    spine=((0.0, -1.3), (0.2, -1.95), (0.5, -1.72), (0.62, -1.6), (0.66, -1.3)),
    widths=(0.4, 0.5, 0.34, 0.05),
    scrunchie=0.24,
    over_head=False,
)
BEHIND_PONY = Tail(
    spine=((0.0, -0.5), (0.12, 0.2), (0.05, 0.9), (-0.05, 1.7), (0.1, 2.35)),
    widths=(0.32, 0.7, 0.72, 0.5, 0.04),
    scrunchie=0.3,
)
PROFILE_PONY = Tail(
    spine=((1.12, -0.62), (2.0, -0.75), (1.85, 0.35), (1.75, 1.1), (1.95, 1.8)),
    widths=(0.28, 0.58, 0.6, 0.42, 0.04),
    scrunchie=0.29,
)
PROFILE_NEAR = Tail(
    spine=((0.95, -0.1), (1.6, 0.0), (1.5, 0.8), (1.42, 1.5), (1.7, 2.1)),
    widths=(0.3, 0.6, 0.64, 0.46, 0.04),
    scrunchie=0.31,
)
PROFILE_FAR = dataclasses.replace(
    PROFILE_NEAR, spine=((1.15, -0.1), (1.8, 0.0), (1.66, 0.8), (1.55, 1.5), (1.8, 2.1)), over_head=False
)
PROFILE_TWIN = Tail(
    spine=((0.62, -0.8), (1.75, -1.05), (1.5, 0.3), (1.35, 1.2), (1.6, 1.95)), widths=(0.26, 0.52, 0.54, 0.4, 0.04)
)


def draw_tails(figure: Figure, *, over_head: bool) -> None:
    """Draw the tails that belong before (`over_head`) or behind the head, and a tie left in hair that is down."""
    if over_head and figure.look.tie and figure.look.hairstyle == "down":
        _draw_left_over(figure)
    for number, (tail, sign) in enumerate(_tails(figure)):
        if tail.over_head == over_head:
            _draw_tail(figure, tail, sign, figure.chance(f"tail {number}"))


def _draw_left_over(figure: Figure) -> None:
    random = figure.chance("left over")
    x, y = random.uniform(0.8, 1.2) * figure.tail_sign, random.uniform(-0.8, 0.4)
    _draw_scrunchie(figure, (float(x), float(y)), random.uniform(0.24, 0.31))


def _tails(figure: Figure) -> tuple[tuple[Tail, int], ...]:
    style = figure.look.hairstyle
    if style == "down":
        return ()
    if figure.profile:
        return _profile_tails(figure)
    if style == "ponytail":
        return ((BEHIND_PONY if figure.behind else FRONT_PONY, 1),)
    return ((SIDE, figure.tail_sign),) if style == "side_ponytail" else ((TWIN, -1), (TWIN, 1))


def _profile_tails(figure: Figure) -> tuple[tuple[Tail, int], ...]:
    near = figure.look.view == f"{figure.look.side}_profile"
    styles = {
        "ponytail": PROFILE_PONY,
        "twin_tails": PROFILE_TWIN,
        "side_ponytail": PROFILE_NEAR if near else PROFILE_FAR,
    }
    return ((styles[figure.look.hairstyle], 1),)


def _draw_tail(figure: Figure, tail: Tail, sign: int, random: np.random.Generator) -> None:
    knots = np.array(tail.spine)
    knots[1:] += random.uniform(-0.07, 0.07, (len(knots) - 1, 2))
    spine = bezier(knots, steps=9) * (sign, 1)
    widths = [width * random.uniform(0.92, 1.12) for width in tail.widths]
    figure.canvas.shape(ribbon(spine, widths), figure.colors.hair_paint)
    for share in (-0.22, 0.05, 0.27):
        figure.canvas.line(_along(spine, widths, share)[2:-2], figure.colors.hair_strand, 0.7, HAIR)
    figure.canvas.fill(
        ribbon(_along(spine, widths, 0.15 * sign)[4:10], (0.02, 0.12, 0.02)), figure.colors.hair_light, HAIR
    )
    if figure.look.tie is not False:
        _draw_scrunchie(figure, (float(spine[0, 0]), float(spine[0, 1])), tail.scrunchie)


def _along(spine: Points, widths: list[float], share: float) -> Points:
    """A line beside the spine, `share` of the local width away."""
    along = np.linspace(0, 1, len(spine))
    away = np.interp(along, np.linspace(0, 1, len(widths)), widths) * share
    return np.stack((spine[:, 0] + away, spine[:, 1]), axis=1)


def _draw_scrunchie(figure: Figure, center: tuple[float, float], radius: float) -> None:
    color = figure.colors.scrunchie
    dark = mix(color, INK, 0.6)
    figure.canvas.shape(scallop(center, (radius * 0.92, radius)), Paint(fill=color, line=dark, layer=TIE))
    for angle in (0.4, 1.7, 3.0, 4.3, 5.5):
        reach = np.array((np.cos(angle), np.sin(angle))) * radius
        figure.canvas.line((center + reach * 0.3, center + reach * 0.72), dark, 0.6, TIE)
