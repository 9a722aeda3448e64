"""The drawn world as arrays: many random looks, their pictures and where their faces are."""

import dataclasses
import multiprocessing
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from evalharness.demo.drawing import draw, sample_disharmonious_look, sample_fault_look, sample_look
from evalharness.demo.look import Look

SIZE = 128
FAULT_SHARE = 0.08
ROPE_SHARE = 0.04
"""Ropes are the hardest thing to draw, and rare ones come out of the autoencoder as brown fog."""
DISHARMONY_SHARE = 0.02
FACE_WEIGHT = 3.0
FEATURE_WEIGHT = 10.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Drawings in one order: looks, images (uint8, N x 128 x 128 x 3, sRGB), and boxes of what is small but matters.

    Boxes are left, top, right, bottom in pixels, all 0 where nothing shows: `faces` (int16, N x 4) and `features`
    (int16, N x 4 x 4: left eye, right eye, brows, mouth).
    """

    looks: tuple[Look, ...]
    images: NDArray[np.uint8]
    faces: NDArray[np.int16]
    features: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.looks)


def sample_world_look(rng: np.random.Generator) -> Look:
    """A look of the world the base model learns: mostly sound, a few with a fault or a face at odds with itself."""
    draw_of = rng.random()
    if draw_of < FAULT_SHARE:
        return sample_fault_look(rng)
    if draw_of < FAULT_SHARE + ROPE_SHARE:
        return sample_fault_look(rng, "rope")
    if draw_of < FAULT_SHARE + ROPE_SHARE + DISHARMONY_SHARE:
        return sample_disharmonious_look(rng)
    return sample_look(rng)


def sample_looks(count: int, seed: int, sampler: Callable[[np.random.Generator], Look]) -> tuple[Look, ...]:
    """`count` looks from one seeded generator."""
    rng = np.random.default_rng(seed)
    return tuple(sampler(rng) for _ in range(count))


NOWHERE = (0, 0, 0, 0)


def _picture(look: Look) -> tuple[NDArray[np.uint8], tuple[tuple[int, int, int, int], ...]]:
    drawing = draw(look, SIZE)
    parts = drawing.truth.parts
    boxes = (parts.face, parts.left_eye, parts.right_eye, parts.brows, parts.mouth)
    return np.asarray(drawing.image, np.uint8), tuple(box or NOWHERE for box in boxes)


def draw_world(looks: Iterable[Look], workers: int = 1) -> World:
    """Draw every look at 128 px; 10 ms a drawing and core. More workers give the same arrays sooner."""
    looks = tuple(looks)
    if workers > 1:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            pictures = pool.map(_picture, looks, chunksize=64)
    else:
        pictures = [_picture(look) for look in looks]
    images, boxes = zip(*pictures, strict=True)
    placed = np.array(boxes, np.int16)
    return World(looks=looks, images=np.stack(images), faces=placed[:, 0], features=placed[:, 1:])


def detail_weights(world: World, picked: NDArray[np.int64], size: int) -> NDArray[np.float32]:
    """Loss weights (float32, N x 1 x size x size): most on eyes, brows and mouth, more on faces than elsewhere."""
    weights = face_weights(world.faces[picked], FACE_WEIGHT, size)
    for feature in range(world.features.shape[1]):
        weights = np.maximum(weights, face_weights(world.features[picked, feature], FEATURE_WEIGHT, size))
    return weights


def face_weights(faces: NDArray[np.int16], weight: float, size: int) -> NDArray[np.float32]:
    """Loss weights (float32, N x 1 x size x size): `weight` on the cells a face box touches, 1 elsewhere."""
    scale = size / SIZE
    cells = np.arange(size)
    low, high = np.floor(faces[:, :2] * scale)[..., None], np.ceil(faces[:, 2:] * scale)[..., None]
    inside = (cells >= low) & (cells < high)  # (N, xy, size)
    both = inside[:, 1, :, None] & inside[:, 0, None, :]
    weights: NDArray[np.float32] = np.where(both, np.float32(weight), np.float32(1))[:, None]
    return weights
