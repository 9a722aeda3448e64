"""`evalharness report RUN`: the page of a run, written again."""

import argparse
import sys

from evalharness.verbs.arguments import add_json, add_run

HELP = "write the page of a run again"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """Write the page."""
    from evalharness.record import load_run
    from evalharness.report.html import write_report
    from evalharness.verbs.answers import print_json

    page = write_report(options.run, load_run(options.run))
    if options.json:
        print_json({"report": page})
    else:
        sys.stdout.write(f"{page}\n")
    return 0
