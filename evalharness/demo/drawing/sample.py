"""Random looks."""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from evalharness.demo import look as words
from evalharness.demo.look import Look

Word = TypeVar("Word", bound=str)


def _pick(random: np.random.Generator, options: Sequence[Word], weights: Sequence[float] | None = None) -> Word:
    return options[int(random.choice(len(options), p=weights))]


def sample_look(rng: np.random.Generator) -> Look:
    """A harmonious look without faults: mostly from the front, standing, in soft light; the rest is even or nearly."""
    return Look(
        archetype=_pick(rng, words.ARCHETYPES),
        emotion=_pick(rng, words.EMOTIONS),
        hair_color=_pick(rng, tuple(words.HAIR_COLORS)),
        eye_color=_pick(rng, tuple(words.EYE_COLORS)),
        hairstyle=_pick(rng, words.HAIRSTYLES),
        side=_pick(rng, ("left", "right")),
        scrunchie=_pick(rng, tuple(words.SCRUNCHIE_COLORS)),
        ahoge=bool(rng.random() < 0.35),
        view=_pick(rng, words.VIEWS, (0.64, 0.12, 0.12, 0.12)),
        pose=_pick(rng, words.POSES, (0.85, 0.15)),
        outfit=_pick(rng, words.OUTFITS),
        background=_pick(rng, words.BACKGROUNDS, (0.2, 0.2, 0.12, 0.12, 0.12, 0.12, 0.12)),
        light=_pick(rng, words.LIGHTS, (0.76, 0.08, 0.08, 0.08)),
        seed=int(rng.integers(2**31)),
    )


def sample_fault_look(rng: np.random.Generator, fault: words.Fault | None = None) -> Look:
    """A random look with one fault, the given one or any."""
    chosen = fault if fault is not None else _pick(rng, words.FAULTS)
    return dataclasses.replace(sample_look(rng), faults=(chosen,))


def sample_disharmonious_look(rng: np.random.Generator) -> Look:
    """A random look from the front or side of which one part of the face shows another emotion."""
    look = sample_look(rng)
    view = "front" if look.view == "behind" else look.view
    other = _pick(rng, [emotion for emotion in words.EMOTIONS if emotion != look.emotion])
    part = _pick(rng, ("eyes", "brows", "mouth"))
    eyes, brows, mouth = (other if part == name else None for name in ("eyes", "brows", "mouth"))
    return dataclasses.replace(look, view=view, eyes=eyes, brows=brows, mouth=mouth)
