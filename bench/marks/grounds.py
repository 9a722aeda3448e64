"""Pictures without a letter: the face finder's heads and clutter, and the demo's drawings, in grey."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from finder import clutter, pictures
from finder.heads import draw_demo_heads, draw_heads, load_heads
from numpy.typing import NDArray
from PIL import Image

Tone = NDArray[np.uint8]
SIDE = 256
KINDS = (pictures.one_head, pictures.group, pictures.empty, pictures.page, pictures.demo)
SHARES = (0.32, 0.07, 0.09, 0.12, 0.4)


@contextmanager
def without_letters() -> Iterator[None]:
    """Clutter that has no letters among its things."""
    all_things = clutter.THINGS
    clutter.THINGS = tuple(thing for thing in all_things if thing is not clutter._text)
    try:
        yield
    finally:
        clutter.THINGS = all_things


def banks_of(cache: Path, name: str, seed: int, counts: tuple[int, int]) -> pictures.Banks:
    """Heads of many styles and the demo's drawings; drawn where the cache has none (0.1 s each)."""
    places = cache / f"{name}heads.npz", cache / f"{name}demo.npz"
    for place, draw, number, count in zip(places, (draw_heads, draw_demo_heads), (seed, seed + 1), counts, strict=True):
        if not place.exists():
            draw(place, number, count)
    return pictures.Banks(styles=load_heads(places[0]), demo=load_heads(places[1]))


def draw_ground(banks: pictures.Banks, rng: np.random.Generator) -> Tone:
    """One picture, 256 x 256; the demo's drawings whole in half of the cases."""
    kind = KINDS[int(rng.choice(len(KINDS), p=SHARES))]
    if kind is pictures.demo and rng.random() < 0.6:
        tone = banks.demo.grey[int(rng.integers(len(banks.demo.grey)))]
        return tone if rng.random() < 0.5 else tone[:, ::-1]
    with without_letters():
        return np.asarray(kind(banks, rng, SIDE, SIDE).grey)


def softened(tone: Tone, rng: np.random.Generator) -> Tone:
    """The picture with few pixels, as small ones are that were made larger."""
    if rng.random() < 0.75:
        return tone
    side = int(SIDE * rng.uniform(0.4, 0.9))
    small = Image.fromarray(tone).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
