"""Settings to use: the guidance scale by stars, and each LoRA's strength by the objective."""

from collections.abc import Sequence
from dataclasses import dataclass

from evalharness.report import numbers
from evalharness.report.names import labels
from evalharness.report.verdict_rows import Texts
from evalharness.stats.harmony_grid import STARS, Guidance, guidance_sensitivity
from evalharness.stats.objective import combine, draws_of, signed_weights
from evalharness.stats.strength import best_strength
from evalharness.stats.table import tabulate
from evalharness.types import BASELINE, Cell, FinishedRun


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceRow:
    """One guidance scale in words; `behind` is the best one's lead on equal draws, '' for the best."""

    scale: str
    stars: str
    behind: str
    images: int
    best: bool
    tied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidanceTable:
    """The guidance scales of one subject, the best first, and which to use, as a sentence."""

    subject: str
    advice: str
    rows: tuple[GuidanceRow, ...]


def guidance_table(given: FinishedRun, texts: Texts) -> GuidanceTable | None:
    """Stars by guidance scale for the leader, or the first subject; None for a run with one scale, or without stars."""
    cells = _leaders(given) if given.cells else ()
    if STARS not in given.metrics or len({cell.setting.guidance_scale for cell in cells}) < 2:
        return None
    found = guidance_sensitivity(cells, given.scores)
    if not found:
        return None
    name = "guidance_tied" if any(row.tied for row in found[1:]) else "guidance_alone"
    tied = ", ".join(f"{row.scale:g}" for row in found[1:] if row.tied)
    return GuidanceTable(
        subject=labels(given.subjects, texts).get(cells[0].subject, cells[0].subject),
        advice=texts[name].format(scale=f"{found[0].scale:g}", tied=tied),
        rows=tuple(_guidance_row(row) for row in found),
    )


def strength_advice(given: FinishedRun, texts: Texts) -> tuple[str, ...]:
    """For the leader and each LoRA without epochs that was measured at several strengths: which one to use."""
    arms = sorted({(cell.subject, cell.strength) for cell in given.cells if cell.subject != BASELINE})
    chosen = [
        one.name
        for one in given.subjects
        if sum(subject == one.name for subject, _ in arms) > 1
        and (one.epoch is None or one.name == given.judgement.selection.leader)
    ]
    weights = {name: weight for name, weight in given.objective.items() if name in given.metrics}
    if not chosen or not weights:
        return ()
    draws = draws_of(tabulate(given.cells, given.scores, list(weights)), arms, list(weights))
    values = combine(draws, signed_weights(weights, given.metrics))
    found = []
    for name in chosen:
        own = [index for index, arm in enumerate(arms) if arm[0] == name]
        best = best_strength([arms[index][1] for index in own], values[own])
        if best is not None:
            found.append(_strength_sentence(given, name, best, texts))
    return tuple(found)


def _strength_sentence(given: FinishedRun, name: str, best: float, texts: Texts) -> str:
    """The leader's strength is the selection's; what it cannot be told apart from is named."""
    selection = given.judgement.selection
    leads = name == selection.leader and selection.strength is not None
    chosen = selection.strength if leads else best
    tied = [f"{one.strength:g}" for one in selection.candidates if one.subject == name and one.tied]
    tied = [strength for strength in tied if strength != f"{chosen:g}"] if leads else []
    return texts["strength_tied" if tied else "strength_alone"].format(
        subject=labels(given.subjects, texts)[name], strength=f"{chosen:g}", tied=", ".join(tied)
    )


def _guidance_row(row: Guidance) -> GuidanceRow:
    return GuidanceRow(
        scale=f"{row.scale:g}",
        stars=numbers.interval(row.stars, STARS, with_unit=False),
        behind="" if row.behind is None else numbers.interval(row.behind, STARS, with_unit=False, signed=True),
        images=row.stars.scored,
        best=row.behind is None,
        tied=row.tied and row.behind is not None,
    )


def _leaders(given: FinishedRun) -> Sequence[Cell]:
    """The cells of the leader at its strength; without one, those of the first subject."""
    selection = given.judgement.selection
    first = next((cell for cell in given.cells if cell.subject != BASELINE), given.cells[0])
    subject = selection.leader or first.subject
    strength = first.strength if selection.leader is None or selection.strength is None else selection.strength
    return [cell for cell in given.cells if (cell.subject, cell.strength) == (subject, strength)]
