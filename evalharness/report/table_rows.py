"""The table of subjects: one row per subject and strength, the baseline first, one column per metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evalharness.report import numbers
from evalharness.report.verdict_rows import Stamp, Texts, metric_name, stamp
from evalharness.types import BASELINE, Cell, Estimate, Failure, Judgement, MetricInfo, Subject, Verdict

RowKey = tuple[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisker:
    """A mean and its interval on the metric's scale, in percent of the drawing's width; None = not known."""

    low: float
    mean: float
    high: float
    baseline: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCell:
    """One metric of one row; `tone` (better, worse, unclear) compares with the baseline, by the delta's interval.

    `text` is the mean and `range` its interval, as `delta` and `delta_range` are of the change; `counts` is '' where
    every image of the row could be judged.
    """

    text: str
    range: str
    sort: float | None
    delta: str
    delta_range: str
    tone: str
    counts: str
    whisker: Whisker | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A metric's column under the page's name for it; `note` says its unit and that low is good, where that is so."""

    name: str
    label: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One subject at one strength."""

    subject: str
    epoch: int | None
    strength: float
    is_baseline: bool
    leads: bool
    tied: bool
    images: str
    cells: tuple[MetricCell, ...]
    probability: float | None
    probability_text: str
    stamp: Stamp | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableInput:
    """What the table is made of: the parts of the report's input that it needs."""

    subjects: tuple[Subject, ...]
    cells: tuple[Cell, ...]
    images: Mapping[str, str | Failure]
    metrics: Mapping[str, MetricInfo]
    judgement: Judgement


def columns_of(metrics: Mapping[str, MetricInfo], texts: Texts) -> tuple[Column, ...]:
    """The columns of the metrics, in their order."""
    columns = []
    for info in metrics.values():
        notes = [numbers.sign_of(info.unit).strip()] if info.unit else []
        notes += [] if info.higher_is_better else [texts["lower_is_better"]]
        columns.append(Column(name=info.name, label=metric_name(info.name, texts), note=", ".join(notes)))
    return tuple(columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """What is the same in every row and needs no column: the columns' names, and their values as a sentence."""

    columns: frozenset[str]
    sentence: str


def same_in_all(rows: Sequence[TableRow], texts: Texts) -> Same:
    """Which of epoch, strength and images are the same for all LoRAs, or said of none of them."""
    ours = [row for row in rows if not row.is_baseline] or list(rows)
    seen: Mapping[str, frozenset[object]] = {
        "epoch": frozenset(row.epoch for row in ours),
        "strength": frozenset(row.strength for row in ours),
        "images": frozenset(row.images for row in rows),
    }
    same = {name: next(iter(values)) for name, values in seen.items() if len(values) == 1}
    words = [
        f"{texts[name].lower()} {numbers.plain(value) if isinstance(value, float) else value}"
        for name, value in same.items()
        if value is not None
    ]
    sentence = texts["table_same"].format(facts=", ".join(words)) if words else ""
    return Same(columns=frozenset(same), sentence=sentence)


def table_rows(given: TableInput, texts: Texts) -> tuple[TableRow, ...]:
    """All rows, the baseline's first, the others in the order of subjects and then of strengths."""
    rank = {subject.name: index for index, subject in enumerate(given.subjects)}
    keys = {(cell.subject, cell.strength) for cell in given.cells}
    keys |= {(summary.subject, summary.strength) for summary in given.judgement.summaries}
    ordered = sorted(keys, key=lambda key: (key[0] != BASELINE, rank.get(key[0], len(rank)), key))
    columns = _Columns.of(given)
    return tuple(_row(key, given, columns, texts) for key in ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """The judgement's numbers by row and metric, with the top of each metric's scale."""

    summaries: Mapping[tuple[str, float, str], Estimate]
    deltas: Mapping[tuple[str, float, str], Estimate]
    tops: Mapping[str, float]

    @classmethod
    def of(cls, given: TableInput) -> "_Columns":
        summaries = {(s.subject, s.strength, s.metric): s.estimate for s in given.judgement.summaries}
        deltas = {
            (d.subject, d.strength, d.metric): d.estimate for d in given.judgement.deltas if d.against == BASELINE
        }
        tops = {name: _top(name, info, summaries) for name, info in given.metrics.items()}
        return cls(summaries=summaries, deltas=deltas, tops=tops)


def _top(name: str, info: MetricInfo, summaries: Mapping[tuple[str, float, str], Estimate]) -> float:
    highs = [e.high if e.high is not None else e.mean for (_, _, m), e in summaries.items() if m == name]
    return max([1.0 if info.unit == "" else 1e-9, *(high for high in highs if high is not None)])


def _row(key: RowKey, given: TableInput, columns: _Columns, texts: Texts) -> TableRow:
    name, strength = key
    selection = given.judgement.selection
    candidate = next((c for c in selection.candidates if (c.subject, c.strength) == key), None)
    leads = candidate is not None and selection.leads(candidate)
    subject = next((s for s in given.subjects if s.name == name), None)
    return TableRow(
        subject=name,
        epoch=subject.epoch if subject else None,
        strength=strength,
        is_baseline=name == BASELINE,
        leads=leads,
        tied=bool(candidate and candidate.tied and not leads),
        images=_images(key, given, texts),
        cells=tuple(_metric_cell(key, info, columns, texts) for info in given.metrics.values()),
        probability=candidate.probability_best if candidate else None,
        probability_text=numbers.probability(candidate.probability_best) if candidate else numbers.NOTHING,
        stamp=_stamp_of(name, given.judgement.verdicts, texts),
    )


def _stamp_of(name: str, verdicts: tuple[Verdict, ...], texts: Texts) -> Stamp | None:
    verdict = next((verdict for verdict in verdicts if verdict.subject == name), None)
    return stamp(verdict.decision.value, texts) if verdict else None


def _images(key: RowKey, given: TableInput, texts: Texts) -> str:
    results = [given.images.get(cell.key) for cell in given.cells if (cell.subject, cell.strength) == key]
    made = sum(isinstance(result, str) for result in results)
    failed = sum(isinstance(result, Failure) for result in results)
    missing = len(results) - made - failed
    notes = [texts["failed_count"].format(count=failed)] if failed else []
    notes += [texts["missing_count"].format(count=missing)] if missing else []
    return ", ".join([str(made), *notes])


def _metric_cell(key: RowKey, info: MetricInfo, columns: _Columns, texts: Texts) -> MetricCell:
    estimate = columns.summaries.get((*key, info.name))
    delta = columns.deltas.get((*key, info.name))
    if estimate is None:
        return MetricCell(
            text=numbers.NOTHING, range="", sort=None, delta="", delta_range="", tone="unclear", counts="", whisker=None
        )
    text, _, bounds = numbers.interval(estimate, info.unit, with_unit=info.unit == "").partition(" [")
    change = numbers.interval(delta, info.unit, signed=True, with_unit=info.unit == "") if delta else ""
    step, _, step_bounds = change.partition(" [")
    return MetricCell(
        text=text,
        range=bounds and f"[{bounds}",
        sort=estimate.mean,
        delta=step,
        delta_range=step_bounds and f"[{step_bounds}",
        tone=_tone(delta, info),
        counts=texts["counts_missing"].format(unscored=estimate.unscored) if estimate.unscored else "",
        whisker=_whisker(estimate, _baseline_mean(info.name, columns), columns.tops[info.name]),
    )


def _tone(delta: Estimate | None, info: MetricInfo) -> str:
    if delta is None or delta.low is None or delta.high is None or delta.low <= 0 <= delta.high:
        return "unclear"
    return "better" if (delta.low > 0) == info.higher_is_better else "worse"


def _baseline_mean(metric: str, columns: _Columns) -> float | None:
    return next((e.mean for (s, _, m), e in columns.summaries.items() if s == BASELINE and m == metric), None)


def _whisker(estimate: Estimate, baseline: float | None, top: float) -> Whisker | None:
    if estimate.mean is None:
        return None
    low = estimate.mean if estimate.low is None else estimate.low
    high = estimate.mean if estimate.high is None else estimate.high
    return Whisker(
        low=_percent(low, top),
        mean=_percent(estimate.mean, top),
        high=_percent(high, top),
        baseline=None if baseline is None else _percent(baseline, top),
    )


def _percent(value: float, top: float) -> float:
    return round(min(max(100 * value / top, 0.0), 100.0), 1)
