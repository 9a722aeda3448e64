"""Second thoughts about our finder's faces: one without eyes that it passed over, a hair tie that it took for one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from PIL import Image

from evalharness.perception.face_faults import SMALL, fault_shares
from evalharness.perception.finder import first_look, second_look
from evalharness.perception.found_face import FoundFace
from evalharness.perception.part_reader import part_states

PLACE, BOTH = 0.05, 0.1
"""Likelihood from which a place is thought about where nothing was found, and the mean of two looks that it needs."""
PLACES, LOOKS = 4, 3
"""How many places are thought about, and how often each is looked at."""
LARGE = 0.12
"""Half a face's width as a share of the picture's longer side, from which a place is thought about: hands and collars
make many small faces without eyes."""
AGREED = 0.8
"""How sure the net for faults must be at two looks in a row that eyes are missing above a single mouth. Hair, clothes
and backgrounds of real images, and backs of heads made of them, stay below 0.57 at the first two looks."""
TRIFLE = 0.09
"""Half a face's width as a share of the picture's longer side, below which a face may be a hair tie."""
NAMED, DOUBLED = 0.75, 0.25
"""A small face is none where its parts' states are less sure than this, in the mean, and its mouth seems this doubled:
so are two of three drawn hair ties that the finder takes for a face, and hardly any real face made as small."""


def reconsidered(image: Image.Image, found: list[FoundFace]) -> list[FoundFace]:
    """The faces of an RGB image, given those that our own finder found in it."""
    kept = [face for face in found if not is_trifle(image, face)]
    return kept or eyeless(image)


def is_trifle(image: Image.Image, face: FoundFace) -> bool:
    """Whether a small face is none: neither net can say what its parts are."""
    if face.frame.unit >= TRIFLE * max(image.size) or fault_shares(image, face.frame)["doubled_mouth"] < DOUBLED:
        return False
    states = part_states(image, face.frame).values()
    return float(np.mean([max(shares.values()) for shares in states])) < NAMED


def eyeless(image: Image.Image) -> list[FoundFace]:
    """The most likely face without eyes of an RGB image in which no face was found; empty where there is none.

    Its likelihood is that of the net for faults: the finder, which learned what faces look like, gives it little.
    """
    grey = image.convert("L")
    thought = (_agreed(image, grey, place) for place in first_look(grey, PLACE)[:PLACES])
    best = max((face for face in thought if face), key=lambda face: face.likelihood, default=None)
    return [best] if best else []


def _agreed(image: Image.Image, grey: Image.Image, place: FoundFace) -> FoundFace | None:
    """The place as two looks in a row see a face without eyes there; None where they do not."""
    seen = ((face, _without_eyes(image, face)) for face in _looks(grey, place))
    for (first, one), (again, other) in pairwise(seen):
        if first is place and (first.likelihood + again.likelihood) / 2 < BOTH:
            return None
        if (one + other) / 2 >= AGREED:
            return replace(again, likelihood=(one + other) / 2)
    return None


def _looks(grey: Image.Image, place: FoundFace) -> Iterator[FoundFace]:
    """A place as the first look sees it, then as each further one does, while any sees something."""
    face: FoundFace | None = place
    for _ in range(LOOKS):
        if face is None:
            return
        yield face
        face = second_look(grey, face, PLACE)


def _without_eyes(image: Image.Image, face: FoundFace) -> float:
    """How sure the net for faults is of missing eyes above a single mouth; 0 for a face too small to be judged."""
    if face.frame.unit < max(SMALL, LARGE * max(image.size)):
        return 0.0
    shares = fault_shares(image, face.frame)
    return shares["missing_eyes"] * (1.0 - shares["doubled_mouth"])
