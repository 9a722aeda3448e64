"""Promotion: a subject's file, its evaluation card and its measurement among promoted LoRAs, whole or not at all."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from evalharness.codec import encode, encode_readably
from evalharness.digest import file_digest
from evalharness.environment import now
from evalharness.errors import InputError, NotPromotedError, unknown
from evalharness.gate import exit_code
from evalharness.ledger import Measured, Promotion, enter, flush, measured_name
from evalharness.report.card import Card, Override, card_of, markdown
from evalharness.types import BASELINE, Decision, FinishedRun, Subject, Verdict

GROUPS = ("suite", "maker", "perception")
"""The facts of a run by which its measurements are compared; where it ran is nobody's business."""


def promote(
    run: FinishedRun,
    target: Path,
    subject: str | None = None,
    override: Override | None = None,
    strength: float | None = None,
) -> Path:
    """Copy a promoted subject's LoRA with its card into `target`, enter it in the ledger, and return its folder.

    `subject` None is the leader; `strength` is the one meant to be used, None is the likeliest best. Raises
    NotPromotedError, with the verdict's exit code, where the verdict is not PROMOTE and nobody overrides it, and
    InputError for an unknown subject or strength or a file that is no longer the one measured. A file that was
    promoted before stays, and gets the new card and measurement. All is on the disk before the ledger says so.
    """
    chosen, verdict = _chosen(run, subject)
    strengths = _strengths(run, chosen.name, strength)
    if verdict.decision is not Decision.PROMOTE and override is None:
        raise NotPromotedError(
            f"'{chosen.name}' cannot be promoted. {verdict.reason}. --override REASON --by NAME does it all the same.",
            exit_code(verdict.decision),
        )
    card = card_of(run, chosen, verdict, override, now())
    if len(strengths) == 1:
        card = replace(card, strength=f"{strengths[0]:g}")
    measured = encode(_measured(run, chosen.name))
    line = _line(run, card, strengths, hashlib.sha256(measured).hexdigest())
    folder = target / line.folder
    papers = {
        measured_name(line.measured): measured,
        "card.json": encode_readably(card),
        "card.md": markdown(card).encode(),
    }
    _whole(folder, chosen, papers)
    enter(target, line)
    return folder


def _chosen(run: FinishedRun, name: str | None) -> tuple[Subject, Verdict]:
    name = name or run.judgement.selection.leader
    verdicts: Mapping[str, Verdict] = {verdict.subject: verdict for verdict in run.judgement.verdicts}
    if name is None:
        raise InputError(f"this run has no leader; choose with --subject: {', '.join(verdicts)}.")
    if name not in verdicts:
        raise InputError(unknown("subject", name, verdicts))
    subject = next(one for one in run.subjects if one.name == name)
    if not subject.is_one_file:
        raise InputError(
            f"'{name}' is a stack of {len(subject.loras)} files; a promotion is of one LoRA file as it is."
        )
    return subject, verdicts[name]


def _strengths(run: FinishedRun, subject: str, asked: float | None) -> tuple[float, ...]:
    """The one meant to be used: as asked, else where the subject is most probably the best, else all measured ones."""
    known = tuple(sorted({cell.strength for cell in run.cells if cell.subject == subject}))
    if asked is not None and asked not in known:
        listed = ", ".join(f"{one:g}" for one in known)
        raise InputError(f"'{subject}' was not measured at strength {asked:g}; known are {listed}.")
    if asked is not None:
        return (asked,)
    candidates = [one for one in run.judgement.selection.candidates if one.subject == subject]
    best = max(candidates, key=lambda one: one.probability_best, default=None)
    return known if best is None or best.probability_best == 0.0 else (best.strength,)


def _measured(run: FinishedRun, subject: str) -> Measured:
    """The run cut down to a subject and the baseline, without pictures' paths and what is drawn over them."""
    cells = tuple(replace(cell, source=None) for cell in run.cells if cell.subject in (subject, BASELINE))
    return Measured(
        suite=run.suite,
        record={name: run.record[name] for name in GROUPS if name in run.record},
        cells=cells,
        scores={
            cell.key: tuple(replace(score, evidence=()) for score in run.scores[cell.key])
            for cell in cells
            if cell.key in run.scores
        },
        metrics=run.metrics,
    )


def _whole(folder: Path, subject: Subject, papers: Mapping[str, bytes]) -> None:
    """The promoted folder: made aside, checked, flushed to the disk, then renamed; one that is there stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".promoting-", dir=folder.parent))
    try:
        _keep(subject, folder, aside)
        for name, body in papers.items():
            (aside / name).write_bytes(body)
        for path in (*aside.iterdir(), aside):
            flush(path)
        _move(aside, folder, papers)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _keep(subject: Subject, folder: Path, aside: Path) -> None:
    """Copy the LoRA aside, or find it in a folder that is there; raises InputError where it is not the one measured."""
    (lora,) = subject.loras
    source = folder / lora.path.name if folder.is_dir() else lora.path
    if not source.is_file():
        raise InputError(f"'{source}' is no longer there; put the file back, or measure the run again.")
    kept = source if folder.is_dir() else Path(shutil.copyfile(source, aside / lora.path.name))
    if file_digest(kept) != lora.digest:
        raise InputError(f"'{source}' is not the file that was measured; measure it again before promoting it.")


def _move(aside: Path, folder: Path, papers: Mapping[str, bytes]) -> None:
    """The whole folder at once, or, where it is there, its papers one by one: the file in it is the same.

    The measurement that the ledger's last line names has another name, and is there before and after.
    """
    if not folder.is_dir():
        aside.chmod(0o755)
        aside.replace(folder)
        flush(folder.parent)
        return
    for name in papers:
        (aside / name).replace(folder / name)
    flush(folder)


def _line(run: FinishedRun, card: Card, strengths: tuple[float, ...], measured: str) -> Promotion:
    return Promotion(
        subject=card.subject,
        digest=card.digest,
        folder=f"{card.subject}-{card.digest[:12]}",
        run=run.run,
        suite=card.suite,
        suite_digest=card.suite_digest,
        decision=card.decision,
        override=card.override,
        date=card.date,
        strengths=strengths,
        measured=measured,
    )
