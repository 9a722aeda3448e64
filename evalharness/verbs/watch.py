"""`evalharness watch DIR`: every saved epoch judged while the training goes on."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from evalharness.verbs.arguments import above_zero, add_manners, add_overrides, at_least_one

HELP = "judge each epoch as a trainer saves it; one run that grows"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("training", type=Path, metavar="DIR", help="the folder that the trainer saves into")
    add_overrides(verb)
    verb.add_argument("--pattern", action="append", metavar="GLOB", help="which files below DIR; may be repeated")
    verb.add_argument("--poll", type=above_zero, default=10.0, metavar="SECONDS", help="between looks (default: 10)")
    stop = "end when N saves in a row left the best as it was: you can stop training"
    verb.add_argument("--stop-after", type=at_least_one, metavar="N", help=stop)
    run_then = "a shell command to run then, with EVALHARNESS_RUN and EVALHARNESS_BEST in its environment"
    verb.add_argument("--on-stop", metavar="COMMAND", help=run_then)
    verb.add_argument("--until", type=at_least_one, metavar="N", help="end when N saves were judged")
    verb.add_argument("--timeout", type=above_zero, metavar="SECONDS", help="end when no new save came for so long")
    verb.add_argument("--once", action="store_true", help="judge what is there, and end")
    add_manners(verb)


def do(options: argparse.Namespace) -> int:
    """Watch until a limit is reached; 0 then, whatever the verdicts; 1 where the command of --on-stop fails."""
    from evalharness.arrivals import PATTERNS, Arrivals
    from evalharness.errors import InputError
    from evalharness.verbs.growing_run import configured, open_run, tell
    from evalharness.verbs.whole_run import complain
    from evalharness.watch import Limits, watch

    folder = options.training
    if not folder.is_dir():
        raise InputError(f"'{folder}' is not a folder; make it, or give the one that the trainer saves into.")
    if options.on_stop and options.stop_after is None:
        raise InputError("--on-stop needs --stop-after N: after how many saves without a new best.")
    if options.keep_best and options.keep_best.resolve() == folder.resolve():
        raise InputError(f"--keep-best '{folder}' is the trainer's own folder; choose another one.")
    config = configured(folder, options)
    growing = open_run(config, options, options.poll)
    sys.stdout.write(f"watching      {folder}\nreport        {config.folder / 'report.html'}\n")
    sys.stdout.flush()
    limits = Limits(
        poll=options.poll,
        stop_after=options.stop_after,
        until=options.until,
        timeout=options.timeout,
        once=options.once,
    )
    ending = watch(growing, Arrivals(folder, options.pattern or PATTERNS, complain), limits, tell)
    sys.stdout.write(f"{ending.sentence}\n")
    sys.stdout.flush()
    return on_stop(options.on_stop, config.folder, ending.best) if ending.best and options.on_stop else 0


def on_stop(command: str, run: Path, best: str) -> int:
    """Run a person's own command line in the shell; 0 where it ends with 0, else 1 with a sentence."""
    from evalharness.verbs.whole_run import complain

    environment = os.environ | {"EVALHARNESS_RUN": str(run.resolve()), "EVALHARNESS_BEST": best}
    code = subprocess.run(command, shell=True, env=environment, check=False).returncode
    if code:
        complain(f"the command of --on-stop ended with {code}: {command}")
    return 1 if code else 0
