"""One side of a comparison: a subject of a stored run at one strength, and why two may not be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalharness.errors import InputError, unknown
from evalharness.record import load_run
from evalharness.types import Cell, FinishedRun, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A subject of a run at one strength."""

    run: FinishedRun
    subject: str
    strength: float

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Its cells."""
        return tuple(c for c in self.run.cells if c.subject == self.subject and c.strength == self.strength)

    def under(self, name: str) -> tuple[Sequence[Cell], Mapping[str, Sequence[Score]]]:
        """Its cells and scores with another subject's name and keys of their own, to stand beside those of a run."""
        cells = [replace(cell, key=f"{name} {cell.key}", subject=name) for cell in self.cells]
        return cells, {f"{name} {cell.key}": self.run.scores.get(cell.key, ()) for cell in self.cells}


def read_side(text: str, strength: float | None = None) -> Side:
    """`runs/demo:sakichan-000008`, or a run's folder for its leader; `strength` where it was measured at several.

    Raises InputError for an unknown run, subject or strength, and for a run without leader or a choice not made.
    """
    folder, _, subject = text.rpartition(":")
    if not folder or Path(text).is_dir():
        folder, subject = text, ""
    run = load_run(Path(folder))
    name = subject or run.judgement.selection.leader
    names = list(dict.fromkeys(cell.subject for cell in run.cells))
    if name is None:
        raise InputError(f"'{folder}' has no leader; name one of its subjects, such as {folder}:{names[-1]}.")
    if name not in names:
        raise InputError(f"'{folder}' has an {unknown('subject', name, names)}")
    if strength is None and not subject:
        strength = run.judgement.selection.strength
    return Side(run=run, subject=name, strength=_strength(run, name, strength))


def _strength(run: FinishedRun, subject: str, asked: float | None) -> float:
    known = sorted({cell.strength for cell in run.cells if cell.subject == subject})
    if len(known) == 1 and (asked is None or known == [0.0]):
        return known[0]  # the baseline has no strength to choose
    listed = ", ".join(f"{one:g}" for one in known)
    if asked is None:
        raise InputError(f"'{subject}' was measured at strengths {listed}; choose one with --strength.")
    if asked not in known:
        raise InputError(f"'{subject}' was not measured at strength {asked:g}; known are {listed}.")
    return asked


def obstacles(ours: Side, theirs: Side) -> tuple[str, ...]:
    """Why the numbers of two sides cannot be compared, in words; empty where they can."""
    found = [
        f"{words} differ{_where(ours.run.record.get(group), theirs.run.record.get(group))}"
        for group, words in (("maker", "the image makers"), ("perception", "the perceivers"))
        if ours.run.record.get(group) != theirs.run.record.get(group)
    ]
    if _questions(ours) != _questions(theirs):
        found.append("the prompts or what is expected of them differ")
    shared = ours.run.metrics.keys() & theirs.run.metrics.keys()
    changed = sorted(name for name in shared if ours.run.metrics[name] != theirs.run.metrics[name])
    if changed:
        found.append(f"other versions measured {', '.join(changed)}")
    return tuple(found)


def _where(ours: object, theirs: object) -> str:
    if not (isinstance(ours, Mapping) and isinstance(theirs, Mapping)):
        return ""
    return f" in {', '.join(sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)))}"


def _questions(side: Side) -> set[tuple[str, str, str]]:
    return {(cell.prompt.id, cell.prompt.text, repr(cell.prompt.expect)) for cell in side.cells}
