"""`evalharness hook CHECKPOINT`: for trainers that call a program after each save."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from evalharness.verbs.arguments import above_zero, add_manners, add_overrides

if TYPE_CHECKING:
    from evalharness.growing import GrowingRun

HELP = "add one saved file to a growing run; never fails the trainer that calls it"
PAUSE = 1.0
"""Seconds between looks at a file that is not whole yet."""


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="the saved file, or the folder of the save")
    add_overrides(verb)
    verb.add_argument("--run", type=Path, metavar="FOLDER", help="the run's folder (as folder=FOLDER)")
    wait = "how long to wait for a file that is not whole yet (default: 60)"
    verb.add_argument("--wait", type=above_zero, default=60.0, metavar="SECONDS", help=wait)
    strict = "end with the verdict's code (0, 3, 4), or 2 for bad input, instead of always 0"
    verb.add_argument("--strict", action="store_true", help=strict)
    add_manners(verb)


def do(options: argparse.Namespace) -> int:
    """Judge the save; 0 whatever happens, with a sentence, unless --strict."""
    if options.strict:
        return judge(options)
    try:
        judge(options)
    except Exception as error:  # the trainer that calls must not end for any of our reasons
        reason = " ".join(str(error).split()) or type(error).__name__
        sys.stderr.write(f"evalharness: hook: {reason}\n")
    return 0


def judge(options: argparse.Namespace) -> int:
    """Take the save in, judge it and whatever else waits in its run, and return its verdict's exit code."""
    from evalharness.arrivals import checkpoint_file, training_folder
    from evalharness.verbs.growing_run import configured, open_run, tell

    file = checkpoint_file(options.checkpoint)
    if options.run:
        folder = str(options.run).replace("'", "\\'")
        options.overrides = [*options.overrides, f"folder='{folder}'"]
    growing = open_run(configured(training_folder(file), options), options, PAUSE)
    digest = claimed(growing, file, options.wait)
    try:
        for step in growing.score_waiting():
            tell(step)
    finally:
        growing.close()
    return growing.exit_code_of(digest)


def claimed(growing: "GrowingRun", file: Path, patience: float) -> str:
    """The digest of the file, taken in when it is whole; raises SubjectError if it is not after `patience` seconds."""
    from evalharness.errors import SubjectError
    from evalharness.subject import read_lora

    end = time.monotonic() + patience
    while True:
        try:
            seen = growing.watched.claim(file)
            return seen.subject.identity if seen else read_lora(file).digest
        except (SubjectError, FileNotFoundError) as error:
            left = end - time.monotonic()
            if left <= 0:
                raise SubjectError(str(error)) from None
            time.sleep(min(PAUSE, left))
