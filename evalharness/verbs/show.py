"""`evalharness show RUN`: what a run concluded, again; or all that is known of one of its images."""

import argparse
from pathlib import Path

from evalharness.verbs.arguments import add_json, add_run

HELP = "what a run concluded, or one image with its scores and reasons"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    verb.add_argument("image", nargs="?", type=Path, metavar="IMAGE.png", help="an image that a run made, anywhere")
    verb.add_argument("--cell", metavar="KEY", help="the image of this cell: its key, or how the key begins")
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """Print the run, or the image."""
    from evalharness.errors import InputError
    from evalharness.one_image import key_in, one_image
    from evalharness.record import load_run
    from evalharness.verbs.answers import print_facts, print_image, print_json, print_run

    if options.image and options.cell:
        raise InputError("both an image and --cell are given; one of them names the cell.")
    finished = load_run(options.run)
    key = key_in(options.image) if options.image else options.cell
    if key is None:
        print_run(finished, options.run, as_json=options.json)
        if not options.json:
            print_facts(finished, "stacks", "training")
        return 0
    found = one_image(finished, options.run, key)
    if options.json:
        print_json(found)
    else:
        print_image(found)
    return 0
