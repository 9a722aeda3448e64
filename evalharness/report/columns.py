"""How the page's data is kept small: repeated texts once, reasons as sentences with slots, outlines as short strings.

reports/scripts/cells.js reads what is written here; a run of 10,000 images fits into a few megabytes.
"""

import base64
import re
from collections.abc import Iterable, Sequence

from evalharness.types import Mark, Point

SLOT = "`"
"""Stands in a sentence where one of its numbers goes."""
NUMBER = re.compile(r"(?<![#\w.])\d+(?:\.\d+)?(?![\w])")
DIGEST = re.compile(r"[0-9a-f]{64}")
HEX_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}")

DIGITS = "".join(chr(code) for code in range(33, 127) if chr(code) not in "\"#&'<>\\`")
"""What numbers are written with: nothing that JSON, HTML or a colour would need."""
HALF = len(DIGITS) // 2
"""A digit below it ends a number; the others say that more follow."""
MOST_DECIMALS, LONGEST_NUMBER = 4, 14
"""A slot holds a number with fewer decimals and at most so many characters: JavaScript counts exactly to 2^53."""
STEPS_ACROSS = 256
"""Points of evidence are kept to this part of the picture's longer side; half a step off is about a screen's pixel."""


class Interner:
    """Gives each distinct text a number, in order of first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The text's number, new or known."""
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> list[str]:
        """All texts; a text's number is its index."""
        return list(self._numbers)


class Sentences:
    """Reasons that differ only in their numbers share one sentence."""

    def __init__(self) -> None:
        self._interner = Interner()

    def filled(self, reason: str) -> str:
        """The sentence's number and what goes into its slots, as digits."""
        numbers: list[int] = []
        sentence = NUMBER.sub(lambda found: _slot(found[0], numbers), reason.replace(SLOT, "'"))
        return signed_digits([self._interner.number(sentence), *numbers])

    def texts(self) -> list[str]:
        """All sentences, with SLOT for each number."""
        return self._interner.texts()


def _slot(written: str, numbers: list[int]) -> str:
    """SLOT, with the number appended to `numbers`; the number itself where it would not be read back as written."""
    whole, _, decimals = written.partition(".")
    if len(decimals) >= MOST_DECIMALS or len(written) > LONGEST_NUMBER or (whole[0] == "0" and whole != "0"):
        return written
    numbers.append(int(whole + decimals) * MOST_DECIMALS + len(decimals))
    return SLOT


class Evidence:
    """Marks as strings: style, then the points as steps from the one before, then the colour."""

    def __init__(self) -> None:
        self._styles = Interner()

    def packed(self, marks: Sequence[Mark], grain: float) -> str:
        """All marks of one score; `grain` is the length of a step in pixels of the image."""
        return " ".join(self._one(mark, grain) for mark in marks)

    def styles(self) -> list[list[str]]:
        """Kind and label by number."""
        return [text.split("\t", 1) for text in self._styles.texts()]

    def _one(self, mark: Mark, grain: float) -> str:
        color = mark.color if mark.color and HEX_COLOR.fullmatch(mark.color) else ""
        style = self._styles.number(f"{mark.kind}\t{mark.label}")
        return signed_digits([style]) + signed_digits(_steps(mark.points, grain)) + color


def grain_of(width: int, height: int) -> float:
    """The length of a step of evidence, in pixels, for pictures of this size; 0 by 0 is an unreadable picture's."""
    return (max(width, height) or STEPS_ACROSS) / STEPS_ACROSS


def _steps(points: Sequence[Point], grain: float) -> Iterable[int]:
    last_x = last_y = 0
    for x, y in outline([(round(x / grain), round(y / grain)) for x, y in points]):
        yield x - last_x
        yield y - last_y
        last_x, last_y = x, y


def outline(points: Sequence[tuple[int, int]]) -> Sequence[tuple[int, int]]:
    """The points without those that lie within half a step of the line that is drawn without them."""
    if len(points) < 4:
        return points
    kept, skipped = [points[0]], points[1:2]
    for here in points[2:]:
        if not all(_is_near(point, kept[-1], here) for point in skipped):
            kept.append(skipped[-1])
            skipped = []
        skipped = [*skipped, here]
    return [*kept, points[-1]]


def _is_near(point: tuple[int, int], start: tuple[int, int], end: tuple[int, int]) -> bool:
    """Whether a point is within half a step of the line from start to end, and between them."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    off_x, off_y = point[0] - start[0], point[1] - start[1]
    square = along_x * along_x + along_y * along_y
    across = along_x * off_y - along_y * off_x
    return 4 * across * across <= square and 0 <= along_x * off_x + along_y * off_y <= square


def signed_digits(values: Iterable[int]) -> str:
    """Whole numbers in base HALF, lowest digit first; the sign is the lowest bit."""
    written = []
    for value in values:
        rest = value << 1 if value >= 0 else (-value << 1) | 1
        while rest >= HALF:
            rest, digit = divmod(rest, HALF)
            written.append(DIGITS[digit + HALF])
        written.append(DIGITS[rest])
    return "".join(written)


def short_keys(keys: Sequence[str]) -> str | list[str]:
    """SHA-256 digests in one text, 43 characters of base64 each; other keys as they are."""
    if not all(DIGEST.fullmatch(key) for key in keys):
        return list(keys)
    return "".join(base64.urlsafe_b64encode(bytes.fromhex(key)).decode("ascii").rstrip("=") for key in keys)


def shared(texts: Sequence[str]) -> tuple[list[str], list[int | str]]:
    """Texts that occur more than once as a table, and each text as its number there, or itself."""
    seen: dict[str, int] = {}
    for text in texts:
        seen[text] = seen.get(text, 0) + 1
    table = Interner()
    column = [table.number(text) if seen[text] > 1 else text for text in texts]
    return table.texts(), column
