"""The run: suite + subjects -> plan -> images -> observations -> scores -> verdict; resumable at any moment."""

from collections.abc import Sequence

from evalharness.config import RunConfig
from evalharness.gate import check_criteria, judge
from evalharness.measure import measure
from evalharness.observe import observe_references
from evalharness.paths import resolve
from evalharness.plan import more, opening
from evalharness.prepare import Tools, open_tools, plan_run, suite_of
from evalharness.record import finished, record
from evalharness.scorers.base import info
from evalharness.store import Store
from evalharness.types import FinishedRun, Progress, Subject


def run(
    config: RunConfig, progress: Progress, subjects: Sequence[Subject] | None = None, tools: Tools | None = None
) -> FinishedRun:
    """Do the whole job, or what is left of it, in the run folder; every step is stored before the next begins.

    `subjects` take the place of the config's: a growing run knows its own, also those whose files are gone. `tools` are
    opened where none are given.
    """
    suite = suite_of(config)
    tools = tools or open_tools(config, suite)
    plan = plan_run(config, suite, tools.maker, subjects)
    metrics = {scorer.name: info(scorer) for scorer in tools.scorers}
    check_criteria(plan.cells, suite.criteria, metrics)
    with Store(config.folder) as store:
        plan = plan.reachable(store.tried(plan.cells))
        cells = new = opening(plan, suite)
        tools.ready(cells, store)
        references = resolve(suite.references) if suite.references else None
        reference = observe_references(references, tools.perceiver, store)
        while new:
            for subject in plan.subjects_of(store.missing(plan.makeable(new))):
                tools.maker.prove(subject)
            store.write_json("run.json", record(config, suite, plan.only(cells), tools, len(plan.cells)))
            scores = measure(plan, cells, tools, reference, store, progress)
            judgement = judge(cells, scores, suite.criteria, plan.subjects, metrics)
            store.write_json("verdict.json", judgement)
            new = more(plan, suite, cells, judgement.selection)
            cells = plan.only((*cells, *new)).cells
        return finished(config.folder, store)
