"""Faces beside the first one are found; a picture of one person has no further ones."""

from dataclasses import replace

import numpy as np

from evalharness.demo.drawing import draw, sample_fault_look, sample_look
from evalharness.perception.faces import find_faces
from evalharness.perception.more_faces import more_faces


def test_the_others_of_a_group_are_found_beside_the_first() -> None:
    random = np.random.default_rng(41)
    counts = []
    for _ in range(4):
        drawing = draw(replace(sample_fault_look(random, "several_faces"), view="front"), 256)
        first = find_faces(drawing.image)[:1]
        counts.append(len(first) + len(more_faces(drawing.image, first)) > 1)
    assert sum(counts) >= 3


def test_one_person_stays_one() -> None:
    random = np.random.default_rng(42)
    for _ in range(4):
        image = draw(replace(sample_look(random), view="front"), 256).image
        assert more_faces(image, find_faces(image)) == []


def test_beside_nobody_there_is_nobody() -> None:
    image = draw(replace(sample_look(np.random.default_rng(43)), view="front"), 256).image
    assert more_faces(image, []) == []
