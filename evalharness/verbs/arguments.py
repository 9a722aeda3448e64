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
