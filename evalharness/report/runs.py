"""The page of several runs: who wins in what, the same draws side by side, and what was promoted over time."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evalharness.languages import DEFAULT, texts
from evalharness.replacing import write_whole
from evalharness.report import numbers
from evalharness.report.cell_rows import address
from evalharness.report.draws import Drawn, Form, drawn_rows
from evalharness.report.history import Moment, history_charts, metric_rows
from evalharness.report.html import (
    PAGE_NAME,
    RUNS_SCRIPTS,
    embedded_json,
    environment,
    script_digest,
    scripts,
    style,
)
from evalharness.report.table_rows import Column, columns_of
from evalharness.report.verdict_rows import Stamp, Texts, counts_in_words, stamp
from evalharness.types import Cell, Decision, Estimate, FinishedRun, MetricInfo

RUNS_NAME = "runs.html"
SINGLE_NAME = "runs_single.html"
SIGNS: Mapping[str, tuple[str, str]] = {"wins": ("★", "pass"), "behind": ("▼", "fail"), "open": ("·", "inconclusive")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One run's subject at one strength; `date` is that of run.json, '' where it says none."""

    folder: Path
    run: FinishedRun
    subject: str
    strength: float
    cells: tuple[Cell, ...]
    date: str
    decision: Decision | None
    probability_best: float | None

    @property
    def name(self) -> str:
        """What the page calls it."""
        return f"{self.run.run}: {self.subject} @ {numbers.plain(self.strength)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One run in one metric: `word` is wins, behind, open or apart (nothing to compare with); `met` runs compared."""

    estimate: Estimate
    word: str
    met: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A promotion with what was measured of it; `note` says why nothing is known, where that is so."""

    date: str
    subject: str
    strengths: tuple[float, ...]
    suite: str
    suite_digest: str
    run: str
    overridden: bool
    means: Mapping[str, Estimate]
    metrics: Mapping[str, MetricInfo]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What the page is made of; `standings` by metric in the contestants' order, `refused` by their numbers."""

    contestants: tuple[Contestant, ...]
    metrics: tuple[MetricInfo, ...]
    standings: Mapping[str, tuple[Standing, ...]]
    refused: Mapping[tuple[int, int], tuple[str, ...]]
    notes: tuple[str, ...]
    history: tuple[Milestone, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as the page shows it: `address` leads to its own report, where the page leads anywhere."""

    name: str
    address: str
    date: str
    suite: str
    stamp: Stamp | None
    probability: str
    wins: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCell:
    """A run in a metric: its mean, and how it stands, in a sign and in words."""

    text: str
    counts: str
    sign: str
    tone: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneRow:
    """A promotion in words; `cells` follow the page's metrics, `changed` says that the suite is another than before."""

    date: str
    subject: str
    suite: str
    run: str
    address: str
    overridden: bool
    changed: bool
    cells: tuple[str, ...]
    note: str


def write_runs(contest: Contest, target: Path, language: str = DEFAULT, form: Form = "linked") -> Path:
    """Write the page and return its path; `form` says where its pictures are, and missing thumbnails are made.

    A 'linked' page leads to the runs' own reports, relative to its folder; one that is taken elsewhere leads nowhere.
    """
    home, words = target.resolve().parent, texts(language)
    columns = columns_of({info.name: info for info in contest.metrics}, words)
    script, moments, leads = scripts(RUNS_SCRIPTS), _moments(contest), home if form == "linked" else None
    draws = drawn_rows(_drawn(contest), _metrics(contest, moments), home, form)
    # what stands in the place of a subject is a run
    rest = {**metric_rows(moments, {**words, "subject": words["run"]}), **draws, "history": history_charts(moments)}
    text = (
        environment()
        .get_template("runs.html.j2")
        .render(
            t=words,
            language=language,
            style=style(),
            script=script,
            script_digest=script_digest(script),
            data=embedded_json(rest),
            runs=_run_rows(contest, leads, words),
            metrics=[(column, _standing_cells(contest, column, words)) for column in columns],
            refused=[_refused(contest, pair, reasons, words) for pair, reasons in contest.refused.items()],
            notes=contest.notes,
            draws=bool(draws),
            history=_history(contest, leads),
            history_metrics=_history_metrics(contest),
        )
    )
    return write_whole(target, text)


def _drawn(contest: Contest) -> list[Drawn]:
    return [
        Drawn(name=f"{one.run.run}: {one.subject}", folder=one.folder, run=one.run, cells=one.cells)
        for one in contest.contestants
    ]


def _metrics(contest: Contest, moments: list[Moment]) -> Mapping[str, MetricInfo]:
    """All that the page shows anywhere, by name; what the runs say of a metric goes before the history."""
    return {**{one.metric.name: one.metric for one in moments}, **{info.name: info for info in contest.metrics}}


def _run_rows(contest: Contest, leads: Path | None, words: Texts) -> list[RunRow]:
    wins = [sum(row[n].word == "wins" for row in contest.standings.values()) for n in range(len(contest.contestants))]
    return [_run_row(one, count, leads, words) for one, count in zip(contest.contestants, wins, strict=True)]


def _link(path: Path, home: Path) -> str:
    return address(Path(os.path.relpath(path.resolve(), home)).as_posix())


def _run_row(one: Contestant, wins: int, leads: Path | None, words: Texts) -> RunRow:
    return RunRow(
        name=one.name,
        address=_link(one.folder / PAGE_NAME, leads) if leads else "",
        date=one.date[:16].replace("T", " "),
        suite=one.run.suite,
        stamp=stamp(one.decision.value, words) if one.decision else None,
        probability=numbers.NOTHING if one.probability_best is None else numbers.probability(one.probability_best),
        wins=wins,
    )


def _standing_cells(contest: Contest, column: Column, words: Texts) -> list[StandingCell]:
    info = next(info for info in contest.metrics if info.name == column.name)
    return [_standing_cell(one, info, words) for one in contest.standings[info.name]]


def _standing_cell(one: Standing, info: MetricInfo, words: Texts) -> StandingCell:
    sign, tone = SIGNS.get(one.word, ("", ""))
    return StandingCell(
        text=numbers.interval(one.estimate, info.unit),
        counts=counts_in_words(one.estimate, words),
        sign=sign,
        tone=tone,
        words=words[f"standing_{one.word}"].format(count=one.met),
    )


def _refused(contest: Contest, pair: tuple[int, int], reasons: tuple[str, ...], words: Texts) -> str:
    first, second = (contest.contestants[number].name for number in pair)
    return words["runs_refused"].format(first=first, second=second, reasons="; ".join(reasons))


def _history_metrics(contest: Contest) -> list[str]:
    return list(dict.fromkeys(name for one in contest.history for name in one.metrics))


def _history(contest: Contest, leads: Path | None) -> list[MilestoneRow]:
    folders = {one.run.run: one.folder for one in contest.contestants}
    rows, last = [], ""
    for one in contest.history:
        cells = [_mean_in_words(one, name) for name in _history_metrics(contest)]
        rows.append(
            MilestoneRow(
                date=one.date[:16].replace("T", " "),
                subject=" ".join(
                    [one.subject, *(f"@ {numbers.plain(s)}" for s in one.strengths[:1] if len(one.strengths) == 1)]
                ),
                suite=one.suite,
                run=one.run,
                address=_link(folders[one.run] / PAGE_NAME, leads) if leads and one.run in folders else "",
                overridden=one.overridden,
                changed=last not in ("", one.suite_digest),
                cells=tuple(cells),
                note=one.note,
            )
        )
        last = one.suite_digest
    return rows


def _moments(contest: Contest) -> list[Moment]:
    return [
        Moment(
            date=one.date,
            name=one.subject,
            row=f"promotion-{number}",
            suite=(one.suite, one.suite_digest),
            metric=one.metrics[name],
            mean=mean,
        )
        for number, one in enumerate(contest.history, 1)
        for name, mean in one.means.items()
    ]


def _mean_in_words(one: Milestone, metric: str) -> str:
    found = one.means.get(metric)
    return numbers.NOTHING if found is None else numbers.interval(found, one.metrics[metric].unit)
