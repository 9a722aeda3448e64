"""The frames of a collage: straight cuts through the whole width or height of a picture, found one after another."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from evalharness.perception.geometry import Array
from evalharness.types import Box

SAME = 10.0
"""CIELAB distance up to which pixels of a frame or gutter count as one colour."""
STRAIGHT = 0.88
"""Share of a line that must be of one colour: people, floors and horizons leave gaps, frames do not."""
OTHER = 0.75
"""Share of the pixels on either side that must be of another colour."""
MARGIN = 0.06
"""Share of a line left out at either end."""
STEP = 8.0
"""Lightness by which a frame differs from what lies on either side of it."""
REACH = 0.07
"""How far beside a line its surroundings are looked at, as a share of the picture's side."""
HIDDEN = 0.07
"""Longest share of a line that may be hidden in one piece: someone who stands before a seam of a wall hides more."""
SMALLEST = 0.17
"""A panel's least share of the picture's side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A straight line at index `place` of an axis, `strength` of it being an edge."""

    place: int
    strength: float


def find_panels(lab: Array, depth: int = 3) -> tuple[Box, ...]:
    """The panels of a picture (height, width, 3) in pixels, reading order; one box where there is no cut."""
    return tuple(_split(lab, 0, 0, depth))


def _split(lab: Array, left: int, top: int, depth: int) -> list[Box]:
    height, width = lab.shape[:2]
    whole = [Box(x=float(left), y=float(top), width=float(width), height=float(height))]
    if depth == 0:
        return whole
    across, down = _best_cut(lab), _best_cut(lab.swapaxes(0, 1))
    if across is not None and (down is None or across.strength >= down.strength):
        at = across.place
        return _split(lab[:at], left, top, depth - 1) + _split(lab[at:], left, top + at, depth - 1)
    if down is None:
        return whole
    at = down.place
    return _split(lab[:, :at], left, top, depth - 1) + _split(lab[:, at:], left + at, top, depth - 1)


def _best_cut(lab: Array) -> Cut | None:
    """The thin line of one colour that runs through the whole width, far enough from both ends."""
    rows = len(lab)
    least = max(8, round(rows * SMALLEST))
    # noise along a line says nothing about it
    lab = ndimage.gaussian_filter(lab, (0, lab.shape[1] / 60, 0))
    # a page's own frame crosses the ends of every line
    end = round(lab.shape[1] * MARGIN)
    lab = lab[:, end : lab.shape[1] - end]
    typical = np.median(lab, axis=1)
    straight = (np.linalg.norm(lab - typical[:, None], axis=2) < SAME).mean(axis=1)
    straight[:least] = straight[rows - least :] = 0.0
    places = np.flatnonzero(straight >= STRAIGHT).tolist()
    cuts = [Cut(place=at, strength=float(straight[at]) * _stands_out(lab, typical, at)) for at in places]
    seen = [cut for cut in cuts if cut.strength > 0.0]
    return max(seen, key=lambda cut: cut.strength, default=None)


def _stands_out(lab: Array, typical: Array, at: int) -> float:
    """Share of the pixels near a line, on the side where it is smaller, that are of another colour; 0 for no frame.

    A frame is darker or lighter than what lies on both sides; a step of a gradient lies between them.
    """
    reach = max(3, round(len(lab) * REACH))
    shares, steps = [], []
    for rows in (range(max(at - reach, 0), at), range(at + 1, min(at + reach + 1, len(lab)))):
        other = (np.linalg.norm(lab[rows] - typical[at], axis=2) > SAME).mean(axis=1)
        shares.append(float(other.max()))
        steps.append(float(typical[at, 0] - typical[rows[int(other.argmax())], 0]))
    framed = min(shares) >= OTHER and steps[0] * steps[1] > 0 and min(map(abs, steps)) > STEP
    return min(shares) if framed and _hidden(lab, typical[at], at, reach) <= HIDDEN else 0.0


def _hidden(lab: Array, color: Array, at: int, reach: int) -> float:
    """The longest piece of a line, as a share of it, that is of another colour or does not differ from a side."""
    apart = np.linalg.norm(lab[max(at - reach, 0) : at + reach + 1] - color, axis=2) > SAME
    place = min(at, reach)
    seen = ~apart[place] & apart[:place].any(axis=0) & apart[place + 1 :].any(axis=0)
    pieces, count = ndimage.label(~seen)
    return float(np.max(np.bincount(pieces)[1:]) / len(seen)) if count else 0.0
