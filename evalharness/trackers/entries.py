"""A finished run as the entries of its subjects."""

from collections.abc import Iterator
from pathlib import Path

from evalharness.trackers.base import Entry
from evalharness.types import BASELINE, Cell, FinishedRun, Subject

IMAGES = 8
"""As many images of a subject go to a tracker: one a prompt, of the first seed."""


def entries(run: FinishedRun, folder: Path, report: Path) -> Iterator[Entry]:
    """One entry for each subject but the baseline, in the run's order."""
    verdicts = {verdict.subject: verdict for verdict in run.judgement.verdicts}
    judged = (subject for subject in run.subjects if subject.name != BASELINE)
    for order, subject in enumerate(judged, start=1):
        verdict = verdicts.get(subject.name)
        yield Entry(
            subject=subject.name,
            identity=subject.identity,
            epoch=subject.epoch,
            step=subject.step,
            order=order,
            metrics=_metrics(run, subject),
            verdict=verdict.decision.value if verdict else "",
            reason=verdict.reason if verdict else "",
            best=run.judgement.selection.reason,
            report=report.resolve(),
            images=_images(run, folder, subject),
        )


def _metrics(run: FinishedRun, subject: Subject) -> dict[str, float]:
    """Means and chances that are known; what could not be judged is left out, never 0."""
    means = {
        f"{one.metric}/strength_{one.strength:g}": one.estimate.mean
        for one in run.judgement.summaries
        if one.subject == subject.name
    }
    own = [one for one in run.judgement.selection.candidates if one.subject == subject.name]
    chances = {f"probability_best/strength_{one.strength:g}": one.probability_best for one in own}
    objectives = {f"objective/strength_{one.strength:g}": one.objective.mean for one in own}
    return {name: value for name, value in (means | objectives | chances).items() if value is not None}


def _images(run: FinishedRun, folder: Path, subject: Subject) -> dict[str, Path]:
    chosen: dict[str, Cell] = {}
    strength = _shown_strength(run, subject)
    for cell in run.cells:
        if (cell.subject, cell.strength) == (subject.name, strength):
            chosen.setdefault(cell.prompt.id, cell)
    files = {prompt: run.images.get(cell.key) for prompt, cell in chosen.items()}
    made = {prompt: (folder / path).resolve() for prompt, path in files.items() if isinstance(path, str)}
    return dict(list(made.items())[:IMAGES])


def _shown_strength(run: FinishedRun, subject: Subject) -> float:
    """The strength that all subjects are shown at, so that images of epochs can be compared: the one nearest to 1."""
    own = {cell.strength for cell in run.cells if cell.subject == subject.name}
    return min(own, key=lambda strength: (abs(strength - 1.0), strength), default=1.0)
