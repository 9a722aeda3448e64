"""`evalharness run`: the whole job, or what is left of it."""

import argparse

from evalharness.verbs.arguments import add_json, add_overrides

HELP = "generate, score, compare, gate and report; the same command resumes"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("--dry-run", action="store_true", help="print the plan: what would be made, what is there")
    add_json(verb)
    add_overrides(verb)


def do(options: argparse.Namespace) -> int:
    """Run, or forecast."""
    from evalharness import console
    from evalharness.config import compose
    from evalharness.forecast import forecast
    from evalharness.verbs.answers import print_json
    from evalharness.verbs.whole_run import whole_run

    config = compose(options.overrides, options.config_dir)
    if options.dry_run:
        found = forecast(config)
        if options.json:
            print_json(found)
        else:
            console.print_forecast(found)
        return 0
    return whole_run(config, as_json=options.json)
