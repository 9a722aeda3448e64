"""A whole head: what lies behind, on and over the face, and the crop that the net sees."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from reader.eyes import Look, brow_line, draw_brow, draw_eye, sample_look
from reader.face import Face, Rng, around, between, sample_face
from reader.mouths import draw_mouth
from reader.pen import SIDE, Pen, Points, curve, oval, shifted

Tone = NDArray[np.uint8]


@dataclass(slots=True, kw_only=True)
class Drawn:
    """A drawing: the picture, its truth, and the landmarks in pixels (20 points: eyes 5 + 5, brows 3 + 3, mouth 4)."""

    image: Image.Image
    face: Face
    points: Points


Touch = Callable[[Pen, Face, Look, Points], None]


def draw(rng: Rng, touch: Touch | None = None) -> Drawn:
    """One head in a style of its own; `touch` may add to face and mouth before glasses and hair come over them."""
    return draw_face(sample_face(rng), rng, touch)


def draw_face(face: Face, rng: Rng, touch: Touch | None = None) -> Drawn:
    """The head of this face; what its parts hide from each other is noted in the face."""
    pen = _pen(face, rng)
    look = sample_look(face, rng)
    skin = _behind(pen, face, rng)
    _shadows(pen, face, skin, rng)
    _marks(pen, face, look, rng)
    mouth = draw_mouth(pen, face, rng) if face.mouth_state != "missing" else _no_mouth(pen, face, rng)
    _nose(pen, face, rng)
    brows = [brow_line(face, look, side) for side in (-1, 1)]
    over = rng.random() < 0.45
    eyes = _eyes(pen, face, look, rng)
    if face.brow_state == "present" and not over:
        _brows(pen, face, look, brows, rng)
    if touch is not None:
        touch(pen, face, look, mouth)
    plain = pen.image.copy()
    if rng.random() < 0.1:
        _glasses(pen, face, rng)
    if rng.random() < 0.93:
        _bangs(pen, face, rng)
    covered = np.abs(np.asarray(plain, dtype=np.int16) - np.asarray(pen.image, dtype=np.int16)) > 25
    if face.brow_state == "present" and over:
        _brows(pen, face, look, brows, rng)
    if face.mouth_state == "hidden":
        _cover(pen, face, rng)
    _note_hidden(pen, face, covered, eyes, brows, over)
    _around_eyes(pen, face, rng)
    landmarks = np.concatenate((*eyes, *(line[[0, 5, 10]] for line in brows), mouth))
    return Drawn(image=pen.image, face=face, points=np.array(pen.pixels(landmarks)).reshape(-1, 2))


def _pen(face: Face, rng: Rng) -> Pen:
    yaw = around(rng, 0.0, 0.12) if rng.random() < 0.6 else between(rng, -0.62, 0.62)
    return Pen(image=Image.new("L", (SIDE, SIDE), round(face.style.background)), yaw=yaw, pitch=around(rng, 0, 0.12))


def _no_mouth(pen: Pen, face: Face, rng: Rng) -> Points:
    """Nothing is drawn; the landmarks lie where a mouth would."""
    y = face.style.mouth_y
    return np.array(((-0.1, y), (0.1, y), (0.0, y - 0.02), (0.0, y + 0.02)))


def _head(face: Face) -> Points:
    """The outline of face and forehead."""
    chin, jaw = face.style.chin_y, face.style.jaw
    right = (
        (0.0, -1.25),
        (0.62, -1.0),
        (0.9, -0.4),
        (0.88, 0.15),
        (0.6 + 0.2 * jaw, 0.6 * chin),
        (0.14 + 0.22 * jaw, 0.93 * chin),
        (0.0, chin),
    )
    side = curve(*right, count=24)
    return np.concatenate((side, side[::-1] * (-1, 1))) * (face.style.width, 1.0)


def _behind(pen: Pen, face: Face, rng: Rng) -> Image.Image:
    """Background, back hair, neck, collar and the face itself; the mask of the face."""
    style = face.style
    if rng.random() < 0.3:
        _background(pen, style.background, rng)
    wide, low = style.width * between(rng, 1.05, 1.6), between(rng, 0.3, 2.0)
    back = curve((0, -1.6), (-wide, -0.9), (-wide, 0.2), (-wide * between(rng, 0.6, 1.0), low), count=20)
    back = np.concatenate((back, back[::-1] * (-1, 1)))
    pen.fill(back, style.hair)
    _strands(pen, face, rng, back)
    neck = between(rng, 0.2, 0.4)
    shade = style.skin * between(rng, 0.7, 1.0)
    pen.fill(np.array(((-neck, 0.5), (neck, 0.5), (neck + 0.1, 2), (-neck - 0.1, 2))), shade)
    if rng.random() < 0.7:
        y = style.chin_y + between(rng, 0.08, 0.5)
        pen.fill(
            np.array(((-0.5, y), (0, y + between(rng, -0.05, 0.4)), (0.5, y), (1.6, 2), (-1.6, 2))),
            between(rng, 0, 256),
        )
        pen.line(np.array(((-0.5, y), (0, y + 0.2), (0.5, y))), (style.line,), style.ink)
    head = _head(face)
    if rng.random() < 0.5:
        for side in (-1, 1):
            ear = oval(side * 0.93 * style.width, 0.1, 0.12, 0.22)
            pen.fill(ear, style.skin)
            pen.line(ear, (style.line,), style.ink)
    pen.fill(head, style.skin)
    if rng.random() < 0.88:
        pen.line(head, (style.line * between(rng, 0.6, 1.6),), style.ink)
    return pen.mask(head)


def _background(pen: Pen, shade: float, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 6))):
        x, y = rng.uniform(-1.7, 1.7, 2)
        pen.fill(oval(x, y, between(rng, 0.2, 1.2), between(rng, 0.2, 1.2)), shade + around(rng, 0, 60))


def _strands(pen: Pen, face: Face, rng: Rng, shape: Points) -> None:
    """Lines within the back hair."""
    style, light = face.style, face.style.hair < 100
    for _ in range(int(rng.integers(0, 26))):
        side = 1 if rng.random() < 0.5 else -1
        x, y = side * style.width * between(rng, 0.8, 1.5), between(rng, -1.4, -0.4)
        shade = between(rng, 120, 255) if light and style.manner != "soft" else style.ink + between(rng, 0, 40)
        pen.line(
            curve((x * 0.6, y), (x, y + 0.6), (x * between(rng, 0.8, 1.1), y + between(rng, 1, 2))),
            (0.0, style.line * between(rng, 0.4, 2), 0.0),
            shade,
        )


def _shadows(pen: Pen, face: Face, skin: Image.Image, rng: Rng) -> None:
    """Shade on the face: under the fringe, on one half, or at the jaw; flat, as dots, or as hatching."""
    kind = rng.random()
    if kind > 0.55:
        return
    shade = face.style.skin * between(rng, 0.55, 0.93)
    if kind < 0.2:
        y = between(rng, -0.6, 0.1)
        area = np.array(
            (
                (-1.2, -1.4),
                (1.2, -1.4),
                (1.2, y),
                (0.4, y - between(rng, 0, 0.3)),
                (0.0, y),
                (-0.5, y - between(rng, 0, 0.3)),
                (-1.2, y),
            )
        )
    elif kind < 0.4:
        x, side = between(rng, -0.2, 0.8), 1 if rng.random() < 0.5 else -1
        area = np.array(
            (
                (side * x, -1.5),
                (side * 1.3, -1.5),
                (side * 1.3, 1.4),
                (side * x * between(rng, 0, 1), 1.4),
                (side * (x + around(rng, 0, 0.15)), 0.2),
            )
        )
    else:
        y = between(rng, 0.5, 1.0)
        area = np.array(((-1.2, 0), (-0.6, y), (0.0, y + 0.3), (0.6, y), (1.2, 0), (1.2, 1.6), (-1.2, 1.6)))
    mask = Image.fromarray(np.minimum(np.asarray(skin), np.asarray(pen.mask(area))))
    if face.style.manner == "soft":
        mask = mask.filter(ImageFilter.GaussianBlur(9))
    pen.paste(_tone(face, shade, rng), mask)


def _tone(face: Face, shade: float, rng: Rng) -> Tone:
    """A flat shade; in manga also dots or hatching of the same mean."""
    if face.style.manner not in ("tone", "line", "sketch") or rng.random() < 0.35:
        return np.full((SIDE, SIDE), round(shade), np.uint8)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    step = between(rng, 5, 11)
    turn = between(rng, 0, np.pi)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    wave = np.sin(u * 2 * np.pi / step)
    if face.style.manner == "tone":
        wave = (wave + np.sin(v * 2 * np.pi / step)) / 2
    limit = between(rng, 0.1, 0.6)
    return np.where(wave > limit, face.style.ink, face.style.skin).astype(np.uint8)


def _marks(pen: Pen, face: Face, look: Look, rng: Rng) -> None:
    """Blush, tears, lines under the eyes, frown lines: what lies on cheeks and forehead."""
    style = face.style
    if rng.random() < 0.25:
        _blush(pen, face, rng)
    if rng.random() < (0.22 if face.eyes == "sad" else 0.01):
        _tears(pen, face, rng)
    if rng.random() < 0.1:
        for side in (-1, 1):
            for row in range(int(rng.integers(1, 4))):
                y = style.eye_height * 0.5 + 0.08 + 0.07 * row
                x = side * (style.eye_x + around(rng, 0, 0.05))
                pen.line(
                    np.array(((x - 0.18, y), (x + 0.18, y + around(rng, 0, 0.05)))), (0.0, style.line, 0.0), style.ink
                )
    if rng.random() < (0.25 if face.brows == "angry" else 0.02):
        for x in rng.uniform(-0.07, 0.07, int(rng.integers(1, 3))):
            pen.line(np.array(((x, -0.42), (x * 0.7, -0.2))), (0.0, style.line, 0.0), style.ink + 20)


def _blush(pen: Pen, face: Face, rng: Rng) -> None:
    style, y, x = face.style, between(rng, 0.25, 0.5), between(rng, 0.45, 0.65)
    shade = style.skin * between(rng, 0.6, 0.95)
    lines = rng.random() < 0.45
    for side in (-1, 1):
        if lines:
            for step in np.linspace(-0.12, 0.12, int(rng.integers(2, 5))):
                pen.line(
                    np.array(((side * x + step + 0.03, y - 0.05), (side * x + step - 0.03, y + 0.05))),
                    (style.line * 0.7,),
                    shade * 0.8,
                )
        else:
            layer = Image.new("L", pen.image.size, 0)
            mask = Pen(image=layer, yaw=pen.yaw, pitch=pen.pitch)
            mask.fill(oval(side * x, y, between(rng, 0.12, 0.22), between(rng, 0.06, 0.18)), 255)
            soft = layer.filter(ImageFilter.GaussianBlur(between(rng, 0, 8)))
            pen.image.paste(round(shade), mask=soft)


def _tears(pen: Pen, face: Face, rng: Rng) -> None:
    style = face.style
    for side in (-1, 1):
        if rng.random() < 0.75:
            x, top = side * (style.eye_x + around(rng, 0, 0.12)), style.eye_height * 0.4
            drop = curve((x, top), (x + 0.05 * side, top + between(rng, 0.15, 0.7)))
            pen.line(drop, (0.03, between(rng, 0.05, 0.12)), min(255, style.skin + 20))
            pen.line(shifted(drop, 0.03, 0.0), (style.line * 0.5,), style.ink + between(rng, 30, 130))


def _nose(pen: Pen, face: Face, rng: Rng) -> None:
    """A nose in one of many shapes; none of them is a mouth."""
    style = face.style
    y = style.mouth_y * between(rng, 0.5, 0.72)
    x = 0.22 * pen.yaw + around(rng, 0, 0.015)
    side = 1 if rng.random() < 0.5 else -1
    ink, width = min(style.ink + between(rng, 0, 90), style.skin - 25), style.line * between(rng, 0.5, 1.3)
    if style.nose == "dot":
        pen.fill(oval(x, y, between(rng, 0.01, 0.03), between(rng, 0.01, 0.025)), ink)
    elif style.nose == "side":
        pen.line(
            curve((x, y - between(rng, 0.06, 0.2)), (x + side * 0.05, y - 0.01), (x, y + 0.01)),
            (0.0, width, 0.3 * width),
            ink,
        )
    elif style.nose == "hook":
        pen.line(
            curve((x - side * 0.05, y - 0.03), (x, y + 0.03), (x + side * 0.06, y - 0.02)),
            (0.3 * width, width, 0.3 * width),
            ink,
        )
    elif style.nose in ("long", "bridge"):
        top = between(rng, -0.15, 0.15)
        foot = y + (between(rng, 0.0, 0.25) if rng.random() < 0.3 else 0.0)
        pen.line(
            curve((x + side * 0.05, top), (x, (top + y) / 2), (x - side * between(rng, 0, 0.05), foot)),
            (0.2 * width, width),
            ink,
        )
        if style.nose == "long":
            pen.line(curve((x - side * 0.04, foot), (x + side * 0.05, foot + 0.03)), (width, 0.3 * width), ink)
    elif style.nose == "shadow":
        pen.fill(
            np.array(((x, y - between(rng, 0.05, 0.2)), (x + side * between(rng, 0.04, 0.1), y), (x, y + 0.03))),
            style.skin * between(rng, 0.3, 0.9),
        )
    elif style.nose == "nostrils":
        for way in (-1, 1):
            pen.fill(oval(x + way * 0.035, y, 0.014, 0.009), ink)


def _eyes(pen: Pen, face: Face, look: Look, rng: Rng) -> list[Points]:
    """Both eyes, drawn alike, or now and then with a difference."""
    seed = int(rng.integers(2**31))
    return [
        draw_eye(pen, face, look, side, np.random.default_rng(seed if rng.random() < 0.9 else seed + side))
        for side in (-1, 1)
    ]


def _brows(pen: Pen, face: Face, look: Look, lines: list[Points], rng: Rng) -> None:
    for line in lines:
        draw_brow(pen, face, look, line)


def _glasses(pen: Pen, face: Face, rng: Rng) -> None:
    style = face.style
    half, tall = between(rng, 0.28, 0.42), between(rng, 0.2, 0.36)
    power, y = between(rng, 2, 6), between(rng, 0.0, 0.1)
    a = np.linspace(0, 2 * np.pi, 30)
    ring = np.stack(
        (
            half * np.sign(np.cos(a)) * np.abs(np.cos(a)) ** (2 / power),
            tall * np.sign(np.sin(a)) * np.abs(np.sin(a)) ** (2 / power),
        ),
        axis=1,
    )
    if rng.random() < 0.3:
        # half rims
        ring = ring[ring[:, 1] > -0.3 * tall]
        ring = ring[np.argsort(ring[:, 0])]
    width, ink = style.line * between(rng, 0.7, 2.5), between(rng, 0, 90) if rng.random() < 0.85 else 240
    for side in (-1, 1):
        pen.line(shifted(ring, side * style.eye_x, y), (width,), ink)
    x = style.eye_x - half
    pen.line(curve((-x, y - 0.02), (0, y - 0.06), (x, y - 0.02)), (width,), ink)


def _bangs(pen: Pen, face: Face, rng: Rng) -> None:
    """Locks over the forehead and beside the face, some over brows and eyes."""
    style = face.style
    dark = style.ink if style.hair > 90 else style.hair * 0.5
    light = min(255.0, style.hair + between(rng, 20, 120))
    low = between(rng, -0.62, -0.05) if rng.random() < 0.9 else between(rng, -0.05, 0.42)
    part = between(rng, -0.6, 0.6)
    gap = between(rng, 0.0, 0.5) if rng.random() < 0.4 else 0.0
    for x in np.sort(rng.uniform(-1.1, 1.1, int(rng.integers(6, 24))) * style.width):
        away = abs(x - part)
        tip = low + around(rng, 0, 0.16) + (between(rng, 0, 0.5) if abs(x) > 0.7 * style.width else 0.0)
        if away < gap:
            continue
        root, wide = x * 0.85, between(rng, 0.08, 0.3)
        lean = around(rng, 0, 0.14) + (0.12 * np.sign(x - part) if gap else 0)
        lock = np.concatenate(
            (
                curve((root - wide, -1.35), (x - wide * 0.6, -0.75), (x + lean, tip)),
                curve((x + lean, tip), (x + wide * 0.6, -0.75), (root + wide, -1.35)),
            )
        )
        pen.fill(lock, style.hair)
        if rng.random() < 0.85:
            pen.line(lock[2:-2], (style.line * between(rng, 0.4, 1.2),), dark)
        if rng.random() < 0.5:
            shade = light if rng.random() < 0.5 else dark
            pen.line(
                curve((root, -1.2), (x, -0.75), (x + lean, tip - 0.1)),
                (0.0, style.line * between(rng, 0.5, 2.0), 0.0),
                shade,
            )
    _side_locks(pen, face, dark, rng)
    if rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 7))):
            x = between(rng, -0.8, 0.8)
            end = (x + around(rng, 0, 0.2), between(rng, -0.3, 0.55))
            pen.line(
                curve((x * 0.7, -1.2), (x + around(rng, 0, 0.1), -0.5), end),
                (style.line, style.line, 0.0),
                style.hair if rng.random() < 0.6 else dark,
            )


def _side_locks(pen: Pen, face: Face, dark: float, rng: Rng) -> None:
    style = face.style
    for side in (-1, 1):
        if rng.random() < 0.75:
            x, end = side * style.width * between(rng, 0.72, 1.05), between(rng, 0.3, 1.8)
            lock = np.concatenate(
                (
                    curve((x * 0.7, -1.3), (x, -0.4), (x - side * between(rng, 0, 0.2), end)),
                    curve((x - side * 0.02, end), (x + side * 0.25, -0.2), (x + side * 0.3, -1.3)),
                )
            )
            pen.fill(lock, style.hair)
            pen.line(lock[1:-1], (style.line,), dark)


def _cover(pen: Pen, face: Face, rng: Rng) -> None:
    """Something over the mouth: a scarf, a mask, a hand."""
    style = face.style
    y = style.mouth_y - between(rng, 0.1, 0.22)
    if rng.random() < 0.6:
        area = np.array(
            ((-1.2, y + 0.1), (-0.5, y), (0.0, y - 0.04), (0.5, y), (1.2, y + 0.1), (1.2, 1.7), (-1.2, 1.7))
        )
        pen.fill(area, between(rng, 0, 256))
        pen.line(area[:5], (style.line,), style.ink)
        for _ in range(int(rng.integers(0, 5))):
            x = between(rng, -0.7, 0.7)
            pen.line(curve((x, y + 0.1), (x + around(rng, 0, 0.2), y + 0.5)), (0.0, style.line, 0.0), style.ink)
        return
    for step in range(4):
        x = -0.3 + 0.17 * step + around(rng, 0, 0.02)
        finger = np.concatenate(
            (curve((x - 0.08, 1.6), (x - 0.09, y + 0.1), (x, y)), curve((x, y), (x + 0.09, y + 0.1), (x + 0.08, 1.6)))
        )
        pen.fill(finger, style.skin)
        pen.line(finger, (style.line,), style.ink)


def _note_hidden(pen: Pen, face: Face, covered: Tone, eyes: list[Points], brows: list[Points], over: bool) -> None:
    """Correct the truth where hair lies over a part."""
    states = list(face.eye_states)
    for number, points in enumerate(eyes):
        if _share(pen, covered, _around(points)) > 0.7:
            states[number] = "hidden"
    face.eye_states = (states[0], states[1])
    if not over and min(_share(pen, covered, line) for line in brows) > 0.75:
        face.brow_state = "hidden"


def _around(points: Points) -> Points:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    x, y = np.meshgrid(np.linspace(left, right, 6), np.linspace(top, bottom + 0.02, 4))
    return np.stack((x.ravel(), y.ravel()), axis=1)


def _share(pen: Pen, covered: Tone, points: Points) -> float:
    at = np.clip(np.array(pen.pixels(points)).reshape(-1, 2).astype(int), 0, SIDE - 1)
    return float(covered[at[:, 1], at[:, 0]].mean())


def _around_eyes(pen: Pen, face: Face, rng: Rng) -> None:
    """Grain and a soft light over all."""
    if face.style.manner in ("soft", "sketch") and rng.random() < 0.5:
        x, y = np.meshgrid(np.linspace(-1, 1, SIDE), np.linspace(-1, 1, SIDE))
        light = 1.0 + between(rng, -0.25, 0.25) * x + between(rng, -0.25, 0.25) * y
        pen.image = Image.fromarray(np.clip(np.asarray(pen.image) * light, 0, 255).astype(np.uint8))
