"""One side of a comparison: a subject of a stored run or what is promoted, and why two may not be compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalharness.errors import InputError, unknown
from evalharness.ledger import Measured, latest, read_measured
from evalharness.record import load_run
from evalharness.types import Cell, FinishedRun, Score, Setting

LATEST = "promoted"
"""The word for the latest promotion by the other side's suite; a run in a folder of this name is ./promoted."""

OTHER_SEEDS = "other seeds: paired by prompt"
"""Said wherever two sides have no draw in common, and were compared all the same."""

Question = tuple[str, Setting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A subject of a run, or of a promotion, at one strength; `notes` are sentences on where it comes from."""

    run: FinishedRun | Measured
    subject: str
    strength: float
    notes: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Its cells."""
        return tuple(c for c in self.run.cells if c.subject == self.subject and c.strength == self.strength)

    def under(self, name: str) -> tuple[Sequence[Cell], Mapping[str, Sequence[Score]]]:
        """Its cells and scores with another subject's name and keys of their own, to stand beside those of a run."""
        cells = [replace(cell, key=f"{name} {cell.key}", subject=name) for cell in self.cells]
        return cells, {f"{name} {cell.key}": self.run.scores.get(cell.key, ()) for cell in self.cells}


def read_sides(ours: str, theirs: str, strength: float | None, promoted: Path) -> tuple[Side, Side]:
    """Two sides, of which one may be the word `promoted`: the latest in the folder `promoted` by the other's suite.

    Raises InputError as `read_side` and `read_promoted` do, and where both are that word.
    """
    if ours == theirs == LATEST:
        raise InputError("both sides are what is promoted; name a run, such as runs/demo, for one of them.")
    if theirs == LATEST:
        side = read_side(ours, strength)
        return side, read_promoted(promoted, side.run.suite, strength)
    if ours == LATEST:
        side = read_side(theirs, strength)
        return read_promoted(promoted, side.run.suite, strength), side
    return read_side(ours, strength), read_side(theirs, strength)


def read_against(run: Path, text: str | None, strength: float | None, promoted: Path) -> Side | None:
    """What a run is judged against: another run's subject, the word `promoted`, or nothing."""
    if text is None:
        return None
    return read_promoted(promoted, load_run(run).suite, strength) if text == LATEST else read_side(text, strength)


def read_promoted(folder: Path, suite: str, strength: float | None = None) -> Side:
    """The latest promotion by this suite, at the strength it was promoted for, or at another one that was measured.

    Raises InputError for a folder without such a promotion, a missing or damaged part of it, and a choice not made.
    """
    promotion, notes = latest(folder, suite)
    measured = read_measured(folder, promotion)
    meant = promotion.strengths[0] if len(promotion.strengths) == 1 else None
    source = f"{promotion.subject} is promoted since {promotion.date}, by suite {suite} in run {promotion.run}."
    return Side(
        run=measured,
        subject=promotion.subject,
        strength=_strength(measured, promotion.subject, meant if strength is None else strength),
        notes=(source, *notes),
    )


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


def _strength(run: FinishedRun | Measured, subject: str, asked: float | None) -> float:
    known = sorted({cell.strength for cell in run.cells if cell.subject == subject})
    if len(known) == 1 and (asked is None or known == [0.0]):
        return known[0]  # the baseline has no strength to choose
    listed = ", ".join(f"{one:g}" for one in known)
    if asked is None:
        raise InputError(f"'{subject}' was measured at strengths {listed}; choose one with --strength.")
    if asked not in known:
        raise InputError(f"'{subject}' was not measured at strength {asked:g}; known are {listed}.")
    return asked


def beside(ours: Iterable[Cell], theirs: Sequence[Cell]) -> tuple[Sequence[Cell], bool]:
    """Their cells as partners of ours, and whether that took other seeds as partners.

    Draws are equal by their pair_key. Where the sides have none in common, each prompt and setting pairs its seeds in
    their order: such differences share no luck, so they vary more, but their mean over prompts means the same. Draws
    for which we have no partner keep their pair_key.
    """
    mine = _draws(ours)
    if {cell.pair_key for cell in theirs} & {key for keys in mine.values() for key in keys}:
        return theirs, False
    partners = {
        key: partner
        for question, keys in _draws(theirs).items()
        for key, partner in zip(keys, mine.get(question, ()), strict=False)
    }
    return [replace(cell, pair_key=partners.get(cell.pair_key, cell.pair_key)) for cell in theirs], bool(partners)


def _draws(cells: Iterable[Cell]) -> Mapping[Question, Sequence[str]]:
    """The pair_keys of each prompt and setting, in the order of their seeds."""
    found: dict[Question, dict[str, None]] = {}
    for cell in sorted(cells, key=lambda cell: cell.seed):
        found.setdefault((cell.prompt.id, cell.setting), {})[cell.pair_key] = None
    return {question: list(keys) for question, keys in found.items()}


def obstacles(ours: Side, theirs: Side) -> tuple[str, ...]:
    """Why the numbers of two sides cannot be compared, in words; empty where they can."""
    found = [
        f"{words} differ{_where(_facts(ours, group), _facts(theirs, group))}"
        for group, words in (("maker", "the image makers"), ("perception", "the perceivers"))
        if _facts(ours, group) != _facts(theirs, group)
    ]
    if _questions(ours) != _questions(theirs):
        found.append("the prompts or what is expected of them differ")
    if not {cell.setting for cell in ours.cells} & {cell.setting for cell in theirs.cells}:
        found.append("no setting is the same (sampler, steps, guidance scale, size)")
    shared = ours.run.metrics.keys() & theirs.run.metrics.keys()
    changed = sorted(name for name in shared if ours.run.metrics[name] != theirs.run.metrics[name])
    if changed:
        found.append(f"other versions measured {', '.join(changed)}")
    return tuple(found)


def _facts(side: Side, group: str) -> Mapping[str, object]:
    """A group of the record but the batch size: it is no part of a fingerprint, for it changes no image's draw."""
    found = side.run.record.get(group)
    return {key: value for key, value in found.items() if key != "batch size"} if isinstance(found, Mapping) else {}


def _where(ours: Mapping[str, object], theirs: Mapping[str, object]) -> str:
    return f" in {', '.join(sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)))}"


def _questions(side: Side) -> set[tuple[str, str, str, str]]:
    asked = (cell.prompt for cell in side.cells)
    return {(prompt.id, prompt.text, prompt.negative, repr(prompt.expect)) for prompt in asked}
