"""Sakichan: the character that LoRAs learn, as a trainer's folder of drawings and captions."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from evalharness.demo import phrases
from evalharness.demo.captions import TRIGGER
from evalharness.demo.dataset import SIZE
from evalharness.demo.drawing import draw
from evalharness.demo.look import BACKGROUNDS, OUTFITS, Emotion, Light, Look, View

COUNT = 24
SAKICHAN = Look(
    archetype="soft",
    hair_color="brown",
    eye_color="brown",
    hairstyle="side_ponytail",
    side="left",
    scrunchie="blue",
    ahoge=True,
)
_VIEWS: tuple[View, ...] = ("front", "front", "front", "front", "behind", "front", "left_profile", "right_profile")
_EMOTIONS: tuple[Emotion, ...] = ("neutral", "happy", "neutral", "happy", "neutral", "sad")
_LIGHTS: tuple[Light, ...] = ("soft", "soft", "soft", "warm", "soft", "cool")


def sakichan_looks(seed: int = 24, count: int = COUNT) -> tuple[Look, ...]:
    """Looks of sakichan: mostly front, neutral or happy, in every outfit and before every background."""
    rng = np.random.default_rng(seed)
    return tuple(
        dataclasses.replace(
            SAKICHAN,
            view=_VIEWS[number % len(_VIEWS)],
            emotion=_EMOTIONS[number % len(_EMOTIONS)],
            light=_LIGHTS[number % len(_LIGHTS)],
            outfit=OUTFITS[number % len(OUTFITS)],
            background=BACKGROUNDS[number % len(BACKGROUNDS)],
            pose="running" if number % 7 == 3 else "standing",
            seed=int(rng.integers(2**31)),
        )
        for number in range(count)
    )


def reference_caption(look: Look) -> str:
    """Tags of what changes from picture to picture; what belongs to the character is left to her name."""
    listed = [TRIGGER, "1girl", phrases.VIEW_TAGS[look.view][0]]
    if look.view != "behind":
        listed.append(phrases.EMOTION_TAGS[look.emotion][0])
    listed += [phrases.OUTFITS[look.outfit], phrases.BACKGROUND_TAGS[look.background][0], look.pose]
    return ", ".join(listed)


def write_reference(folder: Path, looks: Sequence[Look]) -> None:
    """Write `NN.png` (128 px) and `NN.txt` for every look."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, look in enumerate(looks, 1):
        image = draw(look, SIZE).image.quantize(96, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        image.save(folder / f"{number:02}.png", optimize=True)
        (folder / f"{number:02}.txt").write_text(reference_caption(look) + "\n", encoding="utf-8")
