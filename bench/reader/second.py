"""What is added to a styled face: second eyes or a second mouth, and marks that look like them but are none."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reader.eyes import Look, draw_eye
from reader.face import Face, Rng, around, between
from reader.mouths import draw_mouth
from reader.pen import Pen, Points, curve, oval, shifted

EYES, MOUTH = 0.08, 0.08
"""Shares of the faces that get second eyes or a second mouth; few, as most are hardly to be told from sound ones."""
CURTAIN = 0.15
"""Share of the faces over one or both of whose eyes hair hangs: such eyes are not missing."""
SEEN = 0.55
"""A second part must show this share of its pixels at the end, or nobody can say that it is there."""


@dataclass(slots=True, kw_only=True)
class MovedPen(Pen):
    """Draws `size` times as large around `middle`, moved by `shift`; both in face units."""

    middle: tuple[float, float]
    shift: tuple[float, float]
    size: float

    def turned(self, points: Points) -> Points:
        """Face units as the moved part has them, as the turned head shows them."""
        middle = np.array(self.middle)
        # a slots dataclass has lost the class that a bare super() asks for
        return Pen.turned(self, (points - middle) * self.size + middle + self.shift)


@dataclass(slots=True, kw_only=True)
class Second:
    """Draws the additions, and remembers which and where; call it once a face."""

    rng: Rng
    eyes: bool = False
    mouth: bool = False
    before: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    after: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))

    def __call__(self, pen: Pen, face: Face, look: Look, mouth: Points) -> None:
        """Add to a face whose own parts are drawn."""
        _marks(pen, face, mouth, self.rng)
        curtain = "missing" not in face.eye_states and self.rng.random() < CURTAIN
        if curtain:
            _curtain(pen, face, self.rng)
        self.before = np.asarray(pen.image, dtype=np.int16)
        chosen = self.rng.random()
        if chosen < EYES and face.eye_states == ("present", "present") and not curtain:
            self.eyes = True
            _second_eyes(pen, face, look, self.rng)
        elif chosen > 1 - MOUTH and face.mouth_state == "present":
            self.mouth = True
            _second_mouth(pen, face, mouth, self.rng)
        self.after = np.asarray(pen.image, dtype=np.int16)

    def half_hidden(self, final: Image.Image) -> bool:
        """Whether too little was drawn of the second part, or hair or glasses came over it."""
        if not (self.eyes or self.mouth):
            return False
        drawn = np.abs(self.after - self.before) > 20
        kept = np.abs(np.asarray(final, dtype=np.int16) - self.after)[drawn] < 40
        return bool(drawn.sum() < 40 or kept.mean() < SEEN)


def _second_eyes(pen: Pen, face: Face, look: Look, rng: Rng) -> None:
    """Both again, or one of them, below or above, often touching the first."""
    style = face.style
    tall = style.eye_height * min(look.open, 1.2)
    away = between(rng, 0.6, 1.0) * tall + between(rng, 0.06, 0.18)
    shift = (around(rng, 0.0, 0.03), away if rng.random() < 0.62 else -away)
    size = between(rng, 0.65, 1.05)
    sides = ((-1, 1), (-1, 1), (-1, 1), (-1,), (1,))[int(rng.integers(5))]
    seed = int(rng.integers(2**31))
    for side in sides:
        moved = _moved(pen, (side * style.eye_x, 0.0), shift, size)
        draw_eye(moved, face, look, side, np.random.default_rng(seed))
        pen.image = moved.image


def _second_mouth(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """The mouth again, or another one, lower, higher or beside, at times over the first's edge."""
    wide, tall = np.ptp(mouth[:, 0]), np.ptp(mouth[:, 1])
    size = between(rng, 0.65, 1.1)
    if rng.random() < 0.5:
        shift = (around(rng, 0, 0.04), (0.75 * tall + between(rng, 0.06, 0.2)) * (1 if rng.random() < 0.5 else -1))
    else:
        shift = ((0.7 * wide + between(rng, 0.06, 0.22)) * (1 if rng.random() < 0.5 else -1), around(rng, 0, 0.05))
    moved = _moved(pen, (0.0, face.style.mouth_y), shift, size)
    alike = face if rng.random() < 0.75 else replace(face, mouth=str(rng.choice(("neutral", "happy", "sad", "angry"))))
    draw_mouth(moved, alike, rng)
    pen.image = moved.image


def _moved(pen: Pen, middle: tuple[float, float], shift: tuple[float, float], size: float) -> MovedPen:
    return MovedPen(image=pen.image, yaw=pen.yaw, pitch=pen.pitch, middle=middle, shift=shift, size=size)


def _marks(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """What generated faces have and what is neither eye nor mouth."""
    for mark, share in MARKS:
        if rng.random() < share:
            mark(pen, face, mouth, rng)


def _curtain(pen: Pen, face: Face, rng: Rng) -> None:
    """Hair over one eye or both."""
    style = face.style
    sides = ((-1,), (1,), (-1, 1))[int(rng.integers(3))]
    dark = style.ink if style.hair > 90 else style.hair + between(rng, 25, 110)
    for side in sides:
        inner, outer = side * between(rng, -0.05, 0.2), side * between(rng, 0.75, 1.1)
        low = 0.5 * style.eye_height + between(rng, 0.05, 0.35)
        tips = [(x, low + around(rng, 0, 0.1)) for x in np.linspace(inner, outer, int(rng.integers(3, 8)))]
        notches = [(x + 0.03, low - between(rng, 0.05, 0.35)) for x, _ in tips]
        edge = [point for pair in zip(tips, notches, strict=True) for point in pair]
        pen.fill(np.array([(inner * 0.5, -1.35), *edge, (outer, -1.35)]), style.hair)
        for x, y in tips:
            if rng.random() < 0.8:
                pen.line(curve((x * 0.8, -1.2), (x + 0.03, -0.4), (x, y)), (0.0, style.line, style.line), dark)


def _under_nose(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """A solid shadow under the nose."""
    style = face.style
    x, y = 0.2 * pen.yaw + around(rng, 0, 0.04), style.mouth_y * between(rng, 0.5, 0.75)
    half, deep = between(rng, 0.04, 0.14), between(rng, 0.03, 0.12)
    shape = np.array(((x - half, y), (x, y - between(rng, 0, 0.12)), (x + half, y), (x, y + deep)))
    pen.fill(shape, style.skin * between(rng, 0.3, 0.85))


def _under_lip(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """A short stroke or shade under the lip, dark or light."""
    x, y = float(mouth[:, 0].mean()), float(mouth[:, 1].max()) + between(rng, 0.05, 0.15)
    half, sag = between(rng, 0.02, 0.12), around(rng, 0.0, 0.02)
    shade = face.style.skin * between(rng, 0.35, 0.9) if rng.random() < 0.7 else 255
    width = face.style.line * between(rng, 0.4, 1.3)
    pen.line(curve((x - half, y - sag), (x, y + sag), (x + half, y - sag)), (0.0, width, 0.0), shade)


def _lip_light(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """A light spot on the lip."""
    x, y = mouth.mean(axis=0) + rng.normal(0, 0.03, 2)
    pen.fill(oval(float(x), float(y), between(rng, 0.01, 0.05), between(rng, 0.008, 0.02)), between(rng, 235, 256))


def _chin(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """The shadow or a second line of the chin."""
    style = face.style
    y, half = style.chin_y - between(rng, 0.0, 0.2), between(rng, 0.08, 0.4)
    sag = between(rng, 0.0, 0.1)
    line = curve((-half, y - sag), (0.0, y), (half, y - sag))
    if rng.random() < 0.5:
        pen.line(line, (0.0, style.line * between(rng, 0.4, 1.4), 0.0), style.ink + between(rng, 0, 90))
    else:
        low = shifted(line[::-1], 0.0, between(rng, 0.04, 0.14))
        pen.fill(np.concatenate((line, low)), style.skin * between(rng, 0.5, 0.9))


def _moles(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """Moles, freckles and specks."""
    for _ in range(int(rng.integers(1, 6))):
        x, y = between(rng, -0.6, 0.6), between(rng, 0.15, 0.95)
        size = between(rng, 0.008, 0.03)
        pen.fill(oval(x, y, size, size), face.style.skin * between(rng, 0.1, 0.7))


def _whiskers(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """Slanted strokes over the cheeks."""
    y, slant = between(rng, 0.2, 0.55), around(rng, 0, 0.15)
    for side in (-1, 1):
        if rng.random() < 0.8:
            for row in range(int(rng.integers(2, 6))):
                start = np.array((side * between(rng, 0.3, 0.45), y + 0.06 * row))
                end = shifted(start, side * between(rng, 0.1, 0.35), slant + around(rng, 0, 0.03))
                pen.line(np.stack((start, end)), (face.style.line, 0.0), face.style.ink + between(rng, 0, 80))


def _under_eyes(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """Dark or light ovals and lines under the eyes: blush in blots, bags, shadows."""
    style = face.style
    y = 0.45 * style.eye_height + between(rng, 0.08, 0.25)
    wide, tall = between(rng, 0.1, 0.24), between(rng, 0.02, 0.1)
    shade = style.skin * between(rng, 0.45, 0.9)
    for side in (-1, 1):
        x = side * (style.eye_x + around(rng, 0.03, 0.06))
        if rng.random() < 0.5:
            pen.fill(oval(x, y, wide, tall), shade)
        line = curve((x - wide, y - 0.02), (x, y + tall * 0.5), (x + wide, y - 0.02))
        for step in range(int(rng.integers(0, 4))):
            pen.line(shifted(line, 0.0, 0.045 * step), (0.0, style.line * 0.9, 0.0), style.ink + between(rng, 0, 90))


def _side_shadow(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """Hatching or a dark wedge over one side of the lower face."""
    style, side = face.style, 1 if rng.random() < 0.5 else -1
    shade = style.ink if rng.random() < 0.5 else style.skin * between(rng, 0.4, 0.85)
    if rng.random() < 0.5:
        x = side * between(rng, 0.15, 0.5)
        wedge = np.array(((x, style.chin_y), (side * 0.75, between(rng, 0.2, 0.6)), (side * 0.8, style.chin_y)))
        pen.fill(wedge, shade)
        return
    for step in range(int(rng.integers(4, 12))):
        start = np.array((side * (0.15 + 0.05 * step), style.chin_y - 0.06 - 0.03 * step))
        pen.line(np.stack((start, shifted(start, side * 0.16, -0.14))), (style.line * 0.7,), shade)


def _strands(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """Thin strands over the lower face."""
    style = face.style
    for _ in range(int(rng.integers(1, 5))):
        x = between(rng, -0.7, 0.7)
        end = (x + around(rng, 0, 0.35), between(rng, 0.4, 1.1))
        shade = style.hair if rng.random() < 0.6 else style.ink
        pen.line(curve((x, -1.0), (x + around(rng, 0, 0.15), 0.0), end), (style.line, style.line, 0.0), shade)


def _brow_shadow(pen: Pen, face: Face, mouth: Points, rng: Rng) -> None:
    """Strokes between eyes and brows: deep lids, doubled creases."""
    style = face.style
    for side in (-1, 1):
        for _ in range(int(rng.integers(1, 4))):
            y = -0.5 * style.eye_height - between(rng, 0.03, 0.22)
            half, x = style.eye_width * between(rng, 0.5, 1.1), side * (style.eye_x + around(rng, 0, 0.04))
            bow = between(rng, -0.02, 0.06)
            pen.line(
                curve((x - half, y), (x, y - bow), (x + half, y)), (0.0, style.line * between(rng, 0.4, 1.2), 0.0),
                style.ink + between(rng, 0, 90),
            )  # fmt: skip


MARKS = (
    (_under_nose, 0.12),
    (_under_lip, 0.3),
    (_lip_light, 0.12),
    (_chin, 0.2),
    (_moles, 0.12),
    (_whiskers, 0.08),
    (_under_eyes, 0.15),
    (_side_shadow, 0.1),
    (_strands, 0.12),
    (_brow_shadow, 0.15),
)
"""Each with the share of the faces that have it."""
