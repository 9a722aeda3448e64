"""Several runs side by side: whose subject is better in what, as far as equal draws can tell, and what was promoted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from evalharness.compare import LEVEL, Comparison, compare
from evalharness.errors import InputError
from evalharness.ledger import LEDGER, Measured, Promotion, promotions, read_measured
from evalharness.report.runs import Contest, Contestant, Milestone, Standing
from evalharness.sides import OTHER_SEEDS, Side, obstacles, read_side
from evalharness.stats.summary import mean_of
from evalharness.stats.table import tabulate
from evalharness.types import Cell, Estimate, FinishedRun, MetricInfo, Score

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meetings:
    """What each two runs' equal draws say, and why two could not be compared; by the runs' numbers."""

    compared: Mapping[Pair, Comparison]
    refused: Mapping[Pair, tuple[str, ...]]

    def says(self, ours: int, theirs: int, metric: str) -> str | None:
        """'better', 'worse', 'open' or 'no pairs' for ours; None where they were not compared in this."""
        found = self.compared.get((min(ours, theirs), max(ours, theirs)))
        said: str | None = next((d.says for d in found.differences if d.metric.name == metric), None) if found else None
        turned = {"better": "worse", "worse": "better"}
        return said if ours < theirs or said is None else turned.get(said, said)


def contest(runs: Sequence[str], promoted: Path) -> Contest:
    """The runs (RUN, whose leader is meant, or RUN:SUBJECT) side by side, and the promotions in `promoted`.

    Raises InputError for fewer than two runs, a run that cannot be read, one without a leader, and a damaged ledger.
    """
    if len(set(runs)) < 2:
        raise InputError("a shoot-out takes at least two runs; give several folders, such as runs/first runs/second.")
    sides = [read_side(run) for run in runs]
    meetings = _meetings(sides)
    metrics = {name: info for side in sides for name, info in side.run.metrics.items()}
    history, notes = _history(promoted)
    return Contest(
        contestants=tuple(_contestant(run, side) for run, side in zip(runs, sides, strict=True)),
        metrics=tuple(metrics.values()),
        standings={
            name: tuple(_standing(n, sides, meetings, info) for n in range(len(sides)))
            for name, info in metrics.items()
        },
        refused={pair: reasons for pair, reasons in meetings.refused.items()},
        notes=(*_seed_notes(meetings, runs), *notes),
        history=history,
    )


def _meetings(sides: Sequence[Side]) -> _Meetings:
    """Every two sides; all comparisons on the page share one chance of calling equals different."""
    pairs = list(combinations(range(len(sides)), 2))
    refused = {pair: found for pair in pairs if (found := obstacles(sides[pair[0]], sides[pair[1]]))}
    open_pairs = [pair for pair in pairs if pair not in refused]
    compared = {(a, b): compare(sides[a], sides[b], among=len(open_pairs)) for a, b in open_pairs}
    return _Meetings(compared=compared, refused=refused)


def _standing(number: int, sides: Sequence[Side], meetings: _Meetings, info: MetricInfo) -> Standing:
    """A run wins where the evidence calls it better than every run that it can be compared with."""
    said = [meetings.says(number, other, info.name) for other in range(len(sides)) if other != number]
    met = [one for one in said if one in ("better", "worse", "open")]
    side = sides[number]
    word = (
        "apart"
        if not met
        else "wins"
        if all(one == "better" for one in met)
        else "behind"
        if "worse" in met
        else "open"
    )
    return Standing(estimate=_mean(side.cells, side.run.scores, info.name), word=word, met=len(met))


def _mean(cells: Sequence[Cell], scores: Mapping[str, Sequence[Score]], metric: str) -> Estimate:
    table = tabulate(cells, scores, [metric])
    return mean_of(table.rows(table.subjects == cells[0].subject, metric), LEVEL)


def _contestant(text: str, side: Side) -> Contestant:
    run = side.run
    assert isinstance(run, FinishedRun)  # read_side reads runs only; promotions are history here
    folder = Path(text) if Path(text).is_dir() else Path(text.rpartition(":")[0])
    verdict = next((one for one in run.judgement.verdicts if one.subject == side.subject), None)
    chance = next(
        (
            c.probability_best
            for c in run.judgement.selection.candidates
            if (c.subject, c.strength) == (side.subject, side.strength)
        ),
        None,
    )
    environment = run.record.get("environment")
    return Contestant(
        folder=folder,
        run=run,
        subject=side.subject,
        strength=side.strength,
        cells=side.cells,
        date=str(environment.get("date", "")) if isinstance(environment, Mapping) else "",
        decision=verdict.decision if verdict else None,
        probability_best=chance,
    )


def _seed_notes(meetings: _Meetings, runs: Sequence[str]) -> list[str]:
    return [
        f"{runs[a]} and {runs[b]}: {OTHER_SEEDS}." for (a, b), found in meetings.compared.items() if found.other_seeds
    ]


def _history(folder: Path) -> tuple[tuple[Milestone, ...], tuple[str, ...]]:
    """What was promoted, oldest first; a promotion whose measurement is gone still has its line."""
    if not (folder / LEDGER).is_file():
        return (), ()
    found, notes = promotions(folder)
    return tuple(_milestone(folder, promotion) for promotion in found), notes


def _milestone(folder: Path, promotion: Promotion) -> Milestone:
    means: Mapping[str, Estimate] = {}
    metrics: Mapping[str, MetricInfo] = {}
    note = ""
    try:
        measured = read_measured(folder, promotion)
        means, metrics = _means(measured, promotion), measured.metrics
    except InputError as error:
        note = str(error)
    return Milestone(
        date=promotion.date,
        subject=promotion.subject,
        strengths=promotion.strengths,
        suite=promotion.suite,
        suite_digest=promotion.suite_digest,
        run=promotion.run,
        overridden=promotion.override is not None,
        means=means,
        metrics=metrics,
        note=note,
    )


def _means(measured: Measured, promotion: Promotion) -> Mapping[str, Estimate]:
    meant = [cell for cell in measured.cells if cell.subject == promotion.subject]
    if len(promotion.strengths) == 1:
        meant = [cell for cell in meant if cell.strength == promotion.strengths[0]]
    return {name: _mean(meant, measured.scores, name) for name in measured.metrics} if meant else {}
