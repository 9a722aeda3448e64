"""One shard of a run: what it made, and how to go on."""

import sys

from evalharness.bars import bars
from evalharness.config import RunConfig
from evalharness.interrupt import patient
from evalharness.plan.shards import Shard
from evalharness.shard import run_shard
from evalharness.verbs.answers import print_json


def one_shard(config: RunConfig, shard: Shard, *, as_json: bool) -> int:
    """Make the shard; 0, since a part is not judged."""
    with bars() as phases, patient(phases) as progress:
        done = run_shard(config, shard, progress)
    if as_json:
        print_json(done)
        return 0
    failed = f", {done.failed} failed" if done.failed else ""
    sys.stdout.write(
        f"{shard}: {done.images} of {done.planned} images are made{failed}, in {done.folder}\n"
        "A part is not judged; when all shards are made: evalharness merge "
        f"{config.folder}\nexit code  0: this shard is done\n"
    )
    return 0
