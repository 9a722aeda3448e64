"""`evalharness pick RUN`: which epoch at which strength, and how surely."""

import argparse

from evalharness.verbs.arguments import add_json, add_run

HELP = "which epoch at which strength is best, and how sure that is"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """Print the answer; 0 settled, 3 all excluded, 4 others may be as good."""
    from evalharness import console
    from evalharness.pick import pick
    from evalharness.record import load_run
    from evalharness.verbs.answers import print_json

    found = pick(load_run(options.run))
    if options.json:
        print_json(found)
    else:
        console.print_pick(found)
    return found.exit_code
