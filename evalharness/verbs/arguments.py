"""What several verbs are told in the same words."""

import argparse
from pathlib import Path

OVERRIDES = "Hydra overrides, e.g. suite=harmony_grid backend.model=/path subjects='[/loras/*.safetensors]'"
LATEST = "the word promoted: the latest in --promoted-in by the same suite (a run's folder of that name is ./promoted)"


def add_run(verb: argparse.ArgumentParser) -> None:
    """A finished run's folder."""
    verb.add_argument("run", type=Path, metavar="RUN", help="a run's folder, such as runs/demo")


def add_overrides(verb: argparse.ArgumentParser) -> None:
    """The configuration of a run."""
    verb.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=OVERRIDES)
    verb.add_argument("--config-dir", type=Path, metavar="DIR", help="a folder searched before ./conf and our own")


def add_promoted_in(verb: argparse.ArgumentParser) -> None:
    """Where the word promoted is looked up."""
    text = "the folder of promoted LoRAs that the word promoted means (default: promoted)"
    verb.add_argument("--promoted-in", type=Path, default=Path("promoted"), metavar="DIR", help=text)
