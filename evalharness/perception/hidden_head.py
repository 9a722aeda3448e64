"""A head that shows no face, from behind or in profile: the thickest blob of one colour where heads are."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from evalharness.perception.geometry import Array, HeadFrame, Mask
from evalharness.perception.palette import clusters, labels

CORE = 0.6
"""Pixels at least this share of the largest inscribed circle's radius inside the outline are head, not tail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenHead:
    """The pixels of the head's colour, where the head is, and the radius of its inscribed circle in pixels.

    `weight` says how much it looks like a head: larger is better, 0 is none.
    """

    mask: Mask
    frame: HeadFrame
    radius: float
    weight: float


def hidden_head(lab: Array) -> HiddenHead | None:
    """The most head-like of the blobs of the image's main colours; None where none is."""
    height, width = lab.shape[:2]
    middle = lab[int(height * 0.1) : int(height * 0.7), int(width * 0.2) : int(width * 0.8)]
    centers = clusters(middle.reshape(-1, 3), 8)
    owner = labels(lab, centers)
    best = max((_thickest(owner == number) for number in range(len(centers))), key=lambda blob: blob.weight)
    return best if best.weight > 0 else None


def _thickest(mask: Mask) -> HiddenHead:
    """The connected piece with the largest inscribed circle in the upper middle; weight 0 where it is no head."""
    height, width = mask.shape
    # a hair tie on the back of the head would otherwise push the circle aside
    whole = _without_small_holes(ndimage.binary_closing(mask, iterations=2))
    allowed = np.zeros_like(mask)
    allowed[int(height * 0.15) : int(height * 0.65), int(width * 0.25) : int(width * 0.75)] = True
    depth = ndimage.distance_transform_edt(np.pad(whole, 1))[1:-1, 1:-1] * allowed
    row, column = np.unravel_index(np.argmax(depth), depth.shape)
    radius = float(depth[row, column])
    parts, _ = ndimage.label(whole)
    piece = (parts == parts[row, column]) & mask
    sides = np.concatenate((piece[0], piece[: int(height * 0.75), 0], piece[: int(height * 0.75), -1]))
    fits = 0.07 < radius / width < 0.3 and sides.mean() < 0.08
    # heads are above the middle; clothes below it are as thick
    likely = float(np.exp(-(((row / height - 0.38) / 0.15) ** 2)))
    frame = _frame(_piece_at(depth > CORE * radius, row, column), radius)
    return HiddenHead(mask=piece, frame=frame, radius=radius, weight=radius * likely if fits else 0.0)


def _frame(core: Mask, radius: float) -> HeadFrame:
    """The head around its core: as high as the core's middle, and wider than it by what makes a core."""
    rows, columns = np.nonzero(core)
    if not len(rows):
        return HeadFrame(origin=(0.0, 0.0), unit=1.0)
    left, right = np.percentile(columns, (2, 98))
    unit = max(radius, (right - left) / 2 + CORE * radius, 1.0)
    return HeadFrame(origin=(float(left + right) / 2, float(rows.mean()) + 0.1 * radius), unit=float(unit))


def _piece_at(mask: Mask, row: np.intp, column: np.intp) -> Mask:
    parts, _ = ndimage.label(mask)
    return np.asarray((parts == parts[row, column]) & mask)


def _without_small_holes(mask: Mask) -> Mask:
    """Holes of at most 2 % of the image filled; a background that surrounds the figure stays one."""
    holes, count = ndimage.label(~mask)
    small = np.bincount(holes.ravel(), minlength=count + 1) < 0.02 * mask.size
    small[0] = False
    return np.asarray(mask | small[holes])
