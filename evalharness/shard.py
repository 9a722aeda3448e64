"""One shard of a run: its images and what is seen in them, in a folder of its own; nothing is judged."""

from dataclasses import dataclass, replace
from pathlib import Path

from evalharness.config import RunConfig
from evalharness.gate import check_criteria
from evalharness.measure import make_and_look
from evalharness.plan.shards import Shard, parts
from evalharness.prepare import open_tools, plan_run, suite_of
from evalharness.record import record
from evalharness.scorers.base import info
from evalharness.store import Store
from evalharness.types import Failure, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedShard:
    """What a shard has: `images` of its `planned` cells, and `failed` ones."""

    folder: Path
    planned: int
    images: int
    failed: int


def run_shard(config: RunConfig, shard: Shard, progress: Progress) -> FinishedShard:
    """Make and look at the shard's images, or what is left of them, in its folder inside the run's.

    Scores are left to the merge: some compare an image with its neighbours, which other shards make. A LoRA is proven
    to change pixels where the shard has the baseline's images; for all others the merge proves it.
    """
    suite = suite_of(config)
    tools = open_tools(config, suite)
    plan = plan_run(config, suite, tools.maker)
    check_criteria(plan.cells, suite.criteria, {scorer.name: info(scorer) for scorer in tools.scorers})
    cells = parts(plan, suite, shard.of, tools.maker.batch_size)[shard.number - 1]
    folder = config.folder / shard.folder
    with Store(folder) as store:
        tools.ready(cells, store)
        for subject in plan.subjects_of(store.missing(cells)):
            tools.maker.prove(subject)
        whole = record(config, suite, plan, tools, len(plan.cells))
        store.write_json("run.json", replace(whole, shard=shard))
        make_and_look(plan, cells, tools, store, progress)
        failed = sum(isinstance(image, Failure) for image in store.images(cells).values())
    return FinishedShard(folder=folder, planned=len(cells), images=len(cells) - failed, failed=failed)
