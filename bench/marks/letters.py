"""Lines of lettering as stencils: from the fonts of this machine, or of letters that nobody can read."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from reader.face import Rng, around, between
from scipy import ndimage

Stencil = NDArray[np.uint8]
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/Library/Fonts", "/Library/Fonts")
FONTS = (
    "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSansMono.ttf", "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf", "DejaVuSansCondensed-Bold.ttf", "DejaVuMathTeXGyre.ttf", "DejaVuSans-ExtraLight.ttf",
)  # fmt: skip
"""Fonts to learn from, where they are installed; Pillow's own always is. DejaVu Serif is kept for the test."""
KANA_FONTS = ("VL-Gothic-Regular.ttf", "VL-PGothic-Regular.ttf")
UNSEEN_FONTS = ("DejaVuSerif.ttf", "DejaVuSansCondensed.ttf", "DejaVuSerifCondensed-BoldItalic.ttf")
SYLLABLES = (
    "ka ki mi na no ri to shi su ha ra el an or in st ar th ing ed er lo ve me you do not it was to be sun moon sky art"
).split()
FORMS = (
    "@{0}_{1}", "www.{0}{1}.com", "{0}.example", "(c) {0} {1}", "© 20{2} {0}", "art by {0}", "{0} {1}", "{0}", "{0}!",
    "{0} 20{2}", "pixiv id {2}{2}{2}", "{0}.art/{1}", "#{2}{2}", "{0} {1} {0}?", "SAMPLE", "PREVIEW", "DO NOT REPOST",
    "DRAFT", "Episode {2}", "{0} studio", "Ver. {2}", "{0} {1} {1} {0}", "twitter: @{0}", "patreon.com/{0}",
)  # fmt: skip
KANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのまみむめもやゆよらりるれろわん"
    "アイウエオカキクコサシスタツテトナニノハフマミムメモラリルレロンー"
    "絵無断転載禁止日本画少女月火水木金土空海"
)


@cache
def _file(name: str) -> str | None:
    for folder in FONT_FOLDERS:
        for found in sorted(Path(folder).expanduser().rglob(name)):
            return str(found)
    return None


def _font(rng: Rng, size: float, names: tuple[str, ...]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """One of these fonts, or Pillow's own in a third of all cases and where none is installed."""
    files = [file for name in names if (file := _file(name))]
    if not files or (names is FONTS and rng.random() < 0.33):
        return ImageFont.load_default(size)
    return ImageFont.truetype(files[int(rng.integers(len(files)))], size)


def some_words(rng: Rng) -> str:
    """A name, an address, a notice or a few words that mean nothing."""
    words = ["".join(rng.choice(SYLLABLES, int(rng.integers(1, 4)))) for _ in range(2)]
    text = FORMS[int(rng.integers(len(FORMS)))].format(*words, int(rng.integers(10, 99)))
    case = rng.random()
    return text.upper() if case < 0.3 else text.title() if case < 0.45 else text


def line_of_letters(rng: Rng, size: float, unseen: bool = False) -> Stencil:
    """One line of lettering, 255 where ink is, letters about `size` pixels high; cut to its ink."""
    kind = 0.0 if unseen else rng.random()
    if kind < 0.62:
        stencil = _set(some_words(rng), _font(rng, size, UNSEEN_FONTS if unseen else FONTS), rng)
    elif kind < 0.76 and any(_file(name) for name in KANA_FONTS):
        text = "".join(rng.choice(list(KANA), int(rng.integers(3, 13))))
        stencil = _set(text, _font(rng, size, KANA_FONTS), rng, upright=rng.random() < 0.3)
    else:
        stencil = _invented(rng, size)
    return stencil if unseen else _bent(stencil, rng)


def _set(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, rng: Rng, upright: bool = False) -> Stencil:
    if upright:
        text = "\n".join(text)
    heavy = int(rng.random() < 0.2)
    left, top, right, low = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font, stroke_width=heavy)
    image = Image.new("L", (int(right - left) + 4, int(low - top) + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, 255, font, stroke_width=heavy)
    return np.asarray(image)


def _invented(rng: Rng, size: float) -> Stencil:
    """Letters of a few strokes each, of an alphabet made for this line; joined up in a third of all lines."""
    fine = 3
    tall = size * fine * 0.75
    count, wide, weight = int(rng.integers(3, 14)), between(rng, 0.4, 0.9), max(1.5, tall * between(rng, 0.06, 0.16))
    curl, joined = rng.random(), rng.random() < 0.33
    alphabet = [_glyph(rng, curl) for _ in range(int(rng.integers(3, 9)))]
    image = Image.new("L", (int((count * wide + 2) * tall), int(2.4 * tall)))
    pen, x, last = ImageDraw.Draw(image), 0.8 * tall, None
    for _ in range(count):
        if rng.random() < 0.08:
            x, last = x + 0.5 * tall, None
            continue
        high = tall * (1.0 if rng.random() < 0.25 else 0.7)
        for stroke in alphabet[int(rng.integers(len(alphabet)))]:
            places = stroke * (wide * tall, high) + (x, 1.7 * tall - high) + rng.normal(0, 0.02 * tall, 2)
            if joined and last is not None:
                pen.line([tuple(last), tuple(places[0])], 255, round(weight))
            pen.line([tuple(place) for place in places], 255, round(weight), joint="curve")
            last = places[-1]
        x += (wide + between(rng, 0.08, 0.3)) * tall
    return np.asarray(image.reduce(fine))


def _glyph(rng: Rng, curl: float) -> list[NDArray[np.float64]]:
    """One to three strokes in the unit square."""
    strokes = []
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < curl:
            turn = np.linspace(0, between(rng, 2, 6.3), 12) + between(rng, 0, 6.3)
            middle, reach = rng.uniform(0.3, 0.7, 2), rng.uniform(0.2, 0.5, 2)
            strokes.append(np.clip(middle + reach * np.stack((np.cos(turn), np.sin(turn)), axis=1), 0, 1))
        else:
            strokes.append(rng.choice((0.0, 0.5, 1.0), (2, 2)) + rng.normal(0, 0.06, (2, 2)))
    return strokes


def _bent(stencil: Stencil, rng: Rng) -> Stencil:
    """Leaning, stretched, heavier or hollow letters."""
    image = Image.fromarray(stencil)
    lean = between(rng, -0.1, 0.4) if rng.random() < 0.3 else 0.0
    more = int(abs(lean) * image.height) + 1
    wide = max(2, int((image.width + more) * np.exp(around(rng, 0, 0.15))))
    ratio = (image.width + more) / wide
    image = image.transform(
        (wide, image.height), Image.Transform.AFFINE,
        (ratio, lean, -lean * image.height if lean > 0 else 0.0, 0, 1, 0), Image.Resampling.BILINEAR,
    )  # fmt: skip
    if rng.random() < 0.06:
        bold = ndimage.grey_dilation(np.asarray(image), 3)
        return np.asarray(np.clip(bold.astype(np.int16) - np.asarray(image), 0, 255), dtype=np.uint8)
    return np.asarray(image)
