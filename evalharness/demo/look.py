"""What the drawn world can draw: the words of a look, and where its hair must then appear in the image."""

import dataclasses
from typing import Literal, get_args

Archetype = Literal["soft", "stoic", "energetic", "melancholic"]
Emotion = Literal["neutral", "happy", "sad", "angry", "surprised"]
Hairstyle = Literal["down", "twin_tails", "side_ponytail", "ponytail"]
Side = Literal["left", "right"]
View = Literal["front", "behind", "left_profile", "right_profile"]
Pose = Literal["standing", "running"]
Light = Literal["soft", "warm", "cool", "backlit"]
Outfit = Literal["school_uniform", "white_dress", "hoodie", "t_shirt", "coat"]
Background = Literal["plain_white", "plain_grey", "sky", "classroom", "park", "night_city", "sunset"]
TaughtFault = Literal[
    "animal_ears", "rope", "several_panels", "several_faces", "missing_mouth", "missing_eyes", "blank_eyes", "blur"
]
Fault = TaughtFault | Literal["doubled_eyes", "doubled_mouth", "text", "watermark", "low_detail"]
Headwear = Literal["none", "ribbon", "hat", "buns"]
Ears = Literal["cat", "fox", "rabbit", "bear"]
ImageSide = Literal["left", "right", "none"]

ARCHETYPES: tuple[Archetype, ...] = get_args(Archetype)
EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)
HAIRSTYLES: tuple[Hairstyle, ...] = get_args(Hairstyle)
VIEWS: tuple[View, ...] = get_args(View)
POSES: tuple[Pose, ...] = get_args(Pose)
LIGHTS: tuple[Light, ...] = get_args(Light)
OUTFITS: tuple[Outfit, ...] = get_args(Outfit)
BACKGROUNDS: tuple[Background, ...] = get_args(Background)
FAULTS: tuple[Fault, ...] = get_args(TaughtFault)
"""Faults that the demo's models and their judge were taught: their captions and answers are these, in this order."""
LATER_FAULTS: tuple[Fault, ...] = ("doubled_eyes", "doubled_mouth", "text", "watermark", "low_detail")
"""Faults that the renderer draws besides, to measure perception by."""
HEADWEAR: tuple[Headwear, ...] = get_args(Headwear)
EARS: tuple[Ears, ...] = get_args(Ears)

HAIR_COLORS: dict[str, tuple[int, int, int]] = {
    "brown": (110, 70, 45),
    "blonde": (232, 200, 120),
    "black": (45, 42, 52),
    "red": (170, 45, 45),
    "orange": (226, 122, 44),
    "blue": (70, 110, 190),
    "pink": (236, 150, 176),
    "silver": (200, 204, 214),
    "green": (80, 150, 100),
    "purple": (130, 88, 168),
}
EYE_COLORS: dict[str, tuple[int, int, int]] = {
    "brown": (120, 72, 40),
    "blue": (58, 120, 210),
    "green": (52, 150, 90),
    "red": (200, 50, 60),
    "purple": (134, 80, 190),
    "amber": (226, 160, 40),
}
SCRUNCHIE_COLORS: dict[str, tuple[int, int, int]] = {
    "blue": (50, 100, 225),
    "red": (220, 50, 60),
    "yellow": (245, 210, 60),
    "white": (245, 245, 245),
    "green": (60, 170, 90),
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One drawing to make; `seed` fixes all that the words leave open (jitter, strands, line weight).

    `eyes`, `brows` and `mouth` may name another emotion than `emotion`: that is a disharmonious face.
    `side` is the character's own side and matters for `side_ponytail` only.
    `tie` says whether a scrunchie is drawn; None draws one where hair is gathered. Hair that is down may keep one.
    `headwear` lies on the head without being a fault, two buns of hair among it; `ears` is the kind of animal ears.
    `hair_rgb` overrides the named hair colour (0-255 sRGB): that is how drifted hair is drawn.
    """

    archetype: Archetype = "soft"
    emotion: Emotion = "neutral"
    eyes: Emotion | None = None
    brows: Emotion | None = None
    mouth: Emotion | None = None
    hair_color: str = "brown"
    hair_rgb: tuple[int, int, int] | None = None
    eye_color: str = "brown"
    hairstyle: Hairstyle = "down"
    side: Side = "left"
    scrunchie: str = "blue"
    tie: bool | None = None
    ahoge: bool = False
    headwear: Headwear = "none"
    ears: Ears = "cat"
    view: View = "front"
    pose: Pose = "standing"
    outfit: Outfit = "school_uniform"
    background: Background = "plain_white"
    light: Light = "soft"
    faults: tuple[Fault, ...] = ()
    seed: int = 0


def image_side(look: Look) -> ImageSide:
    """The side of the image on which the gathered hair must show; `none` where hair is not gathered to one side.

    Seen from the front the character's left is at the image's right; from behind it is at the left. In left
    profile she faces the image's left, so a tail hangs behind the head, at the right; in right profile at the left.
    """
    if look.hairstyle not in ("side_ponytail", "ponytail"):
        return "none"
    if look.view == "left_profile":
        return "right"
    if look.view == "right_profile":
        return "left"
    if look.hairstyle == "ponytail":
        return "none"
    mirrored: dict[Side, ImageSide] = {"left": "right", "right": "left"}
    return mirrored[look.side] if look.view == "front" else look.side
