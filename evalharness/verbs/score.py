"""`evalharness score FOLDER`: the same judgement of images that exist already."""

import argparse
from pathlib import Path

from evalharness.verbs.arguments import add_json, add_overrides

HELP = "the same judgement of images that exist already"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("images", type=Path, metavar="FOLDER", help="folder of PNG, JPEG or WebP files")
    add_json(verb)
    add_overrides(verb)


def do(options: argparse.Namespace) -> int:
    """Score the folder."""
    from evalharness.config import compose_score
    from evalharness.verbs.whole_run import whole_run

    config = compose_score(options.images, options.overrides, options.config_dir)
    return whole_run(config, as_json=options.json)
