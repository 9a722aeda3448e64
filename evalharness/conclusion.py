"""What a run concluded, in one document: `run --json`, `score --json` and `show --json` print it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evalharness.gate import exit_code
from evalharness.report.html import PAGE_NAME
from evalharness.types import FinishedRun, Judgement, MetricInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The run's folder and page, what was measured, and the judgement; `planned` is None without a budget.

    `report` is None where no page was written. `exit_code` is that of `evalharness run`.
    """

    run: Path
    report: Path | None
    suite: str
    description: str
    images: int
    planned: int | None
    metrics: Mapping[str, MetricInfo]
    judgement: Judgement
    exit_code: int


def conclude(finished: FinishedRun, folder: Path) -> Conclusion:
    """The document of a finished run in its folder."""
    page = folder / PAGE_NAME
    return Conclusion(
        run=folder,
        report=page if page.is_file() else None,
        suite=finished.suite,
        description=finished.description,
        images=len(finished.cells),
        planned=finished.planned,
        metrics=finished.metrics,
        judgement=finished.judgement,
        exit_code=exit_code(finished.judgement.decision),
    )
