"""The run: suite + subjects -> plan -> images -> observations -> scores -> verdict; resumable at any moment."""

from evalharness.config import RunConfig
from evalharness.gate import judge
from evalharness.generate import generate
from evalharness.observe import observe, observe_references
from evalharness.paths import resolve
from evalharness.prepare import open_tools, plan_run
from evalharness.record import finished, record
from evalharness.scorers.base import info, score_images
from evalharness.store import Store
from evalharness.suite import read_suite
from evalharness.types import FinishedRun, Progress


def run(config: RunConfig, progress: Progress) -> FinishedRun:
    """Do the whole job, or what is left of it, in the run folder; every step is stored before the next begins."""
    suite = read_suite(config.suite)
    tools = open_tools(config, suite)
    plan = plan_run(config, suite, tools.maker)
    with Store(config.folder) as store:
        todo = store.missing(plan.cells)
        for subject in plan.subjects_of(todo):
            tools.maker.prove(subject)
        store.write_json("run.json", record(config, suite, plan, tools))
        with progress("images", len(todo)) as advance:
            generate(plan.batches(todo, tools.maker.batch_size), plan.baseline, tools.maker, store, advance)
        with progress("observations", len(plan.cells)) as advance:
            references = resolve(suite.references) if suite.references else None
            reference = observe_references(references, tools.perceiver, store)
            observations = observe(plan.cells, tools.perceiver, store, advance)
        scores = score_images(tools.scorers, plan.cells, observations, store.images(plan.cells), reference)
        store.save_scores(scores)
        metrics = {scorer.name: info(scorer) for scorer in tools.scorers}
        judgement = judge(plan.cells, scores, suite.gates, plan.subjects, suite.objective, metrics)
        store.write_json("verdict.json", judgement)
        return finished(config.folder, store)
