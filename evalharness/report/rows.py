"""What the report is given, and all that its page shows, as plain data: no HTML here."""

from dataclasses import dataclass, field

from evalharness.report.cell_rows import Row, cell_data
from evalharness.report.curve_rows import curves
from evalharness.report.fact_rows import FactGroup, fact_groups
from evalharness.report.failure_rows import FailureTable, failure_table
from evalharness.report.headline import Headline, headline
from evalharness.report.names import labels
from evalharness.report.palette_rows import Board, board
from evalharness.report.reason_groups import group_rows
from evalharness.report.setting_rows import GuidanceTable, guidance_table, strength_advice
from evalharness.report.table_rows import Column, Same, TableInput, TableRow, columns_of, same_in_all, table_rows
from evalharness.report.verdict_rows import (
    SelectionRow,
    Stamp,
    Texts,
    VerdictRow,
    selection_row,
    stamp,
    verdict_rows,
)
from evalharness.types import FinishedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the page shows; `data` is for the page's script and JSON-able."""

    title: str
    run: str
    suite: str
    description: str
    overview: str
    stamp: Stamp
    headline: Headline
    verdicts: tuple[VerdictRow, ...]
    selection: SelectionRow
    gaps: tuple[str, ...]
    columns: tuple[Column, ...]
    table: tuple[TableRow, ...]
    same: Same
    failures: FailureTable | None
    guidance: GuidanceTable | None
    strengths: tuple[str, ...]
    board: Board | None
    facts: tuple[FactGroup, ...]
    data: Row = field(repr=False)


def page(given: FinishedRun, texts: Texts) -> Page:
    """Everything on the page; a pure function of the run and the texts of one language."""
    judgement = given.judgement
    table = table_rows(_table_input(given), texts)
    return Page(
        title=given.title,
        run=given.run,
        suite=given.suite,
        description=given.description,
        overview=_overview(given, texts),
        stamp=stamp(judgement.decision.value, texts),
        headline=headline(given, texts),
        verdicts=verdict_rows(judgement, given.metrics, texts),
        selection=selection_row(judgement.selection, texts, labels(given.subjects, texts)),
        gaps=tuple(gap.reason for gap in judgement.gaps),
        columns=columns_of(given.metrics, texts),
        table=table,
        same=same_in_all(table, texts),
        failures=failure_table(given, texts),
        guidance=guidance_table(given, texts),
        strengths=strength_advice(given, texts),
        board=board(given),
        facts=fact_groups(given, texts),
        data=_data(given, texts),
    )


def _overview(given: FinishedRun, texts: Texts) -> str:
    made = sum(isinstance(image, str) for image in given.images.values())
    return texts["overview"].format(
        images=f"{made:,}",
        subjects=len({cell.subject for cell in given.cells}),
        prompts=len({cell.prompt.id for cell in given.cells}),
        seeds=len({cell.seed for cell in given.cells}),
    )


def _table_input(given: FinishedRun) -> TableInput:
    return TableInput(
        subjects=given.subjects,
        cells=given.cells,
        images=given.images,
        metrics=given.metrics,
        judgement=given.judgement,
    )


def _data(given: FinishedRun, texts: Texts) -> Row:
    loras = {s.name: [{"file": lora.path.name, "sha256": lora.digest} for lora in s.loras] for s in given.subjects}
    return {
        **cell_data(given),
        "loras": loras,
        "leader": given.judgement.selection.leader,
        "curves": curves(given, texts),
        "leaderStrength": given.judgement.selection.strength,
        "labels": dict(labels(given.subjects, texts)),
        "groups": group_rows(given),
        "texts": dict(texts),
    }
