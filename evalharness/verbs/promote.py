"""`evalharness promote RUN --to DIR`: copy what the verdict allows, with its card."""

import argparse
import sys
from pathlib import Path

from evalharness.verbs.arguments import add_json, add_run

HELP = "copy a promoted LoRA with its evaluation card; refused without a verdict"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    add_json(verb)
    verb.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder of promoted LoRAs")
    verb.add_argument("--subject", help="which subject; left out, the run's leader")
    verb.add_argument("--strength", type=float, help="the LoRA strength to use; left out, the likeliest best")
    verb.add_argument("--override", metavar="REASON", help="promote against the verdict, for this reason")
    verb.add_argument("--by", metavar="NAME", help="who overrides; both are recorded for ever")


def do(options: argparse.Namespace) -> int:
    """Promote, and say where to."""
    from evalharness.errors import InputError
    from evalharness.promote import promote
    from evalharness.record import load_run
    from evalharness.report.card import Override
    from evalharness.verbs.answers import print_json

    if bool(options.override) != bool(options.by):
        raise InputError("--override and --by belong together: the reason, and who takes responsibility.")
    override = Override(by=options.by, reason=options.override) if options.by else None
    folder = promote(load_run(options.run), options.to, options.subject, override, options.strength)
    if options.json:
        print_json({"folder": folder, "card": folder / "card.md"})
    else:
        sys.stdout.write(f"promoted   {folder}\ncard       {folder / 'card.md'}\n")
    return 0
