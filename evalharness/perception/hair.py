"""The hair mask by colour and position, and what its shape says: on which side it hangs, and whether it is down."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage
from skimage import measure

from evalharness.perception.colors import chroma_mode, distance
from evalharness.perception.geometry import Array, HeadFrame, Mask, box_around
from evalharness.perception.hidden_head import hidden_head
from evalharness.perception.palette import clusters, labels, nearest_distance
from evalharness.types import Box, Hair

TOLERANCE = 18.0
"""Distance from the hair's colours (lightness weighted) up to which a pixel may be hair."""
SHADES = 3
"""Colours that the hair above the brows is made of: shade, shine and what lies between."""
APART = 9.0
"""Distance two colours need before they can be told apart under noise and compression."""
ALIKE = 20.0
"""Colours at the image's edge this near to the hair's may be a tail that leaves the picture, ..."""
COMMON = 0.3
"""... unless they make up this share of the edge: then the background looks like the hair."""
BESIDE = 1.22
"""Half the width of head and fringe in head units: hair farther out hangs beside the head."""
CHIN = 1.0
COLLAR = 1.25
"""Clothes begin here, in head units: above it their colour is no rival of the hair's."""
AGAIN = (1.1, -0.05)
"""A second look's frame: this many times as large, and this much of it higher. On 280 drawings our own finder's frames
are 0.91 of the truth and 0.045 too low in the mean, and the worst of them have the forehead where hair should be."""
GAP = 0.75
"""A hair tie may separate a tail from the head by this many head units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HairMask:
    """The hair's pixels with its typical colour; `separable` in 0..1 falls where the background looks like hair."""

    mask: Mask
    frame: HeadFrame
    color: Array
    separable: float


def border_colors(lab: Array) -> tuple[Array, Array]:
    """Colours (k, 3) along the upper three quarters of the image's edge, mostly background, with shares (k,)."""
    height, width = lab.shape[:2]
    depth, low = max(2, width // 32), int(height * 0.75)
    strips = (lab[:depth], lab[:low, :depth], lab[:low, -depth:])
    pixels = np.concatenate([strip.reshape(-1, 3) for strip in strips])
    centers = clusters(pixels, 6)
    return centers, np.bincount(labels(pixels, centers), minlength=len(centers)) / len(pixels)


def hair_of_face(lab: Array, frame: HeadFrame) -> HairMask | None:
    """The hair of a head whose place is known from its face; None where no colour stands out above the brows.

    Where that is the face itself a frame that reaches higher is tried; the mask keeps the frame that was given.
    """
    found = _hair_above(lab, frame)
    if found is None or not is_face(found.mask, frame):
        return found
    larger, higher = AGAIN
    x, y = frame.to_image(np.array(((0.0, higher),)))[0]
    again = _hair_above(lab, replace(frame, origin=(float(x), float(y)), unit=larger * frame.unit))
    return found if again is None or is_face(again.mask, frame) else replace(again, frame=frame)


def is_face(mask: Mask, frame: HeadFrame) -> bool:
    """Whether a mask covers more of the face below the eyes than of the crown: then it is skin's, not hair's."""
    x, y = frame.coordinates(mask.shape)
    crown, face = (np.abs(x) < 0.6) & (y > -1.25) & (y < -0.8), (np.abs(x) < 0.6) & (y > 0.1) & (y < 0.7)
    return bool(crown.any() and face.any() and mask[crown].mean() < mask[face].mean())


def _hair_above(lab: Array, frame: HeadFrame) -> HairMask | None:
    """What hangs together in the colour that lies above the brows."""
    x, y = frame.coordinates(lab.shape)
    background, shares = border_colors(lab)
    above = (np.abs(x) < 0.6) & (y > -1.25) & (y < -0.65)
    own = above & (nearest_distance(lab, background, 1.0) > APART)
    seed = own if own.sum() > 0.3 * above.sum() else above
    if seed.sum() < 12:
        return None
    color = chroma_mode(lab[seed])[0]
    face = clusters(lab[(np.abs(x) < 0.6) & (y > 0.1) & (y < 0.7)], 2)
    body = (np.abs(x) < 0.8) & (y > 1.7)
    clothes = clusters(lab[body], 4) if body.any() else np.empty((0, 3))
    behind = _without_tails(background, shares, color)
    rivals = Rivals(everywhere=np.concatenate((behind, face)), clothes=clothes)
    return _grown(lab, frame, seed, color, rivals, GAP * frame.unit)


def hair_without_face(lab: Array) -> HairMask | None:
    """The hair of a head whose face is hidden: the thickest blob of one colour in the upper middle of the image."""
    head = hidden_head(lab)
    if head is None:
        return None
    color = chroma_mode(lab[head.mask])[0]
    rivals = Rivals(everywhere=_without_tails(*border_colors(lab), color), clothes=np.empty((0, 3)))
    return _grown(lab, head.frame, head.mask, color, rivals, 1.5 * GAP * head.radius)


def _lightness(color: Array) -> float:
    """How much lightness counts: shading moves it more than chroma, but grey hair has little else to be known by."""
    return 0.45 if np.hypot(color[1], color[2]) > 15 else 0.7


def _without_tails(background: Array, shares: Array, color: Array) -> Array:
    """Colours of the edge without those that are rather hair which leaves the picture."""
    alike = distance(background, color, _lightness(color)) < ALIKE
    return background if shares[alike].sum() > COMMON else background[~alike]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """Colours (k, 3) that pixels may have instead of the hair's: `everywhere`, or only below the collar."""

    everywhere: Array
    clothes: Array


def _grown(lab: Array, frame: HeadFrame, seed: Mask, color: Array, rivals: Rivals, gap: float) -> HairMask | None:
    """All pixels of the hair's colours, nearer to them than to any rival, that hang together with the seed."""
    lightness = _lightness(color)
    typical = lab[seed][distance(lab[seed], color, lightness) < TOLERANCE]
    shades = np.concatenate((clusters(typical, SHADES), color[None])) if len(typical) else color[None]
    everywhere, clothes = (own[distance(own, color) > APART] for own in (rivals.everywhere, rivals.clothes))
    near = nearest_distance(lab, shades, lightness)
    mask = (near < TOLERANCE) & (near < nearest_distance(lab, everywhere, lightness))
    _, y = frame.coordinates(lab.shape)
    mask &= (y < COLLAR) | (near < nearest_distance(lab, clothes, lightness))
    mask = _hanging_together(mask | ndimage.binary_closing(mask), seed, gap, frame)
    if mask.sum() < 12:
        return None
    told = (len(everywhere) + len(clothes)) / max(len(rivals.everywhere) + len(rivals.clothes), 1)
    return HairMask(mask=mask, frame=frame, color=color, separable=told)


def _hanging_together(mask: Mask, seed: Mask, gap: float, frame: HeadFrame) -> Mask:
    """The piece that covers most of the seed, and pieces near it that are neither specks nor clothes.

    Near is at most `gap` pixels away; what lies apart from the head, under its middle, is no hair.
    """
    parts, count = ndimage.label(mask)
    covered = np.bincount(parts[seed & mask], minlength=count + 1)
    covered[0] = 0
    if not covered.any():
        return np.zeros_like(mask)
    head, numbers = np.argmax(covered), np.arange(1, count + 1)
    gaps = ndimage.minimum(ndimage.distance_transform_edt(parts != head), parts, numbers)
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    x, y = (
        ndimage.mean(np.broadcast_to(values, mask.shape), parts, numbers) for values in frame.coordinates(mask.shape)
    )
    keep = (gaps < gap) & (areas > 0.06 * gap**2) & ((np.abs(x) > 0.9) | (y < CHIN))
    # number 0 is what lies outside the mask, which may be nothing
    return np.asarray(np.append(False, keep | (numbers == head))[parts])


def hair_figures(found: HairMask) -> Hair:
    """Shares of the mask beside and below the head, with its outline, in pixels of the mask's image."""
    x, y = found.frame.coordinates(found.mask.shape)
    count = int(found.mask.sum())
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
