"""Many drawn faces in one file: crops, classes and landmarks, numbered by seed."""

from pathlib import Path

import numpy as np

from reader.crops import Example, examples


def draw_many(place: Path, seed: int, count: int) -> None:
    """Cut `count` crops out of half as many faces; face i depends on (seed, i) alone."""
    save_examples(place, [one for n in range(count // 2) for one in examples(np.random.default_rng((seed, n)), 2)])


def save_examples(place: Path, made: list[Example]) -> None:
    """Write them to a file that is there whole or not at all."""
    half = place.with_suffix(".half.npz")
    np.savez(
        half,
        crops=np.stack([one.crop for one in made]),
        classes=np.array([one.classes for one in made], dtype=np.int64),
        points=np.stack([one.points for one in made]),
    )
    half.rename(place)


def draw_missing(files: list[tuple[Path, int, int]]) -> None:
    """Draw every (file, seed, count) that is not there yet."""
    for place, seed, count in files:
        if not place.exists():
            draw_many(place, seed, count)
