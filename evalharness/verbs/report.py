"""`evalharness report RUN`: the page of a run, written again."""

import argparse
import sys

from evalharness.verbs.arguments import add_json, add_run

HELP = "write the page of a run again"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    verb.add_argument("--language", metavar="CODE", help="the page's language, such as ja (default: the run's)")
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """Write the page."""
    from dataclasses import replace

    from evalharness.languages import known_language
    from evalharness.record import load_run
    from evalharness.report.html import write_report
    from evalharness.verbs.answers import print_json

    given = load_run(options.run)
    page = write_report(options.run, replace(given, language=known_language(options.language or given.language)))
    if options.json:
        print_json({"report": page})
    else:
        sys.stdout.write(f"{page}\n")
    return 0
