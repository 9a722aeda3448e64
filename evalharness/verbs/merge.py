"""`evalharness merge FOLDER...`: the run that several shards are parts of."""

import argparse
import sys
from pathlib import Path

from evalharness.verbs.arguments import add_json

HELP = "make one run of shards that were made by `run --shard i/n`"
INCONCLUSIVE = 4


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    text = "shards' folders, or the run's folder that holds them, such as runs/demo"
    verb.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help=text)
    add_json(verb)
    verb.add_argument("--to", type=Path, metavar="RUN", help="the whole run's folder (default: the one that is given)")


def do(options: argparse.Namespace) -> int:
    """Merge, and print what a run prints; 4 while images are missing."""
    from evalharness.bars import bars
    from evalharness.gate import exit_code
    from evalharness.interrupt import patient
    from evalharness.merge import merge
    from evalharness.report.html import write_report
    from evalharness.verbs.answers import print_run

    with bars() as phases, patient(phases) as progress:
        merged = merge(options.folders, options.to, progress)
    if merged.run is None:
        lines = (
            *merged.missing,
            f"{merged.folder} has all other images; nothing is judged before it is whole. Merge again with what is",
            f"missing, or make it by the shards' command without --shard and with folder='{merged.folder}'.",
            f"exit code  {INCONCLUSIVE}: not enough evidence to promote or to reject",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        return INCONCLUSIVE
    write_report(merged.folder, merged.run)
    print_run(merged.run, merged.folder, as_json=options.json)
    return exit_code(merged.run.judgement.decision)
