"""A verdict as markdown, made to be a comment on a pull request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from evalharness.languages import texts
from evalharness.replacing import write_whole
from evalharness.report import numbers
from evalharness.report.cell_rows import address
from evalharness.report.escape import for_markdown
from evalharness.report.html import environment
from evalharness.report.verdict_rows import CheckRow, Stamp, VerdictRow, stamp, verdict_rows
from evalharness.report.worst import WorstImage
from evalharness.types import Estimate, FinishedRun, MetricInfo

MOST_BYTES = 50_000
"""GitHub takes comments of 65,536 characters; what a workflow adds before and after must find room, too."""
MOST_ROWS = (40, 20, 10, 5, 2, 1, 0)
"""Rows of each table; the most that fit are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceRow:
    """One metric of a subject beside what it was judged against, in words."""

    metric: str
    ours: str
    theirs: str
    difference: str
    pairs: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLink:
    """An image as a link with the words that stand for it; `shown` where the link leads to it from anywhere."""

    words: str
    address: Markup
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """The subject that is spoken of at length, what it was judged against, and how the two differ.

    `rival` is that side's name, '' where there is none; `notes` are sentences on it.
    """

    subject: str
    title: str
    rival: str
    notes: tuple[str, ...]
    differences: tuple[DifferenceRow, ...]
    worst: tuple[WorstImage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comment:
    run: FinishedRun
    stamp: Stamp
    focus: Focus | None
    verdicts: Sequence[VerdictRow]
    checks: Sequence[CheckRow]
    differences: Sequence[DifferenceRow]
    images: Sequence[ImageLink]
    left_out: int


def write_markdown(target: Path, run: FinishedRun, focus: Focus | None, base: str = "") -> Path:
    """Write the file, whole or not at all, and return its path."""
    return write_whole(target, markdown(run, focus, base))


def markdown(run: FinishedRun, focus: Focus | None, base: str = "") -> str:
    """The comment, of at most MOST_BYTES bytes as UTF-8.

    Links to images are relative to the run's folder, or begin with `base`, an address at which that folder can be
    read; only then are the images shown themselves.
    """
    verdicts = verdict_rows(run.judgement, run.metrics, texts())
    links = tuple(_links(focus.worst if focus else (), base))
    template = environment(_finalized).get_template("gate.md.j2")
    for most in MOST_ROWS:
        text = template.render(comment=_comment(run, focus, verdicts, links, most)) + "\n"
        if len(text.encode("utf-8", "replace")) <= MOST_BYTES:
            break
    return text


def difference_row(info: MetricInfo, ours: Estimate, theirs: Estimate, paired: Estimate, says: str) -> DifferenceRow:
    """A metric's means and paired difference in words."""
    return DifferenceRow(
        metric=info.name,
        ours=numbers.number(ours.mean, info.unit),
        theirs=numbers.number(theirs.mean, info.unit),
        difference=numbers.interval(paired, info.unit, signed=True),
        pairs=paired.scored,
        says=says,
    )


def _finalized(value: object) -> object:
    return for_markdown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _comment(
    run: FinishedRun, focus: Focus | None, verdicts: Sequence[VerdictRow], links: Sequence[ImageLink], most: int
) -> _Comment:
    checks = next((row.checks for row in verdicts if focus and row.subject == focus.subject), ())
    differences = focus.differences if focus else ()
    return _Comment(
        run=run,
        stamp=stamp(run.judgement.decision.value, texts()),
        focus=focus,
        verdicts=verdicts[:most],
        checks=checks[:most],
        differences=differences[:most],
        images=links,
        left_out=sum(max(len(rows) - most, 0) for rows in (verdicts, checks, differences)),
    )


def _links(worst: Sequence[WorstImage], base: str) -> Iterator[ImageLink]:
    for one in worst:
        relative = address(one.image)
        where = f"{base.rstrip('/')}/{relative.removeprefix('./')}" if base else relative
        yield ImageLink(words=one.words, address=Markup(where), shown=bool(base))
