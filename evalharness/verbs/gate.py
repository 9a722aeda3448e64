"""`evalharness gate RUN`: a finished run judged again, alone or against what is promoted."""

import argparse
import sys

from evalharness.verbs.arguments import LATEST, add_promoted_in, add_run

HELP = "judge a finished run again, alone or against what is promoted"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    verb.add_argument(
        "--against",
        metavar="RUN[:SUBJECT]|promoted",
        help=f"what relative_to: promoted means: a subject (or the leader) of a run, or {LATEST}",
    )
    verb.add_argument("--strength", type=float, help="the other side's LoRA strength, where several were measured")
    add_promoted_in(verb)


def do(options: argparse.Namespace) -> int:
    """Judge again, write the page again, print every check."""
    from evalharness import console
    from evalharness.gate import exit_code
    from evalharness.regate import regate
    from evalharness.report.html import write_report
    from evalharness.sides import read_against

    against = read_against(options.run, options.against, options.strength, options.promoted_in)
    finished = regate(options.run, against)
    write_report(options.run, finished)
    for note in against.notes if against else ():
        sys.stdout.write(f"{note}\n")
    console.print_gate(finished)
    return exit_code(finished.judgement.decision)
