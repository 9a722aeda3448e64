"""What `watch` and `hook` do alike: the run that grows, and the line that each judged save is worth."""

import argparse
import os
import sys
from pathlib import Path

from evalharness.bars import bar
from evalharness.config import RunConfig, compose_growing
from evalharness.courtesy import Courtesy
from evalharness.growing import GrowingRun, Manners, Step
from evalharness.verbs.whole_run import complain


def configured(training: Path, options: argparse.Namespace) -> RunConfig:
    """The configuration of the run beside a training whose saves are in `training`."""
    return compose_growing(training, options.overrides, options.config_dir)


def open_run(config: RunConfig, options: argparse.Namespace, poll: float) -> GrowingRun:
    """The run with its manners; the process's priority is lowered for good."""
    if options.nice:
        os.nice(options.nice)
    courtesy = Courtesy(lock=options.lock, when_idle=options.when_idle, poll=poll)
    manners = Manners(courtesy=courtesy, keep_best=options.keep_best)
    return GrowingRun(config, manners, bar, complain)


def tell(step: Step) -> None:
    """One line a save, as logs like it, and the sentence about the best so far."""
    subject = step.seen.subject
    if step.verdict is None:
        complain(f"'{subject.name}' is left out: {step.seen.refused}")
        return
    moments = {"epoch": subject.epoch, "step": subject.step}
    known = ", ".join(f"{word} {number}" for word, number in moments.items() if number is not None)
    dated = f" ({known})" if known else ""
    sys.stdout.write(f"{step.verdict.decision.value:<13} {subject.name}{dated}\n{'':<13} {step.best}\n")
    sys.stdout.flush()
