"""`evalharness doctor`: is all there that the suite needs?"""

import argparse
from typing import TYPE_CHECKING

from evalharness.verbs.arguments import add_json, add_overrides

if TYPE_CHECKING:
    from evalharness.doctor import Line

HELP = "is all there that a suite needs? Says what is missing, and what to do"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("--no-smoke", action="store_true", help="without the smoke run, which loads the model")
    add_json(verb)
    add_overrides(verb)


def do(options: argparse.Namespace) -> int:
    """Print every line as it is known; 0, or 2 where something is missing that the suite needs."""
    from evalharness.doctor import State, examine
    from evalharness.verbs.answers import print_json

    lines = []
    for line in examine(options.overrides, options.config_dir, smoke=not options.no_smoke):
        lines.append(line)
        if not options.json:
            _print(line)
    code = 2 if any(line.state is State.MISSING for line in lines) else 0
    if options.json:
        print_json({"lines": lines, "exit_code": code})
    elif code:
        _print_end(sum(line.state is State.MISSING for line in lines))
    return code


STYLES = {"ok": "green", "warning": "yellow", "missing": "red"}


def _print(line: "Line") -> None:
    from rich.table import Table
    from rich.text import Text

    from evalharness.console import console

    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=7)
    grid.add_column(width=13)
    grid.add_row(Text(line.state, style=STYLES[line.state]), Text(line.topic), Text(line.says))
    if line.do:
        grid.add_row("", "", Text(f"what to do: {line.do}"))
    console().print(grid)


def _print_end(count: int) -> None:
    from evalharness.console import console

    console().print(f"\n{count} missing; exit code 2", highlight=False)
