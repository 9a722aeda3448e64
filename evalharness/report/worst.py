"""The images of a subject that speak most against it."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalharness.report import numbers
from evalharness.types import Cell, Check, FinishedRun, MetricInfo, Outcome, Score

MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstImage:
    """An image by its path in the run folder, and what is wrong with it: the words that stand for it unseen."""

    image: str
    key: str
    metric: str
    value: float
    words: str


def worst_images(run: FinishedRun, subject: str, most: int = MOST) -> tuple[WorstImage, ...]:
    """At most `most` of a subject's images, the worst first; none that no other of its images is better than.

    What counts are the metrics of its failed checks, else of its open ones, else of all. An image is as bad as the
    share of the subject's images that are better, as a mean over those metrics; that needs no common unit.
    """
    names = _metrics(run, subject)
    cells = [cell for cell in run.cells if cell.subject == subject and isinstance(run.images.get(cell.key), str)]
    found = {cell.key: {one.metric: one for one in run.scores.get(cell.key, ())} for cell in cells}
    better = {name: _better(run.metrics[name], [found[cell.key].get(name) for cell in cells]) for name in names}
    badness = [[better[name][row] for name in names] for row in range(len(cells))]
    ranked = sorted(range(len(cells)), key=lambda row: -sum(badness[row]))
    return tuple(
        _image(run, cells[row], found[cells[row].key], names[badness[row].index(max(badness[row]))])
        for row in ranked[:most]
        if sum(badness[row]) > 0.0
    )


def _metrics(run: FinishedRun, subject: str) -> Sequence[str]:
    """The metrics that decide about this subject; without rules, all."""
    checks = next((verdict.checks for verdict in run.judgement.verdicts if verdict.subject == subject), ())
    for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS):
        if names := list(dict.fromkeys(_names(checks, outcome))):
            return names
    return list(run.metrics)


def _names(checks: Sequence[Check], outcome: Outcome) -> Sequence[str]:
    return [check.rule.metric for check in checks if check.outcome is outcome]


def _better(info: MetricInfo, scores: Sequence[Score | None]) -> Sequence[float]:
    """For each image the share of the others that are better; 0 for one that could not be judged."""
    sign = 1.0 if info.higher_is_better else -1.0
    values = [None if score is None or score.value is None else sign * score.value for score in scores]
    known = sorted(value for value in values if value is not None)
    return [0.0 if own is None else 1.0 - bisect_right(known, own) / len(known) for own in values]


def _image(run: FinishedRun, cell: Cell, scores: Mapping[str, Score], metric: str) -> WorstImage:
    score, image = scores[metric], run.images[cell.key]
    assert isinstance(image, str) and score.value is not None, "only such images were ranked"
    value = numbers.number(score.value, run.metrics[metric].unit)
    return WorstImage(
        image=image,
        key=cell.key,
        metric=metric,
        value=score.value,
        words=f"{cell.subject}, strength {cell.strength:g}, prompt {cell.prompt.id}, seed {cell.seed}: {metric} {value}"
        + (f" ({score.reason})" if score.reason else ""),
    )
