"""What a character's reference images show: the colours of hair and eyes with their spread, and the hair's side."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evalharness.backends.folder import read_reference, reference_files
from evalharness.errors import InputError
from evalharness.perception.base import Perceiver
from evalharness.scorers.color_drift import GREY
from evalharness.scorers.lab import chroma, hue, hue_name
from evalharness.scorers.typical import typical_color
from evalharness.types import Color, ImageSide, Lab, Observation

SURE = 0.2
"""Least confidence of a colour or a hair mask that counts, as it is for the scorers."""
ZONE = 0.08
"""Difference of the hair's shares beyond the head below which it hangs on neither side, as in scorers/hair_side.py."""
FEWEST, MOST_OF_THEM = 3, 0.75
"""A side is proposed where so many images are clear, and so large a share of them agrees."""

PLAIN = 5.0
"""deltaE00 that anybody sees beside the original."""
LEAST_LIMIT = 8.0
"""Least limit of a colour's drift: references that hardly differ, or are few, do not show how far light carries a
colour that is right; brown hair in evening light is about this far from brown hair at noon."""
WIDEST = 12.0
"""Spread above which references have no one colour: as far apart as what people call by different names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A region's typical colour over the references: seen in `seen` of `images`, nine in ten within `spread` (dE00)."""

    region: str
    lab: Lab
    spread: float
    seen: int
    images: int

    def __str__(self) -> str:
        light, red, yellow = (round(value) for value in self.lab)
        return (
            f"{self.region} {color_name(self.lab)} (L {light}, a {red}, b {yellow}) in {self.seen} of {self.images} "
            f"images; spread deltaE00 {self.spread:.1f}"
        )

    @property
    def limit(self) -> float | None:
        """How far the mean drift may go (deltaE00, in halves), or None where the references have no one colour.

        Nine in ten references lie within their spread of the typical colour, so that a LoRA which scatters as they do
        has a mean drift below it. To that comes what anybody sees (`PLAIN`): a mean beyond both is another colour.
        """
        return None if self.spread > WIDEST else max(LEAST_LIMIT, round(2.0 * (self.spread + PLAIN)) / 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSeen:
    """On which side of the image the hair hangs where a face is seen, in counts of images."""

    left: int
    right: int
    neither: int

    @property
    def proposed(self) -> ImageSide | None:
        """The side on which most of the clear images agree; None = not clear."""
        counts: dict[ImageSide, int] = {"left": self.left, "right": self.right, "none": self.neither}
        side = max(counts, key=lambda one: counts[one])
        total = sum(counts.values())
        return side if total >= FEWEST and counts[side] >= MOST_OF_THEM * total else None

    def __str__(self) -> str:
        total = self.left + self.right + self.neither
        counts = f"left {self.left}, right {self.right}, neither {self.neither} of {total} images with a face"
        said = {"left": "left", "right": "right", "none": "neither", None: "not clear"}[self.proposed]
        return f"hair side {said} ({counts})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What the references show; a tone is None where it was not seen in enough of them."""

    images: int
    hair: Tone | None
    eyes: Tone | None
    side: SideSeen

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was seen, a sentence each."""
        tones = (str(tone) if tone else f"{name} colour not clear" for name, tone in self._tones())
        return (*tones, str(self.side))

    def _tones(self) -> tuple[tuple[str, Tone | None], ...]:
        return ("hair", self.hair), ("eyes", self.eyes)


def look_at_references(folder: Path, perceiver: Perceiver) -> Appearance:
    """Look at the images of a folder; raises InputError where there are none, or one cannot be read."""
    if not folder.is_dir():
        raise InputError(f"references '{folder}' is not a folder; give one with images of the character.")
    return appearance(tuple(perceiver.observe([read_reference(path)])[0] for path in reference_files(folder)))


def appearance(seen: Sequence[Observation]) -> Appearance:
    """What observations of one character have in common."""
    return Appearance(images=len(seen), hair=_tone("hair", seen), eyes=_tone("eyes", seen), side=_side(seen))


def color_name(lab: Lab) -> str:
    """What people call a colour of hair or eyes."""
    if chroma(lab) < GREY:
        return "black" if lab[0] < 25.0 else "grey" if lab[0] < 75.0 else "white"
    name = hue_name(hue(lab))
    if name in ("orange", "yellow") or (name == "red" and chroma(lab) < 35.0):
        return "brown" if lab[0] < 50.0 else "blonde" if name == "yellow" else "light brown"
    return name


def _tone(region: str, seen: Sequence[Observation]) -> Tone | None:
    colors = [color for one in seen if (color := _color(region, one))]
    if len(colors) < min(FEWEST, len(seen)):
        return None
    typical = typical_color(colors)
    return Tone(region=region, lab=typical.middle, spread=typical.spread, seen=len(colors), images=len(seen))


def _color(region: str, seen: Observation) -> Color | None:
    sure = (color for color in seen.colors if color.region == region and color.confidence >= SURE)
    return max(sure, key=lambda color: color.confidence * color.share, default=None)


def _side(seen: Sequence[Observation]) -> SideSeen:
    """From behind a ponytail shows on the other side, so that only images with one face are counted."""
    counts: Counter[str] = Counter()
    for one in seen:
        if one.hair is not None and one.hair.confidence >= SURE and len(one.faces) == 1 and len(one.panels) <= 1:
            to_the_right = one.hair.right - one.hair.left
            counts["none" if abs(to_the_right) <= ZONE else "right" if to_the_right > 0 else "left"] += 1
    return SideSeen(left=counts["left"], right=counts["right"], neither=counts["none"])
