"""`evalharness pick RUN`: which epoch at which strength, and how surely."""

import argparse
import sys

from evalharness.verbs.arguments import add_run

HELP = "which epoch at which strength is best, and how sure that is"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    verb.add_argument("--json", action="store_true", help="print the answer as JSON")


def do(options: argparse.Namespace) -> int:
    """Print the answer; 0 settled, 3 all excluded, 4 others may be as good."""
    from evalharness import console
    from evalharness.codec import encode_readably
    from evalharness.pick import pick
    from evalharness.record import load_run

    found = pick(load_run(options.run))
    if options.json:
        sys.stdout.write(encode_readably(found).decode())
    else:
        console.print_pick(found)
    return found.exit_code
