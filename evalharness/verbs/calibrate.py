"""`evalharness calibrate LABELS`: how far the judges agree with a person."""

import argparse
from pathlib import Path

from evalharness.verbs.arguments import add_json, add_overrides

HELP = "how far the judges agree with a person's labels"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("labels", type=Path, metavar="LABELS", help="a folder with labels.csv, a CSV, or a run's folder")
    text = "a labels.csv that lies elsewhere, as a run's page saves it; LABELS is then the folder of its images"
    verb.add_argument("--labels", type=Path, metavar="FILE", dest="table", help=text)
    text = "also fit the stars' thresholds to the labels, and write them as a file for conf/scoring"
    verb.add_argument("--fit", action="store_true", help=text)
    add_json(verb)
    add_overrides(verb)


def do(options: argparse.Namespace) -> int:
    """Calibrate, and print the figures."""
    from evalharness import console
    from evalharness.bars import bars
    from evalharness.calibrate import fit, judge_labels, write_agreement
    from evalharness.codec import decode
    from evalharness.config import compose_calibration
    from evalharness.labels import read_labels
    from evalharness.rated import rated_run
    from evalharness.stats.agreement import Agreement
    from evalharness.verbs.answers import print_json
    from evalharness.verbs.fitted import print_fit, write_fit

    # a shell leaves the ~ in --labels=~/labels.csv, and quotes keep it, too
    labels = read_labels(options.labels, options.table and options.table.expanduser())
    config = compose_calibration(options.labels, options.overrides, options.config_dir)
    if run := rated_run(options.labels):
        labels, config = run.completed(labels), run.judging(config, options.overrides)
    with bars() as progress:
        judged = judge_labels(config, labels, progress)
    rows, page = write_agreement(config, judged)
    if not options.json:
        console.print_calibration(rows, page)
    found = fit(config, judged) if options.fit else None
    written = write_fit(config.folder, options.table or options.labels, found) if found else None
    if options.json:
        figures = decode(page.with_name("agreement.json").read_bytes(), dict[str, Agreement])
        print_json({"images": len(labels), "figures": figures, "report": page, "fitted": written})
    elif found and written:
        print_fit(found, written)
    return 0
