"""The lists of `evalharness list` as tables."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from evalharness.console import STYLES, console
from evalharness.listing import PartRow, Rows, RunRow, ScorerRow, SuiteRow

Column = Callable[[Any], str | Text]


def print_rows(kind: str, rows: Rows) -> None:
    """One table; a row with a problem says it in its last column."""
    columns = COLUMNS[kind]
    table = Table(title=kind, box=SIMPLE, title_justify="left")
    for heading in columns:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left", no_wrap=heading == "name")
    for row in rows:
        cells = [column(row) for column in columns.values()]
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))
    console().print(table if rows else Text(f"{kind}: none here"))


def _said(row: Any, words: str) -> Text:
    return Text(f"damaged: {row.problem}", style="red") if row.problem else Text(words)


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _better(row: ScorerRow) -> str:
    return "" if row.higher_is_better is None else "higher" if row.higher_is_better else "lower"


def _made(row: RunRow) -> str:
    return f"{row.images:,}" if row.images == row.of else f"{row.images:,} of {row.of:,}"


def _verdict(row: RunRow) -> Text:
    if row.decision is None:
        return _said(row, row.state)
    return Text(row.decision, style=STYLES[row.decision])


def _leader(row: RunRow) -> str:
    return "" if row.leader is None else f"{row.leader} @ {row.strength or 0.0:g}"


def _about(row: PartRow | ScorerRow) -> Text:
    return _said(row, row.about)


def _suite_about(row: SuiteRow) -> Text:
    return _said(row, row.description)


NUMBERS = ("prompts", "images each", "images")
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "suites": {
        "name": lambda row: row.name,
        "prompts": lambda row: _count(row.prompts),
        "images each": lambda row: _count(row.draws),
        "images": lambda row: _count(row.images),
        "from": lambda row: "ours" if row.ours else str(row.file),
        "about": _suite_about,
    },
    "scorers": {
        "name": lambda row: row.name,
        "unit": lambda row: row.unit,
        "better is": _better,
        "about": _about,
    },
    "makers": {"name": lambda row: row.name, "about": _about},
    "perception": {"name": lambda row: row.name, "about": _about},
    "runs": {
        "name": lambda row: row.folder.name,
        "suite": lambda row: row.suite,
        "images": _made,
        "leader": _leader,
        "date": lambda row: row.date[:16].replace("T", " "),
        "verdict": _verdict,
    },
}
