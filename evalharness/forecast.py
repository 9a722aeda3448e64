"""What a run would make and what is there already: `evalharness run --dry-run`."""

from dataclasses import dataclass
from pathlib import Path

from evalharness.config import RunConfig
from evalharness.plan import opening
from evalharness.plan.shards import Shard, parts
from evalharness.prepare import open_tools, plan_run, suite_of
from evalharness.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow:
    """How many images a subject has in the plan, and how many of them are missing."""

    subject: str
    images: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What `evalharness run --dry-run` shows; `at_first` images are made before a budget looks for the first time."""

    suite: str
    folder: Path
    prompts: int
    at_first: int
    rows: tuple[ForecastRow, ...]


def forecast(config: RunConfig, shard: Shard | None = None) -> Forecast:
    """What a run, or a shard of it, would make and what is there already, without making or loading anything."""
    suite = suite_of(config)
    maker = open_tools(config, suite).maker
    plan, folder = plan_run(config, suite, maker), config.folder
    if shard is not None:
        plan, folder = (
            plan.only(parts(plan, suite, shard.of, maker.batch_size)[shard.number - 1]),
            folder / shard.folder,
        )
    todo: set[str] = {cell.key for cell in plan.cells}
    if folder.is_dir():
        with Store(folder) as store:
            todo = {cell.key for cell in store.missing(plan.cells)}
    rows = [
        ForecastRow(
            subject=subject.name,
            images=sum(cell.subject == subject.name for cell in plan.cells),
            missing=sum(cell.subject == subject.name and cell.key in todo for cell in plan.cells),
        )
        for subject in (plan.subjects if shard is None else plan.subjects_of(plan.cells))
    ]
    return Forecast(
        suite=suite.name,
        folder=folder,
        prompts=len(suite.prompts),
        at_first=len(opening(plan, suite)),
        rows=tuple(rows),
    )
