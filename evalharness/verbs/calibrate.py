"""`evalharness calibrate LABELS`: how far the judges agree with a person."""

import argparse
from pathlib import Path

from evalharness.verbs.arguments import add_json, add_overrides

HELP = "how far the judges agree with a person's labels"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("labels", type=Path, metavar="LABELS", help="a folder with labels.csv, or a CSV")
    add_json(verb)
    add_overrides(verb)


def do(options: argparse.Namespace) -> int:
    """Calibrate, and print the figures."""
    from evalharness import console
    from evalharness.bars import bars
    from evalharness.calibrate import calibrate
    from evalharness.codec import decode
    from evalharness.config import compose_calibration
    from evalharness.labels import read_labels
    from evalharness.stats.agreement import Agreement
    from evalharness.verbs.answers import print_json

    labels = read_labels(options.labels)
    config = compose_calibration(options.labels, options.overrides, options.config_dir)
    with bars() as progress:
        rows, page = calibrate(config, labels, progress)
    if options.json:
        figures = decode(page.with_name("agreement.json").read_bytes(), dict[str, Agreement])
        print_json({"images": len(labels), "figures": figures, "report": page})
    else:
        console.print_calibration(rows, page)
    return 0
