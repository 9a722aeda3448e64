"""Shards -> the run that they are parts of: checked to be of one plan, taken together, judged as one run."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from evalharness.adopt import adopt
from evalharness.environment import now
from evalharness.errors import StoreError
from evalharness.gate import judge
from evalharness.generate import changes_pixels, not_applied
from evalharness.measure import look_and_score
from evalharness.observe import observe_references
from evalharness.paths import resolve
from evalharness.plan import Plan
from evalharness.plan.shards import Shard, parts
from evalharness.prepare import open_tools
from evalharness.record import RunRecord, finished
from evalharness.scorers.base import info
from evalharness.store import Store
from evalharness.types import BASELINE, Cell, FinishedRun, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What came of a merge: the finished run, or None while images are missing, with a sentence for each shard."""

    folder: Path
    run: FinishedRun | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A shard's folder with its record."""

    folder: Path
    record: RunRecord
    shard: Shard


def merge(folders: Sequence[Path], target: Path | None, progress: Progress) -> Merged:
    """Make one run of shards' folders, or of the shards in a run's folder; the same command again goes on.

    Raises StoreError for folders that are no shards of one run, and SubjectError for a LoRA that changes no pixel.
    """
    found = [_read(folder) for folder in _shards(folders)]
    known = _one_run(sorted(found, key=lambda part: part.shard.number))
    to = _target(folders, target)
    _check_target(to, known[0])
    with ExitStack() as stack:
        # the shards' locks are held: none may grow or change while it is read
        stores = [stack.enter_context(Store(part.folder)) for part in known]
        store = stack.enter_context(Store(to))
        pieces = _pieces(known, stores)
        _prove(known[0].record, pieces, store)
        adopt(store, pieces)
        whole = _whole(known, to)
        store.write_json("run.json", whole)
        if missing := _missing(whole.plan, known[0], store):
            return Merged(folder=to, run=None, missing=missing)
        return Merged(folder=to, run=_judged(whole, to, store, progress), missing=())


# Which folders


def _shards(folders: Sequence[Path]) -> list[Path]:
    """The shards' folders: those given, and those inside the runs' folders that are given."""
    found: dict[Path, Path] = {}
    for folder in folders:
        inside = sorted(folder.glob("shard-*-of-*"))
        if not inside and not (folder / "run.json").is_file():
            raise StoreError(f"'{folder}' is no shard and holds none; give folders of `evalharness run --shard i/n`.")
        for one in inside or [folder]:
            found.setdefault(one.resolve(), one)
    return list(found.values())


def _read(folder: Path) -> _Part:
    with Store(folder) as store:
        record = store.read_json("run.json", RunRecord)
    if record.shard is None:
        raise StoreError(f"'{folder}' is a whole run and no shard; give folders of `evalharness run --shard i/n`.")
    return _Part(folder=folder, record=record, shard=record.shard)


def _target(folders: Sequence[Path], target: Path | None) -> Path:
    if target is not None:
        return target
    if len(folders) == 1 and any(folders[0].glob("shard-*-of-*")):
        return folders[0]
    raise StoreError("where the whole run shall be is not said; give --to RUN.")


# Whether they are of one run


def _one_run(known: Sequence[_Part]) -> Sequence[_Part]:
    first = known[0]
    for part in known[1:]:
        if reason := _difference(first.record, part.record):
            raise StoreError(f"'{first.folder}' and '{part.folder}' are not of one run: {reason}.")
    for part, other in pairwise(known):
        if part.shard == other.shard:
            raise StoreError(f"'{part.folder}' and '{other.folder}' are both {part.shard}; give each shard once.")
    return known


def _check_target(target: Path, first: _Part) -> None:
    """A folder with another run, or one of the shards itself, must not be mixed with this one."""
    if not (target / "run.json").is_file():
        return
    with Store(target) as store:
        there = store.read_json("run.json", RunRecord)
    if there.shard is not None:
        raise StoreError(f"'{target}' is {there.shard} itself; give the whole run another folder with --to RUN.")
    if reason := _difference(replace(first.record, shard=None), replace(there, batch_size=first.record.batch_size)):
        raise StoreError(f"'{target}' holds another run than '{first.folder}': {reason}; give another --to RUN.")


def _difference(ours: RunRecord, theirs: RunRecord) -> str | None:
    """Why two records are not of one run, the cause before what follows from it; None where they are."""
    if ours.suite_digest != theirs.suite_digest:
        return f"the suites differ ('{ours.suite.name}' {ours.suite_digest[:8]} and {theirs.suite_digest[:8]})"
    for words, left, right in (
        ("the image makers", ours.maker, theirs.maker),
        ("the perceivers", ours.perceiver, theirs.perceiver),
        ("the LoRAs' weights", _weights(ours), _weights(theirs)),
        ("the metrics' versions", ours.metrics, theirs.metrics),
    ):
        if left != right:
            return f"{words} differ in {_keys(left, right)}"
    if (ours.shard and ours.shard.of) != (theirs.shard and theirs.shard.of):
        return f"one is {ours.shard}, the other {theirs.shard}"
    if ours.batch_size != theirs.batch_size:
        return f"they were cut between batches of {ours.batch_size} and of {theirs.batch_size} images"
    return None if ours.plan.cells == theirs.plan.cells else "their plans differ"


def _weights(record: RunRecord) -> Mapping[str, str]:
    return {subject.name: subject.identity for subject in record.plan.subjects}


def _keys(left: Mapping[str, object], right: Mapping[str, object]) -> str:
    return ", ".join(sorted(key for key in left.keys() | right.keys() if left.get(key) != right.get(key)))


# What is taken, and the proof that LoRAs are applied


def _pieces(known: Sequence[_Part], stores: Sequence[Store]) -> list[tuple[Store, Sequence[Cell]]]:
    """Each shard's store with the cells that it answers for."""
    record = known[0].record
    cut = parts(record.plan, record.suite, known[0].shard.of, record.batch_size)
    return [(store, cut[part.shard.number - 1]) for part, store in zip(known, stores, strict=True)]


def _prove(record: RunRecord, pieces: Sequence[tuple[Store, Sequence[Cell]]], target: Store) -> None:
    """Compare every LoRA's images with the base's, as a run does; most shards could not."""
    plan = record.plan
    base = [cell for cell in plan.cells if cell.subject == BASELINE]
    home = max((target, *(store for store, _ in pieces)), key=lambda store: len(store.records(base)))
    if unmade := len(base) - len(home.records(base)):
        raise StoreError(
            f"{unmade} of {len(base)} images without LoRA are missing, and without them no LoRA is proven to be "
            "applied; finish shard 1, which makes them, and give its folder too."
        )
    proven: set[str] = set()
    for store, cells in pieces:
        made = store.records(cells)
        there = [cell for cell in cells if cell.subject != BASELINE and cell.key in made and made[cell.key].path]
        for subject, batch in plan.batches(there, record.batch_size):
            if subject.identity in proven:
                continue
            if not changes_pixels([(cell, store.load_image(cell)) for cell in batch], plan.baseline, home):
                raise not_applied(subject, batch[0].strength)
            proven.add(subject.identity)


# The whole


def _whole(known: Sequence[_Part], target: Path) -> RunRecord:
    first = known[0].record
    config = replace(first.config, folder_path=str(target))
    environments = [part.record.environment for part in known]
    return replace(first, config=config, shard=None, environment=_together(environments) | {"date": now()})


def _together(environments: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """What all machines have in common, and the several values where they differ."""
    found: dict[str, object] = {}
    for key in environments[0]:
        values = [one.get(key) for one in environments]
        if all(value == values[0] for value in values):
            found[key] = values[0]
        elif all(isinstance(value, Mapping) for value in values):
            found[key] = _together(values)  # type: ignore[arg-type]
        else:
            found[key] = "; ".join(dict.fromkeys(str(value) for value in values))
    return found


def _missing(plan: Plan, part: _Part, store: Store) -> tuple[str, ...]:
    """A sentence for every shard that has left something open."""
    record = part.record
    there = store.records(plan.cells)
    cut = parts(plan, record.suite, part.shard.of, record.batch_size)
    counts = [(number, sum(cell.key not in there for cell in cells), len(cells)) for number, cells in enumerate(cut, 1)]
    return tuple(
        f"{Shard(number=number, of=part.shard.of)}: {missing} of {planned} images are missing"
        for number, missing, planned in counts
        if missing
    )


def _judged(whole: RunRecord, folder: Path, store: Store, progress: Progress) -> FinishedRun:
    """Observed where that is missing, scored and judged, as a run is."""
    tools, suite, plan = open_tools(whole.config, whole.suite), whole.suite, whole.plan
    metrics = {scorer.name: info(scorer) for scorer in tools.scorers}
    references = resolve(suite.references) if suite.references else None
    reference = observe_references(references, tools.perceiver, store)
    scores = look_and_score(plan.cells, tools, reference, store, progress)
    store.write_json("run.json", replace(whole, metrics=metrics, perceiver=tools.perceiver.fingerprint()))
    store.write_json("verdict.json", judge(plan.cells, scores, suite.criteria, plan.subjects, metrics))
    return finished(folder, store)
