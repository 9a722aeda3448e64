"""The hair mask by colour and position, and what its shape says: on which side it hangs, and whether it is down."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage import measure

from evalharness.perception.colors import chroma_mode, distance
from evalharness.perception.geometry import Array, HeadFrame, Mask, box_around
from evalharness.perception.palette import clusters, labels, nearest_distance
from evalharness.types import Box, Hair

TOLERANCE = 14.0
"""Distance from the hair's typical colour (lightness weighted) up to which a pixel may be hair."""
APART = 9.0
"""Distance two colours need before they can be told apart under noise and compression."""
BESIDE = 1.22
"""Half the width of head and fringe in head units: hair farther out hangs beside the head."""
CHIN = 1.0
GAP = 0.75
"""A hair tie may separate a tail from the head by this many head units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HairMask:
    """The hair's pixels with its typical colour; `separable` in 0..1 falls where the background looks like hair."""

    mask: Mask
    frame: HeadFrame
    color: Array
    separable: float


def border_colors(lab: Array) -> Array:
    """Colours (k, 3) along the upper three quarters of the image's border: the background, mostly."""
    height, width = lab.shape[:2]
    depth, low = max(2, width // 32), int(height * 0.75)
    strips = (lab[:depth], lab[:low, :depth], lab[:low, -depth:])
    return clusters(np.concatenate([strip.reshape(-1, 3) for strip in strips]), 6)


def hair_of_face(lab: Array, frame: HeadFrame) -> HairMask | None:
    """The hair of a head whose place is known from its face; None where no colour stands out above the brows."""
    x, y = frame.coordinates(lab.shape)
    background = border_colors(lab)
    above = (np.abs(x) < 0.6) & (y > -1.25) & (y < -0.65)
    own = above & (nearest_distance(lab, background, 1.0) > APART)
    seed = own if own.sum() > 0.3 * above.sum() else above
    if seed.sum() < 12:
        return None
    color = chroma_mode(lab[seed])[0]
    face = clusters(lab[(np.abs(x) < 0.6) & (y > 0.1) & (y < 0.7)], 2)
    clothes = clusters(lab[(np.abs(x) < 0.8) & (y > 1.7)], 4) if ((np.abs(x) < 0.8) & (y > 1.7)).any() else face
    return _grown(lab, frame, seed, color, np.concatenate((background, face, clothes)), GAP * frame.unit)


def hair_without_face(lab: Array) -> HairMask | None:
    """The hair of a head whose face is hidden: the thickest blob of one colour in the upper middle of the image."""
    height, width = lab.shape[:2]
    middle = lab[int(height * 0.1) : int(height * 0.7), int(width * 0.2) : int(width * 0.8)]
    centers = clusters(middle.reshape(-1, 3), 8)
    owner = labels(lab, centers)
    blobs = [_thickest(owner == number) for number in range(len(centers))]
    best = max(blobs, key=lambda blob: blob.weight)
    if best.weight <= 0:
        return None
    background = border_colors(lab)
    color = chroma_mode(lab[best.mask])[0]
    return _grown(lab, best.frame, best.mask, color, background, 1.5 * GAP * best.frame.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blob:
    mask: Mask
    frame: HeadFrame
    weight: float


def _thickest(mask: Mask) -> _Blob:
    """The connected piece with the largest inscribed circle in the upper middle; weight 0 where it is no head."""
    height, width = mask.shape
    # a hair tie on the back of the head would otherwise push the circle aside
    whole = _without_small_holes(ndimage.binary_closing(mask, iterations=2))
    depth = ndimage.distance_transform_edt(np.pad(whole, 1))[1:-1, 1:-1]
    allowed = np.zeros_like(depth)
    allowed[int(height * 0.15) : int(height * 0.65), int(width * 0.25) : int(width * 0.75)] = 1
    row, column = np.unravel_index(np.argmax(depth * allowed), depth.shape)
    radius = float(depth[row, column])
    parts, _ = ndimage.label(whole)
    piece = (parts == parts[row, column]) & mask
    sides = np.concatenate((piece[0], piece[: int(height * 0.75), 0], piece[: int(height * 0.75), -1]))
    fits = 0.07 < radius / width < 0.3 and sides.mean() < 0.08
    frame = HeadFrame(origin=(float(column), float(row) + 0.1 * radius), unit=max(radius, 1.0))
    # heads are above the middle; clothes below it are as thick
    likely = float(np.exp(-(((row / height - 0.38) / 0.15) ** 2)))
    return _Blob(mask=piece, frame=frame, weight=radius * likely if fits else 0.0)


def _without_small_holes(mask: Mask) -> Mask:
    """Holes of at most 2 % of the image filled; a background that surrounds the figure stays one."""
    holes, count = ndimage.label(~mask)
    small = np.bincount(holes.ravel(), minlength=count + 1) < 0.02 * mask.size
    small[0] = False
    return np.asarray(mask | small[holes])


def _grown(lab: Array, frame: HeadFrame, seed: Mask, color: Array, rivals: Array, gap: float) -> HairMask | None:
    """All pixels of the hair's colour, nearer to it than to any rival, that hang together with the seed."""
    # shading moves lightness more than chroma, but grey hair has little else to be known by
    lightness = 0.45 if np.hypot(color[1], color[2]) > 15 else 0.7
    apart = rivals[distance(rivals, color) > APART]
    near = distance(lab, color, lightness)
    mask = (near < TOLERANCE) & (near < nearest_distance(lab, apart, lightness))
    mask = _hanging_together(mask | ndimage.binary_closing(mask), seed, gap)
    if mask.sum() < 12:
        return None
    return HairMask(mask=mask, frame=frame, color=color, separable=len(apart) / max(len(rivals), 1))


def _hanging_together(mask: Mask, seed: Mask, gap: float) -> Mask:
    """The piece that covers most of the seed, and pieces at most `gap` pixels away from it that are no specks."""
    parts, count = ndimage.label(mask)
    covered = np.bincount(parts[seed & mask], minlength=count + 1)
    covered[0] = 0
    if covered.max(initial=0) == 0:
        return np.zeros_like(mask)
    away = ndimage.distance_transform_edt(parts != covered.argmax())
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    gaps = ndimage.minimum(away, parts, np.arange(count + 1))
    keep = (gaps < gap) & (areas > 0.06 * gap**2)
    keep[0] = False
    return np.asarray(keep[parts])


def hair_figures(found: HairMask) -> Hair:
    """Shares of the mask beside and below the head, with its outline, in pixels of the mask's image."""
    x, y = found.frame.coordinates(found.mask.shape)
    count = found.mask.sum()
    top, bottom = found.frame.to_image(np.array(((0.0, -1.5), (0.0, 1.1))))
    return Hair(
        share=float(found.mask.mean()),
        left=float((found.mask & (x < -BESIDE)).sum() / count),
        right=float((found.mask & (x > BESIDE)).sum() / count),
        below=float((found.mask & (y > CHIN)).sum() / count),
        axis=((float(top[0]), float(top[1])), (float(bottom[0]), float(bottom[1]))),
        outline=_outline(found.mask),
        confidence=found.separable,
    )


def _outline(mask: Mask) -> tuple[tuple[float, float], ...]:
    """A coarse polygon around the largest piece."""
    curves = measure.find_contours(np.pad(mask, 1).astype(float), 0.5)
    longest = max(curves, key=len)
    coarse = measure.approximate_polygon(longest, tolerance=1.5)
    return tuple((float(column - 1), float(row - 1)) for row, column in coarse)


def hair_tie(lab: Array, found: HairMask) -> Box | None:
    """The hair tie: a saturated blob of another colour between head and tail, as large as a scrunchie."""
    unit = found.frame.unit
    x, y = found.frame.coordinates(lab.shape)
    ring = (np.abs(x) > 0.6) & (np.abs(x) < 1.7) & (y > -1.4) & (y < 0.3)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    other = ring & ~found.mask & (chroma > 30) & (distance(lab, found.color) > 30)
    parts, count = ndimage.label(ndimage.binary_opening(other))
    touching = ndimage.distance_transform_edt(~found.mask)
    best: Box | None = None
    most = 0.06 * unit**2
    for number in range(1, count + 1):
        piece = parts == number
        area = float(piece.sum())
        if most < area < 0.5 * unit**2 and touching[piece].mean() < 0.3 * unit:
            best, most = box_around(np.argwhere(piece)[:, ::-1].astype(float)), area
    return best
