"""Eyes and brows of this world, from dots to detailed irises."""

from dataclasses import dataclass, replace

import numpy as np

from reader.face import Face, Rng, around, between
from reader.pen import Pen, Points, curve, oval, shifted


@dataclass(slots=True, kw_only=True)
class Look:
    """What both eyes and brows share: mood in numbers, face units.

    `tilt` > 0 lowers the upper lid's inner end; `raise_` lifts the lower lid; `slope` > 0 lowers the brow's inner end.
    """

    open: float
    tilt: float
    raise_: float
    iris: float
    gaze: tuple[float, float]
    slope: float
    lift: float
    bow: float
    gap: float
    length: float
    weight: float
    shade: float


def sample_look(face: Face, rng: Rng) -> Look:
    """The numbers of the emotions that eyes and brows show."""
    opened = {
        "neutral": (0.42, 1.05),
        "happy": (0.45, 1.1),
        "sad": (0.3, 0.95),
        "angry": (0.35, 0.9),
        "surprised": (1.0, 1.4),
    }
    tilt = {
        "neutral": (0.05, 0.09),
        "happy": (-0.02, 0.08),
        "sad": (-0.28, 0.12),
        "angry": (0.36, 0.14),
        "surprised": (0.0, 0.07),
    }
    iris = {"neutral": 1.0, "happy": 1.0, "sad": 1.0, "angry": 0.82, "surprised": 0.66}
    slope = {
        "neutral": (0.05, 0.11),
        "happy": (-0.05, 0.11),
        "sad": (-0.37, 0.15),
        "angry": (0.44, 0.16),
        "surprised": (-0.05, 0.12),
    }
    lift = {
        "neutral": (0.0, 0.05),
        "happy": (0.05, 0.05),
        "sad": (0.02, 0.05),
        "angry": (-0.06, 0.04),
        "surprised": (0.2, 0.06),
    }
    bow = {
        "neutral": (0.035, 0.03),
        "happy": (0.08, 0.04),
        "sad": (0.01, 0.035),
        "angry": (0.0, 0.035),
        "surprised": (0.09, 0.04),
    }
    down = between(rng, 0.0, 0.4) if face.eyes == "sad" and rng.random() < 0.5 else around(rng, 0.0, 0.08)
    return Look(
        open=between(rng, *opened[face.eyes]),
        tilt=around(rng, *tilt[face.eyes]),
        raise_=between(rng, 0.2, 0.8) if face.eyes == "happy" and rng.random() < 0.7 else between(rng, 0.0, 0.2),
        iris=iris[face.eyes] * between(rng, 0.82, 1.15),
        gaze=(around(rng, 0.0, 0.16), down),
        slope=around(rng, *slope[face.brows]),
        lift=around(rng, *lift[face.brows]),
        bow=around(rng, *bow[face.brows]),
        gap=between(rng, 0.08, 0.24),
        length=between(rng, 0.8, 1.25),
        weight=between(rng, 0.7, 3.2),
        shade=min(
            face.style.skin - 35, between(rng, 0, 60) if rng.random() < 0.6 else face.style.ink + between(rng, 0, 90)
        ),
    )


def draw_eye(pen: Pen, face: Face, look: Look, side: int, rng: Rng) -> Points:
    """Draw an eye by its state; landmarks: inner and outer corner, top, bottom, centre."""
    state = face.eye_states[0 if side < 0 else 1]
    if state == "closed":
        return _closed(pen, face, look, side, rng)
    return _opened(pen, face, look, side, rng, blank=state == "missing")


def _lids(face: Face, look: Look, side: int) -> tuple[Points, Points]:
    """The upper and lower lid from the inner to the outer corner."""
    style = face.style
    half, tall = style.eye_width, style.eye_height * look.open
    t = np.linspace(-1, 1, 15)
    x = side * (style.eye_x + half * t)
    roof = 1.0 - np.abs(t) ** (2.2 if style.eye_manner != "plain" else 3.2)
    upper = -tall * 0.55 * roof - look.tilt * half * t * 0.75
    lower = tall * 0.45 * (1.0 - 0.9 * look.raise_) * (1.0 - np.abs(t) ** 2.6) - look.tilt * half * t * 0.25
    flat = np.minimum(upper, lower)
    return np.stack((x, flat), axis=1), np.stack((x, np.maximum(lower, flat)), axis=1)


def _opened(pen: Pen, face: Face, look: Look, side: int, rng: Rng, blank: bool) -> Points:
    style = face.style
    upper, lower = _lids(face, look, side)
    shape = np.concatenate((upper, lower[::-1]))
    if not (blank and rng.random() < 0.7):
        white = between(rng, 215, 256) if rng.random() < 0.8 else style.skin
        if style.eye_manner == "dot":
            white = style.skin
        pen.fill(shape, white)
        if not blank:
            _iris(pen, face, look, (upper, lower), side, rng)
        _lashes(pen, face, (upper, lower), side, rng)
    middle = (side * style.eye_x, float((upper[7, 1] + lower[7, 1]) / 2))
    return np.array((upper[0], upper[-1], upper[7], lower[7], middle))


def _iris(pen: Pen, face: Face, look: Look, lids: tuple[Points, Points], side: int, rng: Rng) -> None:
    style, (upper, lower) = face.style, lids
    tall = style.eye_height * min(look.open, 1.05)
    ry = 0.5 * max(0.62 * style.eye_height, tall) * look.iris * 1.05
    rx = min(ry * between(rng, 0.62, 1.05), 0.8 * style.eye_width)
    x = side * style.eye_x + look.gaze[0] * style.eye_width
    y = float(upper[7, 1] + lower[7, 1]) / 2 + look.gaze[1] * ry
    layer = replace(pen, image=pen.image.copy())
    IRISES[style.eye_manner](layer, face, (x, y, rx, ry), rng)
    pen.image.paste(layer.image, mask=pen.mask(np.concatenate((upper, lower[::-1]))))


def _detailed(pen: Pen, face: Face, at: tuple[float, float, float, float], rng: Rng) -> None:
    x, y, rx, ry = at
    color, dark = between(rng, 40, 200), between(rng, 0, 50)
    pen.fill(oval(x, y, rx, ry), min(dark, face.style.ink + 20))
    pen.fill(oval(x, y + 0.1 * ry, 0.86 * rx, 0.85 * ry), color)
    if rng.random() < 0.6:
        pen.fill(oval(x, y - 0.35 * ry, 0.84 * rx, 0.5 * ry), 0.55 * color)
    pupil = between(rng, 0.3, 0.6)
    pen.fill(oval(x, y, pupil * rx, pupil * ry), dark)
    if rng.random() < 0.6:
        pen.fill(oval(x, y + 0.6 * ry, 0.5 * rx, 0.25 * ry), min(color + between(rng, 20, 90), 255))
    for _ in range(int(rng.integers(0, 4))):
        size = between(rng, 0.1, 0.34)
        pen.fill(oval(x + between(rng, -0.5, 0.5) * rx, y + between(rng, -0.65, 0.3) * ry, size * rx, size * ry), 255)


def _plain(pen: Pen, face: Face, at: tuple[float, float, float, float], rng: Rng) -> None:
    x, y, rx, ry = at
    pen.fill(oval(x, y, rx, ry), between(rng, 20, 190))
    if rng.random() < 0.6:
        pen.fill(oval(x, y, 0.4 * rx, 0.45 * ry), face.style.ink)


def _dark(pen: Pen, face: Face, at: tuple[float, float, float, float], rng: Rng) -> None:
    x, y, rx, ry = at
    pen.fill(oval(x, y, rx, ry), between(rng, 0, 40))
    for _ in range(int(rng.integers(0, 3))):
        size = between(rng, 0.12, 0.4)
        pen.fill(oval(x + between(rng, -0.4, 0.4) * rx, y + between(rng, -0.6, 0.4) * ry, size * rx, size * ry), 250)


def _empty(pen: Pen, face: Face, at: tuple[float, float, float, float], rng: Rng) -> None:
    x, y, rx, ry = at
    pen.fill(oval(x, y, rx, ry), between(rng, 100, 225))
    pen.line(np.concatenate((oval(x, y, rx, ry), oval(x, y, rx, ry)[:2])), (face.style.line * 0.6,), face.style.ink)


def _ringed(pen: Pen, face: Face, at: tuple[float, float, float, float], rng: Rng) -> None:
    x, y, rx, ry = at
    for share, shade in ((1.0, face.style.ink), (0.82, 250.0), (0.5, face.style.ink), (0.25, between(rng, 0, 255))):
        pen.fill(oval(x, y, share * rx, share * ry), shade)


def _dot(pen: Pen, face: Face, at: tuple[float, float, float, float], rng: Rng) -> None:
    x, y, rx, ry = at
    size = between(rng, 0.35, 0.7)
    pen.fill(oval(x, y, size * rx, size * ry), face.style.ink)


IRISES = {"detailed": _detailed, "plain": _plain, "dark": _dark, "empty": _empty, "ring": _ringed, "dot": _dot}


def _lashes(pen: Pen, face: Face, lids: tuple[Points, Points], side: int, rng: Rng) -> None:
    style, (upper, lower) = face.style, lids
    weight = style.line * between(rng, 1.0, 2.8)
    ink = min(style.ink, style.skin - 40)
    wing = upper[-1] + (side * between(rng, 0.0, 0.07), between(rng, -0.05, 0.05))
    pen.line(np.concatenate((upper, wing[None])), (0.4 * weight, weight, 1.1 * weight, 0.5 * weight), ink)
    if rng.random() < 0.35:
        for u in range(9, 15, 2):
            out = upper[u] + (side * between(rng, 0.03, 0.08), -between(rng, 0.02, 0.08))
            pen.line(np.stack((upper[u], out)), (0.5 * weight, 0.0), ink)
    if rng.random() < 0.75:
        start = int(rng.integers(0, 8))
        pen.line(lower[start:], (0.2 * style.line, style.line * between(rng, 0.4, 1.0)), ink + between(rng, 0, 60))
    if rng.random() < 0.45:
        raised = upper[2:13] - (0.0, between(rng, 0.05, 0.11))
        pen.line(raised, (0.0, 0.5 * style.line, 0.0), ink + between(rng, 0, 80))
    if rng.random() < 0.2:
        bag = shifted(lower[3:12], 0.0, between(rng, 0.05, 0.1))
        pen.line(bag, (0.0, 0.5 * style.line, 0.0), ink + between(rng, 20, 100))


def _closed(pen: Pen, face: Face, look: Look, side: int, rng: Rng) -> Points:
    style = face.style
    arch = between(rng, 0.25, 0.75) if face.eyes == "happy" else -between(rng, 0.0, 0.5)
    half, drop = style.eye_width, between(rng, -0.05, 0.08)
    tilt = look.tilt * 0.6
    upper = curve(
        *[
            (side * (style.eye_x + half * t), drop - arch * half * (1 - t * t) * 0.8 - tilt * half * t)
            for t in (-1.0, 0.0, 1.0)
        ]
    )
    weight = style.line * between(rng, 0.9, 2.6)
    ink = min(style.ink, style.skin - 40)
    pen.line(upper, (0.4 * weight, weight, 0.6 * weight), ink)
    if rng.random() < 0.3:
        # a slit: the lids all but meet
        gap = upper + (0.0, 1.0) * (between(rng, 0.02, 0.06) * np.sin(np.linspace(0, np.pi, len(upper))))[:, None]
        if rng.random() < 0.5:
            pen.fill(np.concatenate((upper, gap[::-1])), between(rng, 0, 255))
        pen.line(gap, (0.3 * style.line, 0.8 * style.line, 0.3 * style.line), ink + between(rng, 0, 60))
    for u in range(4, 14, 2):
        if rng.random() < 0.3:
            out = upper[u] + (side * between(rng, -0.02, 0.07), between(rng, 0.02, 0.13))
            pen.line(np.stack((upper[u], out)), (0.5 * weight, 0.0), ink)
    for lift in rng.uniform(-0.16, 0.16, int(rng.integers(0, 3))):
        # creases over and under it
        pen.line(
            shifted(upper[2:-2], 0.0, lift), (0.0, between(rng, 0.4, 0.9) * style.line, 0.0), ink + between(rng, 0, 90)
        )
    middle = upper[len(upper) // 2]
    return np.array((upper[0], upper[-1], middle, middle, middle))


def brow_line(face: Face, look: Look, side: int) -> Points:
    """A brow's middle line from the inner to the outer end."""
    style = face.style
    height = -style.eye_height * 0.55 * max(look.open, 0.5) - look.gap - look.lift
    half, x, t = style.eye_width * look.length, style.eye_x + 0.03, np.linspace(-1, 1, 11)
    y = height - look.slope * half * t - look.bow * (1 - t * t) * 1.2
    return np.stack((side * (x + half * t), np.minimum(y, 0.05)), axis=1)


def draw_brow(pen: Pen, face: Face, look: Look, line: Points) -> Points:
    """Draw a brow; landmarks: inner end, middle, outer end."""
    weight = face.style.line * look.weight
    pen.line(line, (0.8 * weight, weight, 0.7 * weight, 0.2 * weight), look.shade)
    return line[[0, 5, 10]]
