"""run.json: what a run was asked for, of whom, with what, on which machine; and the finished run, read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalharness.backends.weights import file_digest_once
from evalharness.config import RunConfig
from evalharness.environment import environment
from evalharness.errors import StoreError
from evalharness.paths import resolve
from evalharness.plan import Plan
from evalharness.plan.shards import Shard
from evalharness.prepare import Tools
from evalharness.reference_images import recall
from evalharness.scorers.base import info
from evalharness.store import FORMAT, Store, clip_path
from evalharness.suite import Suite
from evalharness.training import Base, doubts, old_hash, stacks, trainings
from evalharness.types import FinishedRun, Judgement, MetricInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """run.json: what was asked for, of whom, with what, on which machine; enough to judge the run again.

    `shard` says which part of the plan the folder holds; None = all of it. `base` is the model that is loaded, where
    one is.
    """

    format: int
    config: RunConfig
    suite: Suite
    suite_digest: str
    plan: Plan
    metrics: Mapping[str, MetricInfo]
    maker: Mapping[str, Any]
    perceiver: Mapping[str, Any]
    batch_size: int
    environment: Mapping[str, Any]
    planned: int | None = None
    shard: Shard | None = None
    base: Base | None = None

    def facts(self) -> dict[str, object]:
        """The record as a report shows it: facts in groups."""
        return {
            "suite": {"name": self.suite.name, "version": self.suite.version, "digest": self.suite_digest},
            **self._base(),
            **self._budget(),
            **self._loras(),
            "maker": {**self.maker, "batch size": self.batch_size},
            "perception": dict(self.perceiver),
            "environment": dict(self.environment),
        }

    def _base(self) -> dict[str, object]:
        model = self.config.backend.model
        return {} if model is None or self.config.images is not None else {"base": {"model": model}}

    def _loras(self) -> dict[str, object]:
        """What the LoRA files say of their training, what is stacked, and what may be wrong with the base."""
        subjects = self.plan.subjects
        groups = {"warnings": doubts(subjects, self.base), "stacks": stacks(subjects), "training": trainings(subjects)}
        return {name: group for name, group in groups.items() if group}

    def _budget(self) -> dict[str, object]:
        if self.suite.budget is None:
            return {}
        return {"budget": {"images": len(self.plan.cells), "of": self.planned, "start": self.suite.budget.start}}


def record(config: RunConfig, suite: Suite, plan: Plan, tools: Tools, planned: int) -> RunRecord:
    """What is known of a run before the images of its plan; `planned` counts the cells that it may grow to."""
    return RunRecord(
        format=FORMAT,
        config=config,
        suite=suite,
        suite_digest=suite.digest,
        plan=plan,
        metrics={scorer.name: info(scorer) for scorer in tools.scorers},
        maker=tools.maker.fingerprint(),
        perceiver=tools.perceiver.fingerprint(),
        batch_size=tools.maker.batch_size,
        planned=planned,
        environment=environment(),
        base=_base(config.backend.model),
    )


def _base(model: str | None) -> Base | None:
    """The model that a run is told to load; a folder, a hub's name and what is no file here have a name alone."""
    if not model:
        return None
    path = resolve(model)
    if not path.is_file():
        return Base(name=model)
    return Base(name=path.name, sha256=file_digest_once(path), old_hash=old_hash(path))


def load_run(folder: Path) -> FinishedRun:
    """A run as it was stored; raises StoreError for a folder that holds none."""
    if not (folder / "run.json").is_file():
        raise StoreError(f"'{folder}' holds no run.json; give the folder of a run, such as runs/demo.")
    with Store(folder) as store:
        return finished(folder, store)


def finished(folder: Path, store: Store) -> FinishedRun:
    """What tables and reports need of a stored run; raises StoreError for a shard, which has no verdict."""
    known = store.read_json("run.json", RunRecord)
    if known.shard is not None:
        raise StoreError(f"'{folder}' is {known.shard} of a run; `evalharness merge` makes the whole, which is judged.")
    return FinishedRun(
        title=known.suite.name,
        run=folder.resolve().name,
        record=known.facts(),
        suite=known.suite.name,
        subjects=known.plan.subjects,
        cells=known.plan.cells,
        images=store.images(known.plan.cells),
        scores=store.scores(cell.key for cell in known.plan.cells),
        metrics=known.metrics,
        judgement=store.read_json("verdict.json", Judgement),
        description=known.suite.description,
        objective=known.suite.objective,
        planned=known.planned if known.suite.budget else None,
        language=known.config.report.language,
        references=recall(store),
        clips={key: clip_path(one.sha256) for key, one in store.clips(known.plan.cells).items()},
    )
