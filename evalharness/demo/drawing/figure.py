"""One character on a canvas: her look, her colours, and the small chances her seed decides."""

import dataclasses
import zlib

import numpy as np

from evalharness.demo.drawing.canvas import HAIR, Canvas, Paint, Rgb, mix
from evalharness.demo.look import EYE_COLORS, HAIR_COLORS, SCRUNCHIE_COLORS, Look

INK: Rgb = (46, 30, 42)
WHITE: Rgb = (255, 255, 255)
SKINS: tuple[Rgb, ...] = ((255, 228, 210), (252, 220, 198), (255, 234, 220), (244, 208, 184))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one character, each 0-255 sRGB."""

    hair: Rgb
    skin: Rgb
    eye: Rgb
    scrunchie: Rgb

    @property
    def hair_paint(self) -> Paint:
        """Hair in front."""
        return Paint(fill=self.hair, line=mix(self.hair, INK, 0.75), layer=HAIR)

    @property
    def hair_back(self) -> Paint:
        """Hair in shadow, behind head and neck."""
        return Paint(fill=mix(self.hair, (40, 24, 60), 0.15), line=mix(self.hair, INK, 0.75), layer=HAIR)

    @property
    def hair_strand(self) -> Rgb:
        """Thin lines inside the hair."""
        return mix(self.hair, INK, 0.35)

    @property
    def hair_light(self) -> Rgb:
        """The shine on the hair."""
        return mix(self.hair, WHITE, 0.35)

    @property
    def skin_paint(self) -> Paint:
        """Skin with its line."""
        return Paint(fill=self.skin, line=(120, 66, 62))

    @property
    def skin_shade(self) -> Rgb:
        """Skin in shadow."""
        return mix(self.skin, (214, 120, 110), 0.35)


def chance(seed: int, part: str) -> np.random.Generator:
    """A generator of its own for each part: another emotion or hairstyle leaves the other parts as they were."""
    return np.random.default_rng((seed & 0xFFFFFFFF, zlib.crc32(part.encode())))


def hair_rgb(look: Look) -> Rgb:
    """The base colour really used: an override as given, a named colour moved by at most 7 steps a channel."""
    if look.hair_rgb is not None:
        return look.hair_rgb
    moved = np.array(HAIR_COLORS[look.hair_color]) + chance(look.seed, "hair color").integers(-7, 8, size=3)
    red, green, blue = (int(value) for value in np.clip(moved, 0, 255))
    return red, green, blue


def palette(look: Look) -> Palette:
    """All colours of a look."""
    skin = SKINS[int(chance(look.seed, "skin").integers(len(SKINS)))]
    eye, scrunchie = EYE_COLORS[look.eye_color], SCRUNCHIE_COLORS[look.scrunchie]
    return Palette(hair=hair_rgb(look), skin=skin, eye=eye, scrunchie=scrunchie)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A look about to be drawn. Its unit is half a face's width; its origin lies between the eyes."""

    look: Look
    canvas: Canvas
    colors: Palette

    @property
    def profile(self) -> bool:
        """Whether she is seen from the side; profiles are drawn facing left and flipped by the canvas."""
        return self.look.view in ("left_profile", "right_profile")

    @property
    def behind(self) -> bool:
        """Whether her back is to us."""
        return self.look.view == "behind"

    @property
    def tail_sign(self) -> int:
        """+1 where a side tail hangs at x > 0 in her own canvas, -1 where at x < 0."""
        if self.profile:
            return 1
        return 1 if (self.look.side == "left") != self.behind else -1

    def chance(self, part: str) -> np.random.Generator:
        """The generator of one part."""
        return chance(self.look.seed, part)
