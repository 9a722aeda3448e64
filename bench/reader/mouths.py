"""Mouths of this world: from a dot to a shout, by emotion."""

import numpy as np

from reader.face import Face, Rng, Style, around, between
from reader.pen import Pen, Points, curve, oval, shifted


def draw_mouth(pen: Pen, face: Face, rng: Rng) -> Points:
    """Draw a mouth; its landmarks (left, right, top, bottom) in face units."""
    style, form = face.style, FORMS[face.mouth](rng)
    x = around(rng, 0.0, 0.08 if rng.random() < 0.08 else 0.02)
    turn = around(rng, 0.0, 0.06)
    outline = form @ np.array(((np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn)))) + (x, style.mouth_y)
    closed = np.allclose(form[0], form[-1], atol=1e-6)
    ink = faint(style, rng)
    if closed:
        _open(pen, face, outline, rng)
    else:
        _line(pen, face, outline, ink, rng)
    middle = outline[:, 0].mean()
    return np.array(
        (
            outline[outline[:, 0].argmin()],
            outline[outline[:, 0].argmax()],
            (middle, outline[:, 1].min()),
            (middle, outline[:, 1].max()),
        )
    )


def _line(pen: Pen, face: Face, line: Points, ink: float, rng: Rng) -> None:
    width = min(face.style.line * between(rng, 0.5, 1.5), 0.045)
    ends = between(rng, 0.2, 1.0)
    if rng.random() < 0.2:
        # a line broken in its middle
        third = len(line) // 3
        pen.line(line[: third + 2], (width * ends, width), ink)
        pen.line(line[-third - 2 :], (width, width * ends), ink)
    else:
        pen.line(line, (width * ends, width, width * ends), ink)
    if rng.random() < 0.3:
        # corners
        for end in (line[0], line[-1]):
            pen.line(np.array((shifted(end, 0.0, -0.015), shifted(end, 0.0, 0.02))), (width, width * 0.5), ink)
    if rng.random() < 0.35:
        _lip(pen, face, line, rng)


def faint(style: Style, rng: Rng) -> float:
    """The shade of a mouth's line: often as dark as all lines, now and then hardly darker than skin."""
    if rng.random() < 0.6:
        return min(style.ink + between(rng, 0, 50), 0.65 * style.skin)
    return style.skin * between(rng, 0.35, 0.86)


def _lip(pen: Pen, face: Face, line: Points, rng: Rng) -> None:
    """The shadow or line under the lower lip."""
    x, y = line.mean(axis=0)
    half, drop = 0.35 * np.ptp(line[:, 0]) + 0.02, between(rng, 0.05, 0.12)
    shade = between(rng, 0.5, 0.92) * face.style.skin
    sag = around(rng, 0.012, 0.01)
    pen.line(curve((x - half, y + drop), (x, y + drop + sag), (x + half, y + drop)), (0.0, face.style.line, 0.0), shade)


def _open(pen: Pen, face: Face, outline: Points, rng: Rng) -> None:
    style = face.style
    inside = between(rng, 0, 130) if rng.random() < 0.7 else between(rng, 130, 255)
    inside = min(inside, 0.88 * style.skin)
    pen.fill(outline, inside)
    x = float(outline[:, 0].mean())
    tall, wide = np.ptp(outline[:, 1]), np.ptp(outline[:, 0])
    if tall > 0.12 and rng.random() < 0.5:
        low = outline[:, 1].max()
        tongue = oval(x, low - 0.16 * tall, 0.25 * wide, 0.16 * tall)
        pen.fill(tongue, min(inside + between(rng, 20, 110), 250))
    if tall > 0.09 and rng.random() < 0.35:
        top = outline[:, 1].min()
        pen.fill(
            np.array(
                (
                    (x - 0.3 * wide, top + 0.05 * tall),
                    (x + 0.3 * wide, top + 0.05 * tall),
                    (x + 0.28 * wide, top + 0.25 * tall),
                    (x - 0.28 * wide, top + 0.25 * tall),
                )
            ),
            250,
        )
    if face.mouth == "angry" and rng.random() < 0.5:
        _teeth(pen, face, outline, rng)
    if rng.random() < 0.85:
        width = style.line * between(rng, 0.5, 1.2)
        pen.line(np.concatenate((outline, outline[:2])), (width,), min(style.ink, style.skin - 40))


def _teeth(pen: Pen, face: Face, outline: Points, rng: Rng) -> None:
    pen.fill(outline, between(rng, 225, 256))
    left, right = outline[:, 0].min(), outline[:, 0].max()
    top, low = outline[:, 1].min(), outline[:, 1].max()
    y, width = (top + low) / 2, face.style.line * 0.5
    pen.line(np.array(((left, y), (right, y))), (width,), face.style.ink)
    for x in np.linspace(left, right, int(rng.integers(3, 8)))[1:-1]:
        pen.line(np.array(((x, top), (x, low))), (width * 0.7,), face.style.ink)


def _bow(half: float, sag: float, rng: Rng) -> Points:
    """A line whose middle lies `sag` lower than its ends."""
    slant = around(rng, 0.0, 0.012)
    return curve((-half, -sag / 2 - slant), (around(rng, 0, 0.15) * half, sag / 2), (half, -sag / 2 + slant))


def _ring(points: Points) -> Points:
    return np.concatenate((points, points[:1]))


def _small(rng: Rng, low: float = 0.04, high: float = 0.24) -> float:
    """Half a width; small mouths are the commonest."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _neutral(rng: Rng) -> Points:
    kind = rng.random()
    half = _small(rng, 0.035, 0.2)
    if kind < 0.72:
        return _bow(half, around(rng, 0.0, 0.06) * half, rng)
    if kind < 0.86:
        return _ring(oval(0, 0, between(rng, 0.015, 0.07), between(rng, 0.01, 0.03)))
    # a flat opening
    return _ring(oval(0, 0, half, between(rng, 0.012, 0.03)))


def _happy(rng: Rng) -> Points:
    kind, half = rng.random(), _small(rng, 0.07, 0.34)
    if kind < 0.5:
        return _bow(half, between(rng, 0.2, 0.75) * half, rng)
    if kind < 0.82:
        deep, top = between(rng, 0.4, 1.3) * half, between(rng, -0.05, 0.25) * half
        upper = curve((-half, 0), (0, top), (half, 0))
        lower = curve((half, 0), (0.72 * half, 0.7 * deep), (0, deep), (-0.72 * half, 0.7 * deep), (-half, 0))
        return np.concatenate((upper, lower))
    if kind < 0.9:
        # a cat's mouth
        return np.concatenate(
            (
                curve((-half, -0.2 * half), (-half / 2, 0.45 * half), (0, 0)),
                curve((0, 0), (half / 2, 0.45 * half), (half, -0.2 * half)),
            )
        )
    # one corner up
    side = 1 if rng.random() < 0.5 else -1
    return curve((-side * half, 0.05 * half), (0, 0.12 * half), (side * half, -between(rng, 0.3, 0.5) * half))


def _sad(rng: Rng) -> Points:
    kind, half = rng.random(), _small(rng, 0.045, 0.24)
    if kind < 0.68:
        return _bow(half, -between(rng, 0.18, 0.8) * half, rng)
    if kind < 0.8:
        # trembling
        t = np.linspace(-1, 1, 22)
        wave = between(rng, 0.08, 0.2) * np.sin(t * between(rng, 5, 9) + between(rng, 0, 6))
        return np.stack((half * t, half * (wave + between(rng, 0.1, 0.4) * t**2)), axis=1)
    deep = between(rng, 0.3, 0.9) * half
    upper = curve(
        (-half, deep / 2), (-0.6 * half, -0.3 * deep), (0, -deep / 2), (0.6 * half, -0.3 * deep), (half, deep / 2)
    )
    lower = curve((half, deep / 2), (0, between(rng, -0.05, 0.4) * deep), (-half, deep / 2))
    return np.concatenate((upper, lower))


def _angry(rng: Rng) -> Points:
    kind, half = rng.random(), _small(rng, 0.06, 0.3)
    if kind < 0.2:
        return _bow(half, around(rng, -0.1, 0.1) * half, rng)
    if kind < 0.38:
        return curve(
            (-half, 0.25 * half),
            (-half / 2, -0.25 * half),
            (0, 0.05 * half),
            (half / 2, -0.25 * half),
            (half, 0.25 * half),
            count=18,
        )
    deep = between(rng, 0.3, 1.1) * half
    top = between(rng, 0.6, 1.0) * half
    if kind < 0.75:
        return _ring(
            np.array(
                (
                    (-half, deep / 2),
                    (-top, -deep / 2),
                    (0, -between(rng, 0.35, 0.6) * deep),
                    (top, -deep / 2),
                    (half, deep / 2),
                    (0, between(rng, 0.3, 0.5) * deep),
                )
            )
        )
    upper = curve((-half, 0.3 * deep), (0, -0.75 * deep), (half, 0.3 * deep))
    lower = curve((half, 0.3 * deep), (0, between(rng, 0.2, 0.7) * deep), (-half, 0.3 * deep))
    return np.concatenate((upper, lower))


def _surprised(rng: Rng) -> Points:
    half = between(rng, 0.035, 0.17)
    return _ring(oval(0, 0, half, half * between(rng, 0.8, 1.9)))


FORMS = {"neutral": _neutral, "happy": _happy, "sad": _sad, "angry": _angry, "surprised": _surprised}
