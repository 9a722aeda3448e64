"""The published kinds of failure, A to D, counted: which there are, in whose images, and examples of each."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from evalharness.report.verdict_rows import Texts
from evalharness.scorers.failures import FAILURES
from evalharness.types import BASELINE, Cell, FinishedRun, Score

METRICS = ("stars", "harmony")
"""Whose labels are failure types; the first that the run has is counted."""
EXAMPLES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureType:
    """One type, over all subjects but the baseline; `examples` are places in the run's cells, the worst first."""

    letter: str
    name: str
    meaning: str
    count: int
    share: str
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailuresOf:
    """One subject's images by type, in the order of the types; `judged` are all that could be."""

    subject: str
    judged: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureTable:
    """The types, and each subject's counts; `metric` says whose labels they are."""

    metric: str
    types: tuple[FailureType, ...]
    subjects: tuple[FailuresOf, ...]


def failure_table(given: FinishedRun, texts: Texts) -> FailureTable | None:
    """The failure types of a run's images; None where no image below three stars was found, or none was judged."""
    metric = next((name for name in METRICS if name in given.metrics), None)
    if metric is None:
        return None
    judged = [(place, cell, _score(given, cell, metric)) for place, cell in enumerate(given.cells)]
    known = [(place, cell, score) for place, cell, score in judged if score is not None and score.value is not None]
    if not any(score.label in FAILURES for _, _, score in known):
        return None
    ours = [one for one in known if one[1].subject != BASELINE] or known
    types = [
        FailureType(
            letter=letter,
            name=texts[f"failure_name_{letter}"],
            meaning=texts[f"failure_{letter}"],
            count=sum(score.label == letter for _, _, score in ours),
            share=f"{100 * sum(score.label == letter for _, _, score in ours) / len(ours):.0f} %",
            examples=_examples(letter, ours),
        )
        for letter in FAILURES
    ]
    return FailureTable(metric=metric, types=tuple(types), subjects=tuple(_subjects(known, given)))


def _score(given: FinishedRun, cell: Cell, metric: str) -> Score | None:
    return next((score for score in given.scores.get(cell.key, ()) if score.metric == metric), None)


def _examples(letter: str, known: list[tuple[int, Cell, Score]]) -> tuple[int, ...]:
    """The worst ones, of as many prompts as there are: no prompt comes twice before all had their turn."""
    own = sorted((one for one in known if one[2].label == letter), key=lambda one: (one[2].value, one[0]))
    seen: Counter[str] = Counter()
    turns: list[tuple[int, int, int]] = []
    for place, cell, _ in own:
        turns.append((seen[cell.prompt.id], len(turns), place))
        seen[cell.prompt.id] += 1
    return tuple(place for _, _, place in sorted(turns)[:EXAMPLES])


def _subjects(known: list[tuple[int, Cell, Score]], given: FinishedRun) -> list[FailuresOf]:
    labels: dict[str, list[str]] = {}
    for _, cell, score in known:
        labels.setdefault(cell.subject, []).append(score.label)
    order: Mapping[str, int] = {subject.name: place for place, subject in enumerate(given.subjects)}
    return [
        FailuresOf(subject=name, judged=len(found), counts=tuple(found.count(letter) for letter in FAILURES))
        for name, found in sorted(labels.items(), key=lambda one: order.get(one[0], len(order)))
    ]
