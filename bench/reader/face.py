"""What a face of this world is: the emotion and state of each part, and the style it is drawn in."""

from dataclasses import dataclass

import numpy as np

from evalharness.perception.part_net import STATES
from evalharness.types import EMOTIONS

EYE_STATES, BROW_STATES, MOUTH_STATES = STATES["left_eye"], STATES["brows"], STATES["mouth"]
Rng = np.random.Generator


@dataclass(slots=True, kw_only=True)
class Style:
    """How the face is drawn; shades are 0 (black) to 255, lengths are face units."""

    manner: str
    ink: float
    line: float
    skin: float
    hair: float
    background: float
    eye_x: float
    eye_width: float
    eye_height: float
    eye_manner: str
    mouth_y: float
    chin_y: float
    jaw: float
    nose: str
    width: float


@dataclass(slots=True, kw_only=True)
class Face:
    """The truth of one drawing; `eye_states` by the image's sides."""

    eyes: str
    brows: str
    mouth: str
    eye_states: tuple[str, str]
    brow_state: str
    mouth_state: str
    style: Style


def sample_face(rng: Rng) -> Face:
    """A face; half of them show one emotion in all parts, half each part its own."""
    whole = pick(rng, EMOTIONS)
    eyes, brows, mouth = (whole if rng.random() < 0.5 else pick(rng, EMOTIONS) for _ in range(3))
    closed = {"happy": 0.34, "neutral": 0.2, "sad": 0.3, "angry": 0.08, "surprised": 0.0}[eyes]
    state = "closed" if rng.random() < closed else "missing" if rng.random() < 0.04 else "present"
    other = "closed" if state == "present" and rng.random() < 0.02 else state
    states = (state, other) if rng.random() < 0.5 else (other, state)
    return Face(
        eyes=eyes,
        brows=brows,
        mouth=mouth,
        eye_states=states,
        brow_state="hidden" if rng.random() < 0.06 else "present",
        mouth_state=str(rng.choice(MOUTH_STATES, p=(0.76, 0.05, 0.19))),
        style=sample_style(rng),
    )


def sample_style(rng: Rng) -> Style:
    """A style; manga manners are as frequent as cel shading."""
    manner = str(rng.choice(("cel", "soft", "line", "tone", "sketch"), p=(0.36, 0.12, 0.24, 0.16, 0.12)))
    paper = manner in ("line", "tone", "sketch")
    skin = between(rng, 235, 256) if paper and rng.random() < 0.75 else between(rng, 130, 252)
    if manner == "cel" and rng.random() < 0.7:
        skin = between(rng, 205, 256)
    eye_height = between(rng, 0.16, 0.52)
    return Style(
        manner=manner,
        ink=between(rng, 0, 45) if manner != "soft" else min(between(rng, 20, 130), 0.6 * skin),
        line=float(np.exp(rng.uniform(np.log(0.014), np.log(0.05)))),
        skin=skin,
        hair=_hair(rng, paper),
        background=between(rng, 0, 256) if rng.random() < 0.7 else 255.0,
        eye_x=between(rng, 0.4, 0.52),
        eye_width=between(rng, 0.17, 0.34),
        eye_height=eye_height,
        eye_manner=str(
            rng.choice(("detailed", "plain", "dark", "empty", "ring", "dot"), p=(0.5, 0.15, 0.14, 0.06, 0.1, 0.05))
        ),
        mouth_y=between(rng, 0.48, 0.8),
        width=between(rng, 0.74, 1.02),
        chin_y=between(rng, 0.98, 1.3),
        jaw=between(rng, 0.0, 1.0),
        nose=str(
            rng.choice(
                ("none", "dot", "side", "hook", "long", "shadow", "nostrils", "bridge"),
                p=(0.1, 0.2, 0.18, 0.14, 0.1, 0.13, 0.07, 0.08),
            )
        ),
    )


def _hair(rng: Rng, paper: bool) -> float:
    if paper:
        return float(rng.choice((255.0, 8.0, between(rng, 20, 110), between(rng, 110, 240))))
    return 10.0 + 225.0 * between(rng, 0, 1) ** 1.6


def between(rng: Rng, low: float, high: float) -> float:
    """A number between two."""
    return float(rng.uniform(low, high))


def around(rng: Rng, mean: float, spread: float) -> float:
    """A normal number, cut at two and a half deviations."""
    return float(mean + spread * np.clip(rng.standard_normal(), -2.5, 2.5))


def pick(rng: Rng, words: tuple[str, ...]) -> str:
    """One of the words."""
    return words[int(rng.integers(len(words)))]
