"""Tables that people write: a CSV with a header and a row per image."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from evalharness.errors import InputError

DISARMED = re.compile(r"'+[=+\-@＝＋－＠\t\r\n]")
"""What spreadsheets would run as a formula, after the apostrophe that makes it text (by reports/scripts/labels.js)."""


def read_rows(table: Path, name: str, error: type[InputError]) -> Sequence[dict[str, str | None]]:
    """The rows of a CSV by their columns, at least one; `name` is what the sentence of an `error` calls it."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as text:
            rows: list[dict[str, str | None]] = list(csv.DictReader(text))
    except (OSError, UnicodeDecodeError, csv.Error) as reason:
        raise error(f"{name} cannot be read: {reason}.") from None
    if not rows:
        raise error(f"{name} has no rows; write a header with a column 'file' and a row per image.")
    return rows


def armed(text: str) -> str:
    """The text as it was before an apostrophe kept spreadsheets from running it."""
    return text[1:] if DISARMED.match(text) else text
