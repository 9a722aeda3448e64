"""Images that fail alike, as the gallery shows them: beyond a metric's limit, and of one reason but for its numbers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evalharness.errors import InputError, unknown
from evalharness.report.columns import SLOT
from evalharness.report.complaints import limits
from evalharness.types import BASELINE, Cell, FinishedRun, MetricInfo, Score

# a number of its own, not the 00 of deltaE00; the sign belongs to it
NUMBER = re.compile(r"(?<![A-Za-z0-9_.])[+\-−]?[0-9]+(?:\.[0-9]+)?")
ASIDE = re.compile(r"\s*\([^()]*\)")
TYPE, ASKED = re.compile(r"[A-D], "), re.compile(r"asked[^0-9]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonGroup:
    """A metric, and the words of a reason as the page's gallery shows them; any number stands for all numbers."""

    metric: str
    words: str


def heart_of(reason: str) -> str:
    """What stays of a reason: the failure type where one is named, else its first part with what was asked."""
    parts = [part.strip().removesuffix(".") for part in ASIDE.sub("", reason.replace(SLOT, "'")).split(";")]
    parts = [part for part in parts if part]
    kind = next((part for part in parts if TYPE.match(part)), None)
    return kind or "; ".join(part for place, part in enumerate(parts) if place == 0 or ASKED.match(part))


def without_numbers(words: str) -> str:
    """The words with # for each number, and for each of the ranges in which the page gives them."""
    return NUMBER.sub("#", words).replace("#–#", "#").strip()


def group_rows(given: FinishedRun) -> list[dict[str, object]]:
    """All groups of the run for the page, in the order in which their first images stand.

    `metric` is its number, `words` have SLOT for each number, and `members` is a text: of each image its number in the
    run and what its reason has in the slots, with spaces between them and a semicolon between images.
    """
    found: dict[tuple[int, str], list[str]] = {}
    numbers = {name: number for number, name in enumerate(given.metrics)}
    allowed = limits(given)
    for place, cell in enumerate(given.cells):
        for score in given.scores.get(cell.key, ()):
            if score.metric in numbers and _fails(score, given.metrics[score.metric], allowed.get(score.metric)):
                heart = heart_of(score.reason)
                members = found.setdefault((numbers[score.metric], NUMBER.sub(SLOT, heart)), [])
                members.append(" ".join((str(place), *NUMBER.findall(heart))))
    return [{"metric": metric, "words": words, "members": ";".join(rest)} for (metric, words), rest in found.items()]


def cells_of_reason(cells: Sequence[Cell], given: FinishedRun, group: ReasonGroup) -> Sequence[Cell]:
    """Those of the cells that are in the group, the baseline's only where there are no others.

    Raises InputError for a metric that the run does not have, and for words that no failing image is given.
    """
    if group.metric not in given.metrics:
        raise InputError(unknown("metric", group.metric, given.metrics))
    ours = [cell for cell in cells if cell.subject != BASELINE] or cells
    limit = limits(given).get(group.metric)
    hearts = {cell.key: heart for cell in ours if (heart := _heart(given, cell, group.metric, limit))}
    wanted = without_numbers(group.words)
    if wanted not in hearts.values():
        raise InputError(unknown(f"reason of {group.metric}", group.words, set(hearts.values())))
    return [cell for cell in ours if hearts.get(cell.key) == wanted]


def _heart(given: FinishedRun, cell: Cell, metric: str, limit: float | None) -> str | None:
    score = next((one for one in given.scores.get(cell.key, ()) if one.metric == metric), None)
    return without_numbers(heart_of(score.reason)) if score and _fails(score, given.metrics[metric], limit) else None


def _fails(score: Score, info: MetricInfo, limit: float | None) -> bool:
    if limit is None or score.value is None:
        return False
    return score.value < limit if info.higher_is_better else score.value > limit
