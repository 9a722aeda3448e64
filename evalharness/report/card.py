"""The evaluation card of a promoted subject: what was measured, as plain data and as markdown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evalharness.report import numbers
from evalharness.report.html import environment
from evalharness.types import Delta, FinishedRun, Subject, Summary, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Who promoted against the verdict, and why."""

    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric at one strength, in words."""

    name: str
    strength: str
    value: str
    delta: str
    scored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One check of the verdict, in words."""

    metric: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that is said of a promoted subject; `strength` is the one to use, empty where that is left open."""

    subject: str
    epoch: int | None
    file: str
    digest: str
    decision: str
    override: Override | None
    suite: str
    suite_digest: str
    date: str
    strengths: tuple[str, ...]
    guidance_scales: tuple[str, ...]
    images: int
    prompts: int
    best: str
    metrics: tuple[MetricRow, ...]
    checks: tuple[CheckRow, ...]
    facts: tuple[tuple[str, str], ...]
    strength: str = ""


def card_of(run: FinishedRun, subject: Subject, verdict: Verdict, override: Override | None, date: str) -> Card:
    """What a finished run says of one of its subjects, which has one LoRA file."""
    cells = [cell for cell in run.cells if cell.subject == subject.name]
    (lora,) = subject.loras
    return Card(
        subject=subject.name,
        epoch=subject.epoch,
        file=lora.path.name,
        digest=lora.digest,
        decision=verdict.decision.value,
        override=override,
        suite=run.suite,
        suite_digest=str(_group(run, "suite").get("digest", "")),
        date=date,
        strengths=tuple(f"{one:g}" for one in sorted({cell.strength for cell in cells})),
        guidance_scales=tuple(f"{one:g}" for one in sorted({cell.setting.guidance_scale for cell in cells})),
        images=len(cells),
        prompts=len({cell.prompt.id for cell in cells}),
        best=run.judgement.selection.reason,
        metrics=tuple(_metrics(run, subject.name)),
        checks=tuple(
            CheckRow(metric=check.rule.metric, outcome=check.outcome.value, reason=check.reason)
            for check in verdict.checks
        ),
        facts=tuple(_facts(run)),
    )


def markdown(card: Card) -> str:
    """The card for people; what could be read as HTML is escaped, and so are a table's bars."""
    return environment(_in_one_line).get_template("card.md.j2").render(card=card)


def _in_one_line(value: object) -> object:
    return value.replace("|", "\\|").replace("\n", " ") if isinstance(value, str) else value


def _metrics(run: FinishedRun, subject: str) -> Iterator[MetricRow]:
    deltas = {(delta.strength, delta.metric): delta for delta in run.judgement.deltas if delta.subject == subject}
    for summary in run.judgement.summaries:
        if summary.subject == subject:
            yield _metric(run, summary, deltas.get((summary.strength, summary.metric)))


def _metric(run: FinishedRun, summary: Summary, delta: Delta | None) -> MetricRow:
    unit = run.metrics[summary.metric].unit
    return MetricRow(
        name=summary.metric,
        strength=f"{summary.strength:g}",
        value=numbers.interval(summary.estimate, unit),
        delta=numbers.NOTHING if delta is None else numbers.interval(delta.estimate, unit, signed=True),
        scored=summary.estimate.scored,
    )


def _facts(run: FinishedRun) -> Iterator[tuple[str, str]]:
    for group in ("maker", "perception", "environment"):
        for name, value in _group(run, group).items():
            if isinstance(value, str | int | float):
                yield f"{group} {name}", str(value)


def _group(run: FinishedRun, name: str) -> Mapping[str, object]:
    found = run.record.get(name)
    return found if isinstance(found, Mapping) else {}
