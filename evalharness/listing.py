"""What there is to choose from: suites, scorers, makers, perceivers, and the runs in a folder."""

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from evalharness.config import RunConfig, choices, compose
from evalharness.errors import ConfigError, HarnessError, InputError
from evalharness.paths import shipped
from evalharness.registry import find, table
from evalharness.subject import read_subjects
from evalharness.suite import read_suite
from evalharness.types import Decision

NO_WORD = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRow:
    """A suite that can be named; `draws` are the images of one subject at one strength.

    `images` is the number of all cells, None where the suite lists no subjects. `problem` says why it cannot be used.
    """

    name: str
    file: Path
    ours: bool
    description: str = NO_WORD
    prompts: int | None = None
    draws: int | None = None
    images: int | None = None
    problem: str = NO_WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorerRow:
    """A scorer: how to read its numbers, and what it is about."""

    name: str
    unit: str = NO_WORD
    higher_is_better: bool | None = None
    version: int | None = None
    about: str = NO_WORD
    problem: str = NO_WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """An image maker or a perceiver."""

    name: str
    about: str = NO_WORD
    problem: str = NO_WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run's folder: how far it is, and what it concluded. A damaged one has its problem in words."""

    folder: Path
    state: Literal["finished", "unfinished", "damaged"]
    suite: str = NO_WORD
    decision: Decision | None = None
    leader: str | None = None
    strength: float | None = None
    date: str = NO_WORD
    images: int = 0
    of: int = 0
    problem: str = NO_WORD


# Suites


def list_suites(config_dir: Path | None = None) -> tuple[SuiteRow, ...]:
    """Every suite that `suite=` may name, by name."""
    return tuple(_suite_row(name, file, config_dir) for name, file in sorted(choices("suite", config_dir).items()))


def _suite_row(name: str, file: Path, config_dir: Path | None) -> SuiteRow:
    ours = file.parent == shipped("suites").resolve()
    try:
        config = _compose(name, config_dir)
        suite = read_suite(config.suite)
    except HarnessError as error:
        return SuiteRow(name=name, file=file, ours=ours, problem=str(error))
    # the size does not change how many images there are
    settings = {setting for template in suite.settings for setting in template.settings((0, 0))}
    draws = math.prod((len(settings), len(suite.prompts), len(suite.seeds)))
    subjects = _subject_count(config)
    return SuiteRow(
        name=name,
        file=file,
        ours=ours,
        description=suite.description,
        prompts=len(suite.prompts),
        draws=draws,
        images=None if subjects is None else draws * (1 + subjects * len(suite.strengths)),
    )


def _compose(name: str, config_dir: Path | None) -> RunConfig:
    """The suite as `run` would take it, or without subjects where it lists none."""
    try:
        return compose([f"suite={name}"], config_dir)
    except ConfigError:
        return compose([f"suite={name}", "subjects=[]"], config_dir)


def _subject_count(config: RunConfig) -> int | None:
    try:
        return len(read_subjects(config.subjects)) if config.subjects else None
    except InputError:
        return None


# Scorers, makers, perceivers


def list_scorers() -> tuple[ScorerRow, ...]:
    """Every scorer that a suite may name, ours and installed ones."""
    return tuple(_row("scorer", name, _scorer_row, ScorerRow) for name in sorted(table("scorer")))


def list_parts(kind: Literal["backend", "perception"]) -> tuple[PartRow, ...]:
    """Every image maker or perceiver, ours and installed ones."""
    return tuple(_row(kind, name, _part_row, PartRow) for name in sorted(table(kind)))


def _row(kind: str, name: str, row: Callable[[str, Any], Any], empty: Callable[..., Any]) -> Any:
    try:
        return row(name, find(kind, name))
    except Exception as error:  # another package's code may raise anything when it is imported
        return empty(name=name, problem=f"{type(error).__name__}: {error}")


def _scorer_row(name: str, scorer: Any) -> ScorerRow:
    return ScorerRow(
        name=name,
        unit=scorer.unit,
        higher_is_better=scorer.higher_is_better,
        version=scorer.version,
        about=_first_line(scorer),
    )


def _part_row(name: str, part: Any) -> PartRow:
    return PartRow(name=name, about=_first_line(part))


def _first_line(thing: Any) -> str:
    return next(iter((inspect.getdoc(thing) or "").splitlines()), "")


# Runs


class _Suite(msgspec.Struct):
    name: str


class _Plan(msgspec.Struct):
    cells: tuple[msgspec.Raw, ...]


class _Record(msgspec.Struct):
    """What a list needs of run.json."""

    suite: _Suite
    plan: _Plan
    environment: Mapping[str, Any]


class _Selection(msgspec.Struct):
    leader: str | None
    strength: float | None = None


class _Verdict(msgspec.Struct):
    """What a list needs of verdict.json."""

    decision: Decision
    selection: _Selection


def list_runs(folder: Path) -> tuple[RunRow, ...]:
    """The runs in a folder, by name; nothing is locked, so that a run may be at work meanwhile.

    Raises InputError where `folder` is not there.
    """
    if not folder.is_dir():
        raise InputError(f"'{folder}' is not a folder; give the folder that holds runs, such as runs.")
    marks = ("run.json", "run.sqlite")
    return tuple(_run_row(path) for path in sorted(folder.iterdir()) if any((path / mark).exists() for mark in marks))


def _run_row(folder: Path) -> RunRow:
    try:
        record = msgspec.json.decode((folder / "run.json").read_bytes(), type=_Record)
        verdict = folder / "verdict.json"
        judged = msgspec.json.decode(verdict.read_bytes(), type=_Verdict) if verdict.exists() else None
    except FileNotFoundError:
        return RunRow(folder=folder, state="damaged", problem="it holds no run.json: it ended before its first image")
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return RunRow(folder=folder, state="damaged", problem=f"its record cannot be read: {error}")
    images = sum(1 for _ in folder.glob("images/*/*.png"))
    return RunRow(
        folder=folder,
        state="finished" if judged else "unfinished",
        suite=record.suite.name,
        decision=judged.decision if judged else None,
        leader=judged.selection.leader if judged else None,
        strength=judged.selection.strength if judged else None,
        date=str(record.environment.get("date", "")),
        images=images,
        of=len(record.plan.cells),
    )


Rows = Sequence[SuiteRow | ScorerRow | PartRow | RunRow]
