"""`evalharness list`: suites, scorers, makers, perceivers and runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from evalharness.verbs.arguments import add_json

if TYPE_CHECKING:
    from evalharness.listing import Rows

HELP = "suites, scorers, makers, perceivers, and runs with their verdicts"
KINDS = ("suites", "scorers", "makers", "perception", "runs")


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("kind", nargs="?", choices=KINDS, help="what to list; left out, all of it")
    verb.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="where runs are (default: runs)")
    verb.add_argument("--config-dir", type=Path, metavar="DIR", help="a folder searched before ./conf and our own")
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """Print one list, or all of them under their names."""
    from evalharness.verbs.answers import print_json
    from evalharness.verbs.tables import print_rows

    if options.folder and options.kind != "runs":
        from evalharness.errors import InputError

        raise InputError(f"a folder belongs to runs; type: evalharness list runs {options.folder}")
    kinds = (options.kind,) if options.kind else KINDS
    found = {kind: _rows(kind, options) for kind in kinds}
    if options.json:
        print_json(found)
        return 0
    for kind, rows in found.items():
        print_rows(kind, rows)
    return 0


def _rows(kind: str, options: argparse.Namespace) -> "Rows":
    from evalharness import listing

    if kind == "suites":
        return listing.list_suites(options.config_dir)
    if kind == "scorers":
        return listing.list_scorers()
    if kind in ("makers", "perception"):
        return listing.list_parts("backend" if kind == "makers" else "perception")
    if options.folder is None and not Path("runs").is_dir():
        return ()
    return listing.list_runs(options.folder or Path("runs"))
