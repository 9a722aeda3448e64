"""The frozen form of a suite."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from evalharness.digest import digest, without_defaults
from evalharness.types import Criteria, Prompt, Rule, Setting

Size = Literal["native"] | tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingTemplate:
    """Settings that differ along axes; size is (width, height) in pixels or 'native', the size the model was made for.

    Steps are at least 1, guidance scales at least 0. Of clips of so many `frames`, `scored_frames` are looked at.
    """

    sampler: tuple[str, ...] = ("default",)
    steps: tuple[int, ...] = (20,)
    guidance_scale: tuple[float, ...] = (5.0,)
    size: Size = "native"
    frames: int = 1
    scored_frames: int = 1

    @property
    def shown(self) -> tuple[int, ...]:
        """The numbers of the frames that are looked at: the middles of equal stretches of the clip, in order."""
        return tuple((2 * part + 1) * self.frames // (2 * self.scored_frames) for part in range(self.scored_frames))

    def settings(self, native: tuple[int, int]) -> tuple[Setting, ...]:
        """Every combination, the guidance scale varying fastest; `native` is the model's (width, height).

        Of clips each names the frame 0.
        """
        width, height = native if self.size == "native" else self.size
        return tuple(
            Setting(
                sampler=sampler,
                steps=steps,
                guidance_scale=guidance_scale,
                width=width,
                height=height,
                frames=self.frames,
            )
            for sampler, steps, guidance_scale in itertools.product(self.sampler, self.steps, self.guidance_scale)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNames:
    """How existing images say which prompt they show: patterns of file names, tried in order, or a CSV file.

    A pattern's fields are axes of the prompts and `prompt` (its id), `subject`, `seed`, `variant`, `cfg`, `strength`.
    A CSV has a column `file`; its other columns are fields. What no pattern fits, and with neither of them every file,
    is what its own metadata says; files that say nothing are an error, or skipped.
    """

    pattern: tuple[str, ...] = ()
    csv: str | None = None
    skip_unmatched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Images where they decide: `start` seeds for every subject and strength, more only for those that may be best.

    It ends where the best is named with `confidence`; where more seeds can hardly change the answer on these prompts,
    since the leader is expected to be worse than the best by less than `tolerance` of the objective; where all seeds
    are used; or before more than `images` are needed (None = no limit).
    """

    start: int = 1
    images: int | None = None
    confidence: float = 0.95
    tolerance: float = 0.01

    def ladder(self, seeds: int) -> tuple[int, ...]:
        """How many of so many seeds a subject can have: each time half as many more, so that the looks are few."""
        rungs = [min(self.start, seeds)]
        while rungs[-1] < seeds:
            rungs.append(min(rungs[-1] + math.ceil(rungs[-1] / 2), seeds))
        return tuple(rungs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """What is measured. `references` is the folder of the character's images.

    `objective` weighs metrics for 'best', among what breaks none of the `constraints`. `strengths` are above 0;
    strength 0, the baseline, is in every plan. Without a `budget`, all images are made.
    """

    name: str
    version: int = 1
    description: str = ""
    prompts: tuple[Prompt, ...]
    settings: tuple[SettingTemplate, ...]
    seeds: tuple[int, ...]
    strengths: tuple[float, ...] = (1.0,)
    references: str | None = None
    scorers: tuple[str, ...]
    gates: tuple[Rule, ...] = ()
    objective: Mapping[str, float] = field(default_factory=dict)
    constraints: tuple[Rule, ...] = ()
    budget: Budget | None = None
    files: FileNames = FileNames()

    @property
    def criteria(self) -> Criteria:
        """What is asked of subjects, and at how many moments the answer may be final."""
        return Criteria(
            gates=self.gates,
            weights=self.objective,
            constraints=self.constraints,
            confidence=self.budget.confidence if self.budget else 0.95,
            looks=len(self.budget.ladder(len(self.seeds))) if self.budget else 1,
        )

    @property
    def digest(self) -> str:
        """SHA-256 of all that is measured; comments, order of keys and overrides' form in the YAML do not matter."""
        settings = tuple(without_defaults(one, ("frames", "scored_frames")) for one in self.settings)
        gates, constraints = (
            tuple(without_defaults(rule, ("judge_alone",)) for rule in rules)
            for rules in (self.gates, self.constraints)
        )
        return digest(replace(self, settings=settings, gates=gates, constraints=constraints))

    @property
    def axes(self) -> Mapping[str, tuple[str, ...]]:
        """The labels of each axis of the prompts, in order of appearance."""
        labels: dict[str, dict[str, None]] = {}
        for prompt in self.prompts:
            for axis, label in prompt.axes.items():
                labels.setdefault(axis, {})[label] = None
        return {axis: tuple(found) for axis, found in labels.items()}
