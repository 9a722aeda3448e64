"""`evalharness report RUN`: the page of a run, written again."""

import argparse
import sys

from evalharness.verbs.arguments import add_run

HELP = "write the page of a run again"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)


def do(options: argparse.Namespace) -> int:
    """Write the page."""
    from evalharness.record import load_run
    from evalharness.report.html import write_report

    sys.stdout.write(f"{write_report(options.run, load_run(options.run))}\n")
    return 0
