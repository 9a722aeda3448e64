"""Promotion: a subject's file and its evaluation card in a folder of promoted LoRAs, whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evalharness.codec import encode, encode_readably
from evalharness.digest import file_digest
from evalharness.environment import now
from evalharness.errors import InputError, NotPromotedError, unknown
from evalharness.gate import exit_code
from evalharness.report.card import Card, Override, card_of, markdown
from evalharness.types import Decision, FinishedRun, Subject, Verdict

LEDGER = "promotions.jsonl"
"""One line a promotion, oldest first; a promotion counts from the moment its line is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A line of the ledger. `folder` is relative to the ledger; `run` is the run's name."""

    subject: str
    digest: str
    folder: str
    run: str
    suite: str
    suite_digest: str
    decision: str
    override: Override | None
    date: str


def promote(run: FinishedRun, target: Path, subject: str | None = None, override: Override | None = None) -> Path:
    """Copy a promoted subject's LoRA with its card into `target`, enter it in the ledger, and return its folder.

    `subject` None is the leader. Raises NotPromotedError, with the verdict's exit code, where the verdict is not
    PROMOTE and nobody overrides it, and InputError for an unknown subject or a file that is no longer the one
    measured. A file that was promoted before stays, and gets the new card.
    """
    chosen, verdict = _chosen(run, subject)
    if verdict.decision is not Decision.PROMOTE and override is None:
        raise NotPromotedError(
            f"'{chosen.name}' cannot be promoted. {verdict.reason}. --override REASON --by NAME does it all the same.",
            exit_code(verdict.decision),
        )
    card = card_of(run, chosen, verdict, override, now())
    folder = _whole(target, chosen, card)
    _enter(target / LEDGER, _line(run, card, folder))
    return folder


def _chosen(run: FinishedRun, name: str | None) -> tuple[Subject, Verdict]:
    name = name or run.judgement.selection.leader
    verdicts: Mapping[str, Verdict] = {verdict.subject: verdict for verdict in run.judgement.verdicts}
    if name is None:
        raise InputError(f"this run has no leader; choose with --subject: {', '.join(verdicts)}.")
    if name not in verdicts:
        raise InputError(unknown("subject", name, verdicts))
    subject = next(one for one in run.subjects if one.name == name)
    if len(subject.loras) != 1:
        raise InputError(f"'{name}' is {len(subject.loras)} files; a promotion is of one LoRA file.")
    return subject, verdicts[name]


def _whole(target: Path, subject: Subject, card: Card) -> Path:
    """The promoted folder: made aside, checked, then renamed; a whole one of the same file stays."""
    (lora,) = subject.loras
    folder = target / f"{subject.name}-{lora.digest[:12]}"
    target.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".promoting-", dir=target))
    try:
        source = folder / lora.path.name if folder.is_dir() else lora.path
        if not source.is_file():
            raise InputError(f"'{source}' is no longer there; put the file back, or measure the run again.")
        kept = source if folder.is_dir() else Path(shutil.copyfile(source, aside / lora.path.name))
        if file_digest(kept) != lora.digest:
            raise InputError(f"'{source}' is not the file that was measured; measure it again before promoting it.")
        (aside / "card.json").write_bytes(encode_readably(card))
        (aside / "card.md").write_text(markdown(card), encoding="utf-8")
        _move(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _move(aside: Path, folder: Path) -> None:
    """The whole folder at once, or, where it is there, its cards one by one: the file in it is the same."""
    if not folder.is_dir():
        aside.chmod(0o755)
        aside.replace(folder)
        return
    for name in ("card.json", "card.md"):
        (aside / name).replace(folder / name)


def _line(run: FinishedRun, card: Card, folder: Path) -> Promotion:
    return Promotion(
        subject=card.subject,
        digest=card.digest,
        folder=folder.name,
        run=run.run,
        suite=card.suite,
        suite_digest=card.suite_digest,
        decision=card.decision,
        override=card.override,
        date=card.date,
    )


def _enter(ledger: Path, line: Promotion) -> None:
    """Append in one write and flush to the disk: a line is there whole, or not."""
    with ledger.open("ab") as file:
        file.write(encode(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())
