"""`evalharness compare A B`: two subjects on equal draws."""

import argparse

from evalharness.verbs.arguments import LATEST, add_promoted_in

HELP = "two subjects on equal draws: paired differences"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    side = f"a run's folder (its leader is meant), or RUN:SUBJECT, such as runs/demo:sakichan-000008, or {LATEST}"
    verb.add_argument("ours", metavar="A", help=side)
    verb.add_argument("theirs", metavar="B", help=side)
    verb.add_argument("--strength", type=float, help="the LoRA strength, where several were measured")
    add_promoted_in(verb)
    verb.add_argument("--force", action="store_true", help="compare what is not comparable, and say so")


def do(options: argparse.Namespace) -> int:
    """Compare, and print the table."""
    from evalharness import console
    from evalharness.compare import compare
    from evalharness.sides import read_sides

    ours, theirs = read_sides(options.ours, options.theirs, options.strength, options.promoted_in)
    console.print_comparison(ours, theirs, compare(ours, theirs, force=options.force))
    return 0
