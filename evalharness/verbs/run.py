"""`evalharness run`: the whole job, or what is left of it, or one shard of it."""

import argparse

from evalharness.verbs.arguments import add_json, add_overrides

HELP = "generate, score, compare, gate and report; the same command resumes"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("--dry-run", action="store_true", help="print the plan: what would be made, what is there")
    add_json(verb)
    verb.add_argument(
        "--shard", metavar="I/N", help="make only part I of N, in its own folder; `evalharness merge` makes the whole"
    )
    add_overrides(verb)


def do(options: argparse.Namespace) -> int:
    """Run, or forecast."""
    from evalharness import console
    from evalharness.config import compose
    from evalharness.forecast import forecast
    from evalharness.plan.shards import read_shard
    from evalharness.verbs.answers import print_json
    from evalharness.verbs.one_shard import one_shard
    from evalharness.verbs.whole_run import whole_run

    shard = read_shard(options.shard) if options.shard is not None else None
    config = compose(options.overrides, options.config_dir)
    if options.dry_run:
        found = forecast(config, shard)
        if options.json:
            print_json(found)
        else:
            console.print_forecast(found)
        return 0
    return whole_run(config, as_json=options.json) if shard is None else one_shard(config, shard, as_json=options.json)
