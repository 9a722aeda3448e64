"""The images of a subject that speak most against it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalharness.report import numbers
from evalharness.types import Cell, Check, FinishedRun, Outcome, Score

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
    """At most `most` of a subject's images, the worst first; none to which no image of the run is superior.

    What counts are the metrics of its failed checks, else of its open ones, else of all. An image is as bad as the
    share of the run's images, the baseline's among them, that are better, as a mean over those metrics; that needs no
    common unit. Of equally bad ones, those of different prompts come first.
    """
    names = _metrics(run, subject)
    cells = [cell for cell in run.cells if cell.subject == subject and isinstance(run.images.get(cell.key), str)]
    values = {name: _values(run, name) for name in names}
    badness = {cell.key: [_share_better(run, cell, name, values[name]) for name in names] for cell in cells}
    order = _places_in_prompt(cells)
    ranked = sorted(cells, key=lambda cell: (-sum(badness[cell.key]), order[cell.key]))
    return tuple(
        _image(run, cell, names[badness[cell.key].index(max(badness[cell.key]))])
        for cell in ranked[:most]
        if sum(badness[cell.key]) > 0.0
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


def _score(run: FinishedRun, cell: Cell, metric: str) -> Score | None:
    return next((score for score in run.scores.get(cell.key, ()) if score.metric == metric), None)


def _values(run: FinishedRun, metric: str) -> Sequence[float]:
    """The metric's values of all images, the worst first, with a sign that makes more better."""
    sign = 1.0 if run.metrics[metric].higher_is_better else -1.0
    found = (_score(run, cell, metric) for cell in run.cells)
    return sorted(sign * score.value for score in found if score is not None and score.value is not None)


def _share_better(run: FinishedRun, cell: Cell, metric: str, values: Sequence[float]) -> float:
    """The share of these values that are better than the image's; 0 for one that could not be judged."""
    score = _score(run, cell, metric)
    if score is None or score.value is None:
        return 0.0
    sign = 1.0 if run.metrics[metric].higher_is_better else -1.0
    return 1.0 - bisect_right(values, sign * score.value) / len(values)


def _places_in_prompt(cells: Sequence[Cell]) -> Mapping[str, int]:
    """By cell key: how many images of its prompt come before it."""
    seen: Counter[str] = Counter()
    places = {}
    for cell in cells:
        places[cell.key] = seen[cell.prompt.id]
        seen[cell.prompt.id] += 1
    return places


def _image(run: FinishedRun, cell: Cell, metric: str) -> WorstImage:
    score, image = _score(run, cell, metric), run.images[cell.key]
    assert isinstance(image, str) and score is not None and score.value is not None, "only such images were ranked"
    value = numbers.number(score.value, run.metrics[metric].unit)
    return WorstImage(
        image=image,
        key=cell.key,
        metric=metric,
        value=score.value,
        words=f"{cell.subject}, strength {cell.strength:g}, prompt {cell.prompt.id}, seed {cell.seed}: {metric} {value}"
        + (f" ({score.reason})" if score.reason else ""),
    )
