"""`evalharness compare A B`: two subjects on equal draws."""

import argparse
from typing import TYPE_CHECKING

from evalharness.verbs.arguments import LATEST, add_json, add_promoted_in
from evalharness.verbs.completers import completed_by, runs

if TYPE_CHECKING:
    from evalharness.sides import Side

HELP = "two subjects on equal draws: paired differences"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    side = f"a run's folder (its leader is meant), or RUN:SUBJECT, such as runs/demo:sakichan-000008, or {LATEST}"
    completed_by(verb.add_argument("ours", metavar="A", help=side), runs)
    completed_by(verb.add_argument("theirs", metavar="B", help=side), runs)
    verb.add_argument("--strength", type=float, help="the LoRA strength, where several were measured")
    add_promoted_in(verb)
    add_json(verb)
    verb.add_argument("--force", action="store_true", help="compare what is not comparable, and say so")


def do(options: argparse.Namespace) -> int:
    """Compare, and print the table."""
    from evalharness import console
    from evalharness.compare import compare
    from evalharness.sides import read_sides
    from evalharness.verbs.answers import print_json

    ours, theirs = read_sides(options.ours, options.theirs, options.strength, options.promoted_in)
    found = compare(ours, theirs, force=options.force)
    if options.json:
        print_json({"a": _named(ours), "b": _named(theirs), "comparison": found})
    else:
        console.print_comparison(ours, theirs, found)
    return 0


def _named(side: "Side") -> dict[str, object]:
    return {"suite": side.run.suite, "subject": side.subject, "strength": side.strength, "notes": side.notes}
