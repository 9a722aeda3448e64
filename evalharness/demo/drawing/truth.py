"""What a drawing really shows, in plain values."""

import dataclasses
from typing import Any, Literal

from evalharness.demo.drawing.canvas import Box, Rgb
from evalharness.demo.look import Emotion, Fault, ImageSide, Look

EmotionSeen = Emotion | Literal["none"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Boxes (left, top, right, bottom) in pixels of the finished image; None where a part cannot be seen."""

    face: Box | None = None
    left_eye: Box | None = None
    right_eye: Box | None = None
    brows: Box | None = None
    mouth: Box | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The facts of one drawing.

    `emotion_seen` is `none` where eyes, brows and mouth disagree, one of them is missing (blank or doubled
    ones count as missing), or no face is visible. `harmonious` says that a visible, complete face has one emotion.
    `parts` is of the first character and empty for a page of panels; its left and right are the image's. `text` is
    where letters stand, in pixels.
    Colours are 0-255 sRGB before light.
    """

    look: Look
    hair_side_image: ImageSide
    emotion_seen: EmotionSeen
    harmonious: bool
    faces: int
    panels: int
    parts: Parts
    hair_rgb: Rgb
    eye_rgb: Rgb
    faults: tuple[Fault, ...]
    text: Box | None = None

    def to_json(self) -> dict[str, Any]:
        """The same facts as dicts, lists, numbers and strings."""
        plain: dict[str, Any] = dataclasses.asdict(self)
        return plain


def emotion_seen(look: Look) -> EmotionSeen:
    """The one emotion that all parts of a visible, complete face show."""
    broken = {"missing_mouth", "missing_eyes", "blank_eyes", "doubled_eyes", "doubled_mouth"}
    hidden = look.view == "behind" or broken & set(look.faults)
    shown = {look.eyes or look.emotion, look.brows or look.emotion, look.mouth or look.emotion}
    return "none" if hidden or len(shown) > 1 else shown.pop()
