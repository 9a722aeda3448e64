"""Heads without their background: the part reader's drawings, heads from behind, and the demo's drawings."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from reader import scene
from reader.face import Face, Rng, around, between, sample_face
from reader.pen import PER_UNIT, SIDE, Points, curve, oval

from evalharness.demo.drawing import Drawing, sample_fault_look, sample_look
from evalharness.demo.drawing import draw as draw_demo

Tone = NDArray[np.uint8]
DEMO_SIDE = 256
BROKEN = ("several_panels", "several_faces", "missing_eyes", "missing_mouth", "doubled_mouth", "doubled_eyes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Grey heads and their coverage (uint8, N x side x side), and per head the middles of both eyes and of the mouth.

    `points` (N x 3 x 2) are pixels, the image's left eye first; NaN = no face to be seen. `sure` (N) is False for a
    head of which nobody should say whether its face is one to be found, as in profile.
    """

    grey: Tone
    cover: Tone
    points: Points
    sure: NDArray[np.bool_]


def draw_head(rng: Rng) -> tuple[Tone, Tone, Points]:
    """A head in a style of its own; its coverage is what a white and a black background leave alike."""
    face, behind = sample_face(rng), rng.random() < 0.12
    tones, points = [], np.full((3, 2), np.nan)
    for shade in (0.0, 255.0):
        own, again = copy.deepcopy(face), copy.deepcopy(rng)
        own.style = replace(own.style, background=shade)
        if behind:
            tones.append(np.asarray(_from_behind(own, again)))
        else:
            drawn = scene.draw_face(own, again)
            tones.append(np.asarray(drawn.image))
            points = np.stack((drawn.points[4], drawn.points[9], drawn.points[16:20].mean(axis=0)))
    dark, light = (tone.astype(np.int16) for tone in tones)
    cover = 255 - np.clip(light - dark, 0, 255)
    grey = np.where(cover > 0, np.clip(dark * 255.0 / np.maximum(cover, 1), 0, 255), 0)
    return grey.astype(np.uint8), cover.astype(np.uint8), points


def _from_behind(face: Face, rng: Rng) -> Image.Image:
    """The same head seen from behind: hair where the face would be."""
    pen, style = scene._pen(face, rng), face.style
    scene._behind(pen, face, rng)
    wide, low = style.width * between(rng, 0.95, 1.25), between(rng, 0.5, 1.6)
    pen.fill(curve((0, -1.4), (-wide, -0.9), (-wide, 0.3), (0, low), count=20), style.hair)
    pen.fill(curve((0, -1.4), (wide, -0.9), (wide, 0.3), (0, low), count=20), style.hair)
    pen.fill(oval(0.0, -0.25, wide, 1.15), style.hair)
    for _ in range(int(rng.integers(3, 30))):
        x = between(rng, -1, 1) * wide
        shade = style.ink if rng.random() < 0.6 else min(255.0, style.hair + between(rng, 20, 120))
        end = (x * between(rng, 0.6, 1.1), between(rng, 0.2, 1.3))
        pen.line(curve((x * 0.3, -1.3), (x, around(rng, -0.4, 0.2)), end), (0.0, style.line, 0.0), shade)
    return pen.image


def draw_demo_head(rng: Rng) -> tuple[Tone, Points, bool]:
    """A drawing of the demo's world in grey, its points, and whether they tell all."""
    look = sample_fault_look(rng) if rng.random() < 0.2 else sample_look(rng)
    look = replace(look, faults=tuple(fault for fault in look.faults if fault not in BROKEN))
    drawing = draw_demo(look, DEMO_SIDE)
    points = _points(drawing) if look.view == "front" else np.full((3, 2), np.nan)
    return np.asarray(drawing.image.convert("L")), points, look.view in ("front", "behind")


def _points(drawing: Drawing) -> Points:
    parts = drawing.truth.parts
    boxes = (parts.left_eye, parts.right_eye, parts.mouth)
    return np.array([((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in boxes if box is not None])


def draw_heads(place: Path, seed: int, count: int) -> None:
    """Draw `count` heads into a file; head i depends on (seed, i) alone."""
    made = [draw_head(np.random.default_rng((seed, number))) for number in range(count)]
    grey, cover, points = (np.stack(part) for part in zip(*made, strict=True))
    _save(place, Heads(grey=grey, cover=cover, points=points, sure=np.ones(count, dtype=bool)))


def draw_demo_heads(place: Path, seed: int, count: int) -> None:
    """Draw `count` pictures of the demo's world into a file."""
    made = [draw_demo_head(np.random.default_rng((seed, number))) for number in range(count)]
    grey, points, sure = (np.stack(part) for part in zip(*made, strict=True))
    _save(place, Heads(grey=grey, cover=np.full_like(grey, 255), points=points, sure=sure))


def _save(place: Path, heads: Heads) -> None:
    half = place.with_suffix(".half.npz")
    np.savez(half, grey=heads.grey, cover=heads.cover, points=heads.points, sure=heads.sure)
    half.rename(place)


def load_heads(place: Path) -> Heads:
    """The heads of a file."""
    with np.load(place) as file:
        return Heads(**{name: file[name] for name in ("grey", "cover", "points", "sure")})


UNIT, MIDDLE = PER_UNIT, SIDE / 2
"""Pixels a head unit, and the middle, of a drawn head."""
