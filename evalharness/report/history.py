"""What was promoted over time, as curves for the page of several runs: a chart a metric, a plot a suite."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from evalharness.report import numbers
from evalharness.report.cell_rows import Row
from evalharness.report.verdict_rows import Texts
from evalharness.types import Estimate, MetricInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A promotion as a point: `row` is the id of its line in the page's table, `suite` a name and a digest."""

    date: str
    name: str
    row: str
    suite: tuple[str, str]
    metric: MetricInfo
    mean: Estimate


def seconds_of(date: str) -> float | None:
    """An ISO date as seconds since 1970, UTC where it names no zone; None for what is no date."""
    try:
        found = datetime.fromisoformat(date)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def history_charts(moments: Sequence[Moment]) -> list[Row]:
    """JSON-able charts in the order of metrics; a suite with one dated promotion has no curve, and so no plot."""
    metrics = dict.fromkeys(moment.metric.name for moment in moments)
    charts = [_chart(name, [one for one in moments if one.metric.name == name]) for name in metrics]
    return [chart for chart in charts if chart["columns"]]


def metric_rows(moments: Sequence[Moment], texts: Texts) -> Row:
    """The rest of what the page's script needs: how metrics are shown, and the texts."""
    infos = {moment.metric.name: moment.metric for moment in moments}
    metrics = [{"name": i.name, "unit": i.unit, "higherIsBetter": i.higher_is_better} for i in infos.values()]
    return {"metrics": metrics, "texts": dict(texts)}


def _chart(metric: str, moments: Sequence[Moment]) -> Row:
    suites = dict.fromkeys(moment.suite for moment in moments)
    columns = []
    for suite in suites:
        own = sorted((one for one in moments if one.suite == suite), key=lambda one: seconds_of(one.date) or 0.0)
        points = [point for one in own if (point := _point(one)) is not None]
        if len(points) > 1:
            columns.append({"heading": _heading(suite, list(suites)), "points": points})
    return {"metric": metric, "time": True, "baseline": None, "columns": columns}


def _point(one: Moment) -> Row | None:
    """`x` in seconds since 1970; None where the date or the mean is not known."""
    x, mean = seconds_of(one.date), one.mean
    if x is None or mean.mean is None:
        return None
    low, high = (mean.mean if bound is None else bound for bound in (mean.low, mean.high))
    words = {"scored": mean.scored, "mark": None, "name": f"{one.date[:10]}, {one.name}", "row": one.row}
    return {"x": x, "mean": mean.mean, "low": low, "high": high, **words}


def _heading(suite: tuple[str, str], suites: Sequence[tuple[str, str]]) -> str:
    """A suite's name; where it changed between promotions, with the beginning of its digest."""
    name, digest = suite
    changed = sum(other == name for other, _ in suites) > 1
    return f"{name} ({digest[:7] or numbers.NOTHING})" if changed else name
