"""The tables of a grid of archetypes and emotions: success of each, and the guidance scale to use."""

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from evalharness.console import console
from evalharness.stats.harmony_grid import (
    AXES,
    STARS,
    Guidance,
    Success,
    guidance_sensitivity,
    recommended,
    success_matrix,
)
from evalharness.types import BASELINE, Cell, FinishedRun


def print_grid(finished: FinishedRun) -> None:
    """Both tables of the leader, or of the only subject; nothing for a run that is no such grid."""
    if STARS not in finished.metrics or not all(any(axis in c.prompt.axes for c in finished.cells) for axis in AXES):
        return
    cells = _leaders(finished)
    who = f"{cells[0].subject} @ {cells[0].strength:g}" if cells[0].subject != BASELINE else BASELINE
    output = console()
    output.print(success_table(success_matrix(cells, finished.scores), who))
    if len({cell.setting.guidance_scale for cell in cells}) > 1:
        rows = guidance_sensitivity(cells, finished.scores)
        output.print(guidance_table(rows, who))
        output.print(Text(recommended(rows)))


def success_table(matrix: Sequence[Success], who: str) -> Table:
    """Archetypes as rows, emotions as columns: three stars, of those judged."""
    emotions = list(dict.fromkeys(one.emotion for one in matrix))
    found = {(one.archetype, one.emotion): one for one in matrix}
    table = Table(title=f"three stars (two or more) of the images judged: {who}", box=SIMPLE)
    for heading in ("archetype", *emotions):
        table.add_column(heading, justify="left" if heading == "archetype" else "right")
    for archetype in dict.fromkeys(one.archetype for one in matrix):
        table.add_row(Text(archetype), *(_shares(found.get((archetype, emotion))) for emotion in emotions))
    return table


def guidance_table(rows: Sequence[Guidance], who: str) -> Table:
    """Guidance scales, the best first: mean stars, the interval, and how far behind the best on equal draws."""
    table = Table(title=f"stars by guidance scale: {who}", box=SIMPLE)
    for heading in ("guidance scale", "stars", "95 % interval", "behind the best", "images"):
        table.add_column(heading, justify="right")
    for row in rows:
        low, high = row.stars.low, row.stars.high
        behind = "" if row.behind is None else "-" if row.behind.mean is None else f"{row.behind.mean:.2f}"
        table.add_row(
            f"{row.scale:g}",
            f"{row.stars.mean:.2f}",
            "-" if low is None or high is None else f"{low:.2f} to {high:.2f}",
            f"{behind} (tied)" if behind and row.tied else behind,
            str(row.stars.scored),
        )
    return table


def _leaders(finished: FinishedRun) -> list[Cell]:
    """The cells of the leader at its strength; without one, those of the first subject."""
    selection, first = finished.judgement.selection, finished.cells[0]
    chosen = next((cell for cell in finished.cells if cell.subject != BASELINE), first)
    subject = selection.leader or chosen.subject
    strength = chosen.strength if selection.leader is None or selection.strength is None else selection.strength
    return [cell for cell in finished.cells if (cell.subject, cell.strength) == (subject, strength)]


def _shares(one: Success | None) -> str:
    return "-" if one is None or not one.scored else f"{one.perfect} ({one.acceptable}) of {one.scored}"
