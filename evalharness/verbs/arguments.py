"""What several verbs are told in the same words."""

import argparse
from pathlib import Path

from evalharness.verbs.completers import completed_by, overrides, runs

OVERRIDES = "Hydra overrides, e.g. suite=harmony_grid backend.model=/path subjects='[/loras/*.safetensors]'"
LATEST = "the word promoted: the latest in --promoted-in by the same suite (a run's folder of that name is ./promoted)"


def add_run(verb: argparse.ArgumentParser) -> None:
    """A finished run's folder."""
    run = verb.add_argument("run", type=Path, metavar="RUN", help="a run's folder, such as runs/demo")
    completed_by(run, runs)


def add_json(verb: argparse.ArgumentParser) -> None:
    """The answer for programs."""
    verb.add_argument("--json", action="store_true", help="print the answer as JSON, and nothing else")


def add_overrides(verb: argparse.ArgumentParser) -> None:
    """The configuration of a run."""
    completed_by(verb.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=OVERRIDES), overrides)
    verb.add_argument("--config-dir", type=Path, metavar="DIR", help="a folder searched before ./conf and our own")


def add_promoted_in(verb: argparse.ArgumentParser) -> None:
    """Where the word promoted is looked up."""
    text = "the folder of promoted LoRAs that the word promoted means (default: promoted)"
    verb.add_argument("--promoted-in", type=Path, default=Path("promoted"), metavar="DIR", help=text)


def add_manners(verb: argparse.ArgumentParser) -> None:
    """How to leave the machine to a training, and where its best is kept."""
    verb.add_argument("--keep-best", type=Path, metavar="DIR", help="keep a copy of the best so far in this folder")
    verb.add_argument("--nice", type=at_least_one, metavar="N", help="lower our processor priority by N (1 to 19)")
    verb.add_argument("--lock", type=Path, metavar="FILE", help="make images only while holding this lock (flock)")
    verb.add_argument(
        "--when-idle", action="store_true", help="begin a save only when the GPUs (or processor) are idle"
    )


def above_zero(text: str) -> float:
    """A number above 0, as argparse's `type`."""
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def at_least_one(text: str) -> int:
    """A count, as argparse's `type`."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number
