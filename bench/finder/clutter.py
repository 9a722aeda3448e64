"""What is in pictures beside faces: grounds, textures, leaves, windows, hands, ornaments, letters."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from reader.face import Rng, around, between
from scipy import ndimage

Tone = NDArray[np.uint8]
Place = tuple[float, float]
LETTERS = "ABCDEFGHKLMNOPRSTUVWXYZabdeghkmnpqrstuvyz0123456789!?#&%*+"


def ground(rng: Rng, width: int, height: int) -> Image.Image:
    """A grey background: paper, a gradient, clouds of noise, or a wall, mostly with things on it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(width, height)
    shade = between(rng, 0, 255) if rng.random() < 0.7 else float(rng.choice((255.0, 0.0, 128.0)))
    tone = np.full((height, width), shade, dtype=np.float32)
    if rng.random() < 0.5:
        turn = between(rng, 0, 2 * np.pi)
        tone += around(rng, 0, 90) * (x * np.cos(turn) + y * np.sin(turn))
    if rng.random() < 0.45:
        tone += _clouds(rng, width, height)
    if rng.random() < 0.2:
        step, turn = between(rng, 0.012, 0.12), between(rng, 0, np.pi)
        wave = np.sin((x * np.cos(turn) + y * np.sin(turn)) * 2 * np.pi / step)
        tone += around(rng, 0, 40) * (np.sign(wave) if rng.random() < 0.5 else wave)
    image = Image.fromarray(np.clip(tone, 0, 255).astype(np.uint8))
    if rng.random() < 0.65:
        for _ in range(int(rng.integers(1, 9))):
            put_thing(image, rng)
    return image


def _clouds(rng: Rng, width: int, height: int) -> NDArray[np.float32]:
    """Noise of one or several sizes."""
    tone = np.zeros((height, width), dtype=np.float32)
    for _ in range(int(rng.integers(1, 4))):
        cells = int(rng.integers(3, 60))
        small = Image.fromarray(rng.standard_normal((cells, cells), dtype=np.float32))
        tone += np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)) * between(rng, 4, 45)
    return tone


def put_thing(image: Image.Image, rng: Rng) -> None:
    """One thing anywhere, of any size."""
    side = max(image.size)
    place = (between(rng, -0.1, 1.1) * image.width, between(rng, -0.1, 1.1) * image.height)
    size = side * float(np.exp(rng.uniform(np.log(0.02), np.log(0.35))))
    THINGS[int(rng.integers(len(THINGS)))](ImageDraw.Draw(image), rng, place, size)


def _shade(rng: Rng) -> int:
    return int(rng.integers(256))


def _edge(rng: Rng) -> int | None:
    return _shade(rng) if rng.random() < 0.6 else None


def _blob(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    count = int(rng.integers(3, 14))
    turns = np.sort(rng.uniform(0, 2 * np.pi, count))
    radii = size * rng.uniform(0.4, 1.0, count)
    points = [(place[0] + r * np.cos(t), place[1] + r * np.sin(t)) for t, r in zip(turns, radii, strict=True)]
    pen.polygon(points, fill=_shade(rng), outline=_edge(rng))


def _oval(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    wide, high = size * between(rng, 0.3, 1.0), size * between(rng, 0.3, 1.0)
    box = (place[0] - wide, place[1] - high, place[0] + wide, place[1] + high)
    pen.ellipse(
        box, fill=_shade(rng) if rng.random() < 0.7 else None, outline=_shade(rng), width=int(rng.integers(1, 4))
    )


def _window(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    """A grid of panes, shelves or bricks."""
    rows, columns = (int(count) for count in rng.integers(1, 7, 2))
    wide, high, frame = size * between(rng, 0.4, 2), size * between(rng, 0.4, 2), _shade(rng)
    pen.rectangle((*place, place[0] + wide, place[1] + high), fill=frame, outline=_edge(rng))
    gap = between(rng, 0.04, 0.2)
    for row in range(rows):
        for column in range(columns):
            left, top = place[0] + wide * (column + gap) / columns, place[1] + high * (row + gap) / rows
            right, low = left + wide * (1 - 2 * gap) / columns, top + high * (1 - 2 * gap) / rows
            pen.rectangle((left, top, right, low), fill=_shade(rng) if rng.random() < 0.3 else 255 - frame)


def _leaves(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    shade = _shade(rng)
    for x, y in rng.normal(0, 0.5 * size, (int(rng.integers(5, 60)), 2)):
        leaf = size * between(rng, 0.04, 0.25)
        tone = int(np.clip(shade + around(rng, 0, 40), 0, 255))
        box = (place[0] + x, place[1] + y, place[0] + x + leaf, place[1] + y + leaf * between(rng, 0.4, 1.2))
        pen.ellipse(box, fill=tone, outline=_edge(rng) if rng.random() < 0.3 else None)


def _strands(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    """Hair, grass, folds or speed lines."""
    turn, shade = between(rng, 0, 2 * np.pi), _shade(rng)
    for _ in range(int(rng.integers(4, 40))):
        x, y = place + rng.normal(0, 0.5 * size, 2)
        way = turn + around(rng, 0, 0.25)
        t = np.linspace(0, 1, 8)
        bend = around(rng, 0, 0.4) * size * t**2
        along = between(rng, 0.5, 2.5) * size * t
        points = np.stack(
            (x + along * np.cos(way) - bend * np.sin(way), y + along * np.sin(way) + bend * np.cos(way)), 1
        )
        pen.line([tuple(point) for point in points], fill=shade if rng.random() < 0.8 else _shade(rng),
                 width=int(rng.integers(1, 4)))  # fmt: skip


def _flower(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    """A flower, a star or a wheel: a hair ornament as well."""
    count, shade, size = int(rng.integers(4, 9)), _shade(rng), 0.5 * size
    for turn in np.arange(count) * 2 * np.pi / count:
        x, y, leaf = place[0] + size * np.cos(turn), place[1] + size * np.sin(turn), 0.6 * size
        pen.ellipse((x - leaf, y - leaf, x + leaf, y + leaf), fill=shade, outline=_edge(rng))
    leaf = 0.4 * size
    pen.ellipse((place[0] - leaf, place[1] - leaf, place[0] + leaf, place[1] + leaf), fill=_shade(rng))


def _ribbon(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    shade, edge, (x, y) = _shade(rng), _shade(rng), place
    for side in (-1, 1):
        points = [(x, y), (x + side * size, y - 0.6 * size), (x + side * size, y + between(rng, 0.2, 0.8) * size)]
        pen.polygon(points, fill=shade, outline=edge)
    pen.ellipse((x - 0.2 * size, y - 0.2 * size, x + 0.2 * size, y + 0.2 * size), fill=shade, outline=edge)


def _hand(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    skin, ink, turn = int(between(rng, 120, 255)), int(between(rng, 0, 90)), between(rng, 0, 2 * np.pi)

    def at(x: float, y: float) -> Place:
        return (
            place[0] + size * (x * np.cos(turn) - y * np.sin(turn)),
            place[1] + size * (x * np.sin(turn) + y * np.cos(turn)),
        )

    spread = between(rng, 0.0, 0.25)
    for finger in range(5):
        x, far = 0.22 * (finger - 2), between(rng, 0.5, 1.1) if finger else 0.4
        lean = spread * (finger - 2)
        points = [
            at(x - 0.1, 0),
            at(x - 0.09 + lean, far),
            at(x + lean, far + 0.08),
            at(x + 0.09 + lean, far),
            at(x + 0.1, 0),
        ]
        pen.polygon(points, fill=skin, outline=ink)
    pen.polygon([at(-0.5, 0.1), at(0.5, 0.1), at(0.35, -0.8), at(-0.35, -0.8)], fill=skin, outline=ink)


def _button(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    """Rings in rings: a button, a lens, a lamp, an eye that looks out of no face."""
    size = 0.4 * size
    for share in np.sort(rng.uniform(0.1, 1.0, int(rng.integers(2, 5))))[::-1]:
        wide = size * share
        high = wide * (1.0 if rng.random() < 0.7 else between(rng, 0.5, 1.0))
        pen.ellipse(
            (place[0] - wide, place[1] - high, place[0] + wide, place[1] + high), fill=_shade(rng), outline=_edge(rng)
        )


def _goggles(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    """Two alike, side by side: glasses on a table, headlights, buttons of a coat."""
    apart, seed = size * between(rng, 0.3, 0.9), int(rng.integers(2**31))
    for side in (-1, 1):
        _button(pen, np.random.default_rng(seed), (place[0] + side * apart, place[1]), size)
    if rng.random() < 0.5:
        pen.line(((place[0] - apart, place[1]), (place[0] + apart, place[1])), fill=_shade(rng), width=2)


def _text(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    words = "".join(LETTERS[int(number)] for number in rng.integers(len(LETTERS), size=int(rng.integers(2, 14))))
    if rng.random() < 0.3:
        words = "\n".join(words)
    pen.text(place, words, fill=_shade(rng), font=ImageFont.load_default(size=max(6.0, 0.4 * size)))


def _bubble(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    wide, high = size * between(rng, 0.6, 1.2), size * between(rng, 0.4, 1.2)
    pen.ellipse((place[0] - wide, place[1] - high, place[0] + wide, place[1] + high), fill=255, outline=0)
    for row in range(int(rng.integers(1, 4))):
        _text(pen, rng, (place[0] - 0.6 * wide, place[1] - 0.5 * high + 0.4 * row * high), 0.7 * size)


def _dots(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    step, shade = max(3.0, size * between(rng, 0.06, 0.2)), _shade(rng)
    dot = step * between(rng, 0.2, 0.45)
    for x in np.arange(place[0] - 0.7 * size, place[0] + 0.7 * size, step):
        for y in np.arange(place[1] - 0.7 * size, place[1] + 0.7 * size, step):
            pen.ellipse((x - dot, y - dot, x + dot, y + dot), fill=shade)


def _person(pen: ImageDraw.ImageDraw, rng: Rng, place: Place, size: float) -> None:
    """A figure too small or too plain to have a face."""
    shade, head = _shade(rng), 0.25 * size
    pen.polygon([(place[0] - 0.5 * size, place[1] + 2 * size), (place[0] - 0.3 * size, place[1]),
                 (place[0] + 0.3 * size, place[1]), (place[0] + 0.5 * size, place[1] + 2 * size)],
                fill=shade, outline=_edge(rng))  # fmt: skip
    box = (place[0] - head, place[1] - 2 * head, place[0] + head, place[1])
    pen.ellipse(box, fill=_shade(rng), outline=_edge(rng))


THINGS: tuple[Callable[[ImageDraw.ImageDraw, Rng, Place, float], None], ...] = (
    _blob, _blob, _oval, _window, _leaves, _strands, _strands, _flower, _ribbon, _hand, _button, _goggles, _text,
    _bubble, _dots, _person,
)  # fmt: skip


def grain(rng: Rng, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Noise as of paper, paint or a sensor."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    return ndimage.gaussian_filter(noise, between(rng, 0.3, 2.0)) if rng.random() < 0.5 else noise
