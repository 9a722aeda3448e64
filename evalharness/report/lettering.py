"""A font for labels in a picture: Pillow's own, or one of this machine that has what Pillow's has not."""

from collections.abc import Sequence
from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SIZE = 13
"""Pixels."""
FILES = (
    # Pillow looks for these names in the folders where systems keep their fonts
    "NotoSansCJK-Regular.ttc",
    "NotoSansJP-Regular.otf",
    "NotoSansCJKjp-Regular.otf",
    "ipag.ttf",
    "ipagp.ttf",
    "TakaoGothic.ttf",
    "VL-Gothic-Regular.ttf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "YuGothM.ttc",
    "msgothic.ttc",
    "ヒラギノ角ゴシック W3.ttc",
    "Arial Unicode.ttf",
    "DejaVuSans.ttf",
)
NO_CHARACTER = "\U0010ffff"
"""No font has it: what is drawn for it is what is drawn for everything that a font lacks."""


def font_for(labels: Sequence[str]) -> tuple[Font, str]:
    """The first font that has every character of the labels, else the one that lacks least; and what it lacks."""
    wanted = "".join(sorted({character for label in labels for character in label if character.isprintable()}))
    found: list[tuple[Font, str]] = []
    for font in _fonts():
        missing = lacking(font, wanted)
        if not missing:
            return font, ""
        found.append((font, missing))
    return min(found, key=lambda one: len(one[1]))


def lacking(font: Font, characters: str) -> str:
    """Those of the characters that the font has no shape for."""
    nothing = _shape(font, NO_CHARACTER)
    return "".join(one for one in characters if _shape(font, one) == nothing)


def _shape(font: Font, character: str) -> tuple[tuple[int, int], bytes] | None:
    try:
        mask = font.getmask(character)
    except UnicodeEncodeError:
        # Pillow without FreeType has Latin letters only
        return None
    return mask.size, bytes(mask)


@cache
def _fonts() -> tuple[Font, ...]:
    found: list[Font] = [ImageFont.load_default(SIZE)]
    for name in FILES:
        try:
            found.append(ImageFont.truetype(name, SIZE))
        except OSError:
            continue
    return tuple(found)
