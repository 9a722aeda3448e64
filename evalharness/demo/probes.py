"""The questions put to every LoRA to find out which is best: prompts, and the facts a right picture shows."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from evalharness.demo import phrases
from evalharness.demo.captions import TRIGGER
from evalharness.demo.look import BACKGROUNDS, Emotion, View, image_side
from evalharness.demo.reference import SAKICHAN

IDENTITY = ("hairstyle", "side", "hair_color")
OBEDIENCE = ("emotion", "view", "background", "down")
FAULTS = ("rope", "animal_ears", "several_panels", "several_faces", "blur")
CLEAN: Mapping[str, str] = dict.fromkeys(FAULTS, "no")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A prompt and the answers the judge must give for a picture that is right."""

    prompt: str
    expected: Mapping[str, str]


def kept(view: View, emotion: Emotion, number: int) -> Probe:
    """Sakichan as she is: her hair comes from the LoRA, all else from the words."""
    background = BACKGROUNDS[number % len(BACKGROUNDS)]
    words = [TRIGGER, "1girl", phrases.VIEW_TAGS[view][0], phrases.BACKGROUND_TAGS[background][0]]
    expected = {"view": view, "background": background, "hairstyle": "side_ponytail", "hair_color": "brown", **CLEAN}
    expected["side"] = image_side(dataclasses.replace(SAKICHAN, view=view))
    if view != "behind":
        words.append(phrases.EMOTION_TAGS[emotion][0])
        expected["emotion"] = emotion
    return Probe(prompt=", ".join(words), expected=expected)


def changed(emotion: Emotion, number: int) -> Probe:
    """Sakichan with her hair down: the words must win over what the LoRA saw."""
    background = BACKGROUNDS[number % len(BACKGROUNDS)]
    words = (TRIGGER, "1girl", "front view", "hair down", emotion, phrases.BACKGROUND_TAGS[background][0])
    expected = {"down": "down", "hair_color": "brown", "emotion": emotion, "background": background, **CLEAN}
    return Probe(prompt=", ".join(words), expected=expected)


def probes() -> tuple[Probe, ...]:
    """All probes: every emotion from the front, the other views, and hair let down."""
    emotions: tuple[Emotion, ...] = ("neutral", "happy", "sad", "angry", "surprised")
    views: tuple[View, ...] = ("behind", "left_profile", "right_profile")
    return (
        *(kept("front", emotion, number) for number, emotion in enumerate(emotions)),
        *(kept(view, emotions[number], number + 3) for number, view in enumerate(views)),
        *(changed(emotion, number + 1) for number, emotion in enumerate(emotions)),
    )


def marks(probe: Probe, read: Mapping[str, str]) -> dict[str, bool]:
    """Which of the expected facts a picture shows, by the judge's reading of it."""
    return {word: read["hairstyle" if word == "down" else word] == wanted for word, wanted in probe.expected.items()}


def summary(marked: Sequence[Mapping[str, bool]]) -> dict[str, float]:
    """The share of right pictures for each fact, and the means that name the best epoch; all 0 to 1.

    `overall` is the product of identity, obedience and clean: a picture of somebody else, one that ignores its
    prompt and one with a fault are each of no use.
    """
    words = {word for one in marked for word in one}
    shares = {word: float(np.mean([one[word] for one in marked if word in one])) for word in sorted(words)}
    groups = {"identity": IDENTITY, "obedience": OBEDIENCE, "clean": FAULTS}
    means = {name: float(np.mean([shares[word] for word in group])) for name, group in groups.items()}
    return {**shares, **means, "overall": means["identity"] * means["obedience"] * means["clean"]}
