"""Suite x subjects -> cells, in the order that makes them cheapest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby, product

from evalharness.digest import digest, without_defaults
from evalharness.suite import Suite
from evalharness.types import BASELINE, Cell, Prompt, Setting, Subject

BASE = Subject(name=BASELINE, identity=BASELINE)
"""The subject without any LoRA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerFacts:
    """What a plan must know of the maker: its `fingerprint()`, and its `native_size()` as (width, height)."""

    fingerprint: Mapping[str, object]
    native_size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All cells of a run in the order they are made, and their subjects (the baseline first, where it is measured).

    Cells name their subject by `Subject.name`. `gone` names the subjects whose files were deleted since: what was made
    of them stays, and nothing more can be made.
    """

    cells: tuple[Cell, ...]
    subjects: tuple[Subject, ...]
    gone: tuple[str, ...] = ()

    @property
    def baseline(self) -> dict[str, Cell]:
        """The no-LoRA cell of each pair_key."""
        return {cell.pair_key: cell for cell in self.cells if cell.subject == BASELINE}

    def only(self, cells: Iterable[Cell]) -> "Plan":
        """The same plan with these of its cells, in its order."""
        keys = {cell.key for cell in cells}
        return replace(self, cells=tuple(cell for cell in self.cells if cell.key in keys))

    def makeable(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """Those of the cells whose subjects' files are still there."""
        return tuple(cell for cell in cells if cell.subject not in self.gone)

    def reachable(self, tried: Iterable[Cell]) -> "Plan":
        """The same plan without what nobody can make any more: cells of deleted files that were never tried."""
        return self.only((*self.makeable(self.cells), *tried)) if self.gone else self

    def subjects_of(self, cells: Iterable[Cell]) -> tuple[Subject, ...]:
        """The subjects that own any of these cells, in the plan's order."""
        names = {cell.subject for cell in cells}
        return tuple(subject for subject in self.subjects if subject.name in names)

    def batches(self, cells: Iterable[Cell], batch_size: int) -> Iterator[tuple[Subject, tuple[Cell, ...]]]:
        """Runs of cells of one subject, one strength and one setting, in the given order, of `batch_size` at most.

        All frames of a clip count as one and stay together.
        """
        subjects = {subject.name: subject for subject in self.subjects}
        for (name, _, _), group in groupby(cells, key=lambda cell: (cell.subject, cell.strength, cell.setting.clip)):
            clips = [tuple(frames) for _, frames in groupby(group, key=lambda cell: cell.clip)]
            for start in range(0, len(clips), batch_size):
                yield subjects[name], tuple(chain(*clips[start : start + batch_size]))


def make_plan(suite: Suite, subjects: Sequence[Subject], facts: MakerFacts) -> Plan:
    """Every subject at every strength on every prompt, setting and seed, and the baseline once on each of these draws.

    Order: baseline, then subject, strength, size, setting, prompt, seed, frame, so that a LoRA is loaded once, its
    strength set seldom, and batches are full. Equal draws have equal pair_keys across subjects and strengths.
    """
    shown = {one: template.shown for template in suite.settings for one in template.settings(facts.native_size)}
    # sorted() is stable: within one size, settings keep the suite's order
    ordered = sorted(shown, key=lambda setting: (setting.width, setting.height))
    draws = [
        (replace(setting, frame=frame), prompt, seed)
        for setting, prompt, seed in product(ordered, suite.prompts, suite.seeds)
        for frame in shown[setting]
    ]
    maker = digest(facts.fingerprint)
    pairs = [pair_key(prompt, setting, seed, maker) for setting, prompt, seed in draws]
    levels = [(BASE, 0.0), *product(subjects, suite.strengths)]
    cells = tuple(
        Cell(
            key=digest([pair, subject.identity, float(strength)]),
            pair_key=pair,
            subject=subject.name,
            strength=float(strength),
            prompt=prompt,
            setting=setting,
            seed=seed,
        )
        for subject, strength in levels
        for (setting, prompt, seed), pair in zip(draws, pairs, strict=True)
    )
    return Plan(cells=cells, subjects=(BASE, *subjects))


def pair_key(prompt: Prompt, setting: Setting, seed: int, maker: str) -> str:
    """Digest of all that can change a pixel but subject and strength; ids, axes and expectations change none."""
    sampled = without_defaults(setting, ("frames", "frame"))
    return digest([prompt.text, prompt.negative, sampled, seed, maker])
