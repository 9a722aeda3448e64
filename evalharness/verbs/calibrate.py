"""`evalharness calibrate LABELS`: how far the judges agree with a person."""

import argparse
from pathlib import Path

from evalharness.verbs.arguments import add_overrides

HELP = "how far the judges agree with a person's labels"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("labels", type=Path, metavar="LABELS", help="a folder with labels.csv, or a CSV")
    add_overrides(verb)


def do(options: argparse.Namespace) -> int:
    """Calibrate, and print the figures."""
    from evalharness import console
    from evalharness.calibrate import calibrate
    from evalharness.config import compose_calibration
    from evalharness.labels import read_labels

    labels = read_labels(options.labels)
    config = compose_calibration(options.labels, options.overrides, options.config_dir)
    console.print_calibration(*calibrate(config, labels, console.progress))
    return 0
