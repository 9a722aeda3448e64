"""Curves for the page's charts: what was measured over epochs, and over strengths, with intervals and the baseline.

A chart is one metric; its columns are small multiples on one scale: strengths over epochs, subjects over strengths.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from evalharness.report.cell_rows import Row
from evalharness.report.verdict_rows import Texts
from evalharness.types import BASELINE, Candidate, Estimate, FinishedRun, Subject

OBJECTIVE, CHANCE = "objective", "p_best"
"""Charts beside those of the metrics: keys of the texts, as no metric of ours is called."""
Arm = tuple[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One subject at one strength; `mark` is leads, tied or ''. `low` and `high` are its interval, None = unknown."""

    x: float
    subject: str
    strength: float
    mean: float | None
    low: float | None
    high: float | None
    scored: int | None
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnOfPoints:
    """One small multiple; `heading` says which, '' where it is the only one."""

    heading: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One metric's small multiples; `baseline` is its mean without a LoRA, None where there is none."""

    metric: str
    baseline: float | None
    columns: tuple[ColumnOfPoints, ...]


def curves(given: FinishedRun, texts: Texts) -> list[Row]:
    """Two groups at most, over epochs and over strengths, each where there are two or more; JSON-able."""
    groups = {"epoch": _over_epochs(given, texts), "strength": _over_strengths(given)}
    shown = {axis: [chart for chart in _charts(given, lines) if _drawn(chart)] for axis, lines in groups.items()}
    return [{"axis": axis, "charts": [asdict(chart) for chart in charts]} for axis, charts in shown.items() if charts]


Line = tuple[str, Sequence[tuple[float, Arm]]]
"""A small multiple before its numbers: its heading, and what stands at each x."""


def _over_epochs(given: FinishedRun, texts: Texts) -> list[Line]:
    families: dict[Arm, list[tuple[float, Arm]]] = {}
    dated = [subject for subject in given.subjects if subject.epoch is not None]
    stems = _stems(dated)
    for name, strength in _arms(given):
        subject = next((one for one in dated if one.name == name), None)
        if subject is not None and subject.epoch is not None:
            families.setdefault((stems[name], strength), []).append((subject.epoch, (name, strength)))
    lines = {key: sorted(line) for key, line in families.items() if len({x for x, _ in line}) == len(line) > 1}
    several = len({strength for _, strength in lines}) > 1, len({stem for stem, _ in lines}) > 1
    return [(_heading(key, several, texts), line) for key, line in sorted(lines.items())]


def _stems(subjects: Sequence[Subject]) -> Mapping[str, str]:
    """Which trainings there are: one where every epoch is there once, else names without their last number."""
    alone = len({subject.epoch for subject in subjects}) == len(subjects)
    return {one.name: "" if alone else re.sub(r"[-_. ]*\d+$", "", one.name) for one in subjects}


def _heading(key: Arm, several: tuple[bool, bool], texts: Texts) -> str:
    strengths, trainings = several
    words = [key[0]] * trainings + [texts["at_strength"].format(strength=f"{key[1]:g}").strip()] * strengths
    return ", ".join(words)


def _over_strengths(given: FinishedRun) -> list[Line]:
    """The leader's strengths and those of LoRAs without epochs; the baseline is strength 0 of each."""
    found: dict[str, list[tuple[float, Arm]]] = {}
    undated = {subject.name for subject in given.subjects if subject.epoch is None}
    for name, strength in _arms(given):
        if name != BASELINE and (name in undated or name == given.judgement.selection.leader):
            found.setdefault(name, []).append((strength, (name, strength)))
    base = [(0.0, arm) for arm in _arms(given) if arm[0] == BASELINE]
    return [(name, sorted([*base, *line])) for name, line in found.items() if len(line) > 1]


def _arms(given: FinishedRun) -> list[Arm]:
    return list(dict.fromkeys((one.subject, one.strength) for one in given.judgement.summaries))


def _charts(given: FinishedRun, lines: Sequence[Line]) -> Iterable[Chart]:
    judgement = given.judgement
    marks = {(c.subject, c.strength): _mark(c, given) for c in judgement.selection.candidates}
    candidates = {(c.subject, c.strength): c for c in judgement.selection.candidates}
    chances = {arm: _certain(one.probability_best) for arm, one in candidates.items()}
    yield _chart(CHANCE, lines, chances, marks)
    yield _chart(OBJECTIVE, lines, {arm: one.objective for arm, one in candidates.items()}, marks)
    for metric in given.metrics:
        yield _chart(
            metric,
            lines,
            {(s.subject, s.strength): s.estimate for s in judgement.summaries if s.metric == metric},
            marks,
        )


def _mark(candidate: Candidate, given: FinishedRun) -> str:
    return "leads" if given.judgement.selection.leads(candidate) else "tied" if candidate.tied else ""


def _certain(value: float) -> Estimate:
    """A number without an interval of its own."""
    return Estimate(mean=value, low=None, high=None, level=0.95, scored=0, unscored=0, prompts=0)


def _chart(metric: str, lines: Sequence[Line], values: Mapping[Arm, Estimate], marks: Mapping[Arm, str]) -> Chart:
    columns = [
        ColumnOfPoints(heading=heading if len(lines) > 1 else "", points=tuple(_points(line, values, marks)))
        for heading, line in lines
    ]
    baseline = next((one.mean for (subject, _), one in values.items() if subject == BASELINE), None)
    return Chart(metric=metric, baseline=baseline, columns=tuple(columns))


def _points(
    line: Sequence[tuple[float, Arm]], values: Mapping[Arm, Estimate], marks: Mapping[Arm, str]
) -> Iterable[Point]:
    for x, arm in line:
        if (estimate := values.get(arm)) is not None:
            yield Point(
                x=x,
                subject=arm[0],
                strength=arm[1],
                mean=_short(estimate.mean),
                low=_short(estimate.low),
                high=_short(estimate.high),
                scored=estimate.scored or None,
                mark=marks.get(arm, ""),
            )


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _drawn(chart: Chart) -> bool:
    """Whether any of it is a curve."""
    return any(sum(point.mean is not None for point in column.points) > 1 for column in chart.columns)
