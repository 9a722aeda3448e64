"""Plain values, as they come from YAML and overrides -> one checked, frozen Suite."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evalharness.errors import SuiteError, unknown
from evalharness.registry import ON_REQUEST, table
from evalharness.suite.gates import read_gates, read_objective
from evalharness.suite.model import Budget, FileNames, SettingTemplate, Suite
from evalharness.suite.prompts import read_prompts
from evalharness.suite.strict import convert, listed, only_known, unique

SMALLEST, LARGEST = 64, 4096
LAST_SEED = 2**63 - 1
AXES = ("sampler", "steps", "guidance_scale")
"""What a setting may list several of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """The keys of a suite whose values need no more than their type."""

    name: str
    version: int = 1
    description: str = ""
    seeds: tuple[int, ...]
    strengths: tuple[float, ...] = (1.0,)
    references: str | None = None
    scorers: tuple[str, ...] = ()


PLAIN = ("name", "version", "description", "seeds", "strengths", "references", "scorers")
MADE = ("prompts", "grid", "negative", "expect", "settings", "gates", "objective", "budget", "files")
CONFIGURED = ("subjects", "perception")
"""Keys that may stand in a suite's file, and are for the configuration."""


def read_suite(raw: Mapping[str, object]) -> Suite:
    """Check a suite and freeze it; raises SuiteError, one sentence with the place, for the first mistake.

    `negative` and `expect` are defaults of all prompts; `subjects` and `perception` are for the configuration.
    """
    place = f"suite {raw.get('name', 'without a name')}:"
    known: Mapping[str, Any] = only_known(raw, (*PLAIN, *MADE, *CONFIGURED), place)
    plain = convert({key: raw[key] for key in PLAIN if key in raw}, _Plain, place)
    _check_samples(plain, place)
    scorers = plain.scorers or tuple(sorted(table("scorer").keys() - ON_REQUEST))
    prompts = read_prompts(dict(known), place)
    axes = {axis for one in prompts for axis in one.axes}
    gates = read_gates(known.get("gates", ()), scorers, axes, place)
    objective = read_objective(known.get("objective"), gates, scorers, axes, place)
    budget = _budget(known.get("budget"), len(plain.seeds), f"{place} budget")
    if budget and any("seed" in rule.where for rule in (*gates, *objective.constraints)):
        raise SuiteError(f"{place} a rule is about one seed, which a budget may not reach; leave out where.seed.")
    return Suite(
        name=plain.name,
        version=plain.version,
        description=plain.description,
        prompts=prompts,
        settings=read_settings(known.get("settings", {}), place),
        seeds=plain.seeds,
        strengths=plain.strengths,
        references=plain.references,
        scorers=scorers,
        gates=gates,
        objective=objective.weights,
        constraints=objective.constraints,
        budget=budget,
        files=_files(known.get("files", {}), f"{place} files"),
    )


def _check_samples(plain: _Plain, place: str) -> None:
    for key, values in (("seeds", plain.seeds), ("strengths", plain.strengths)):
        if not values:
            raise SuiteError(f"{place} {key} is empty; give at least one.")
        unique(values, f"{place} {key}")
    unique(plain.scorers, f"{place} scorers")
    for index, seed in enumerate(plain.seeds):
        if not 0 <= seed <= LAST_SEED:
            raise SuiteError(f"{place} seeds[{index}] is {seed}; a seed is at least 0 and below 2^63.")
    for index, strength in enumerate(plain.strengths):
        if not 0 < strength < float("inf"):
            raise SuiteError(
                f"{place} strengths[{index}] is {strength:g}; a strength is above 0, and 0, the baseline, "
                "is always measured."
            )
    for index, scorer in enumerate(plain.scorers):
        if scorer not in table("scorer"):
            raise SuiteError(f"{place} scorers[{index}]: {unknown('scorer', scorer, table('scorer'))}")


def read_settings(raw: object, place: str) -> tuple[SettingTemplate, ...]:
    """One setting or a list of them; sampler, steps and guidance_scale may each be a list, which makes an axis.

    `frames` makes clips, of which `scored_frames` are scored, evenly spaced.
    """
    if raw == []:
        raise SuiteError(f"{place} settings is empty; leave it out for the defaults.")
    numbered = isinstance(raw, list | tuple)
    templates = tuple(
        _template(one, f"{place} settings[{index}]" if numbered else f"{place} settings")
        for index, one in enumerate(listed(raw))
    )
    unique((setting for one in templates for setting in one.settings((0, 0))), f"{place} settings")
    return templates


def _template(raw: object, place: str) -> SettingTemplate:
    given = only_known(raw, (*AXES, "size", "frames", "scored_frames"), place)
    axes = {key: listed(value) if key in AXES else value for key, value in given.items()}
    template = convert({key: value for key, value in axes.items() if key != "size"}, SettingTemplate, place)
    for key in AXES:
        if not getattr(template, key):
            raise SuiteError(f"{place}.{key} is empty; give at least one.")
    if min(template.steps) < 1:
        raise SuiteError(f"{place}.steps is {min(template.steps)}; an image needs at least 1 step.")
    if not all(0 <= scale < float("inf") for scale in template.guidance_scale):
        raise SuiteError(f"{place}.guidance_scale holds {min(template.guidance_scale):g}; it is 0 or more.")
    if not 1 <= template.scored_frames <= template.frames:
        raise SuiteError(
            f"{place}.scored_frames is {template.scored_frames} of {template.frames} frames; a clip has at least "
            "1 frame, and at least 1 and at most all of them are scored."
        )
    size = given.get("size", "native")
    _check_size(size, place)
    return convert(axes, SettingTemplate, place) if size != "native" else template


def _check_size(size: object, place: str) -> None:
    sides = listed(size)
    fits = len(sides) == 2 and all(
        type(side) is int and side % 8 == 0 and SMALLEST <= side <= LARGEST for side in sides
    )
    if size != "native" and not fits:
        raise SuiteError(
            f"{place}.size is {size!r}; it is 'native' or [width, height], "
            f"multiples of 8 from {SMALLEST} to {LARGEST} pixels."
        )


def _budget(raw: object, seeds: int, place: str) -> Budget | None:
    if raw in (None, "all"):
        return None
    if isinstance(raw, str) and raw != "adaptive":
        raise SuiteError(f"{place}: {unknown('budget', raw, ('all', 'adaptive'))}")
    budget = Budget() if raw == "adaptive" else convert(raw, Budget, place)
    if not 1 <= budget.start <= seeds:
        raise SuiteError(f"{place}.start is {budget.start}; it is at least 1 and at most the suite's {seeds} seeds.")
    if budget.images is not None and budget.images < 1:
        raise SuiteError(f"{place}.images is {budget.images}; it is at least 1, or left out for no limit.")
    if not 0.5 < budget.confidence < 1.0:
        raise SuiteError(f"{place}.confidence is {budget.confidence:g}; it lies between 0.5 and 1, such as 0.95.")
    if not 0.0 <= budget.tolerance < float("inf"):
        raise SuiteError(f"{place}.tolerance is {budget.tolerance:g}; it is 0 or more, in units of the objective.")
    return budget


def _files(raw: object, place: str) -> FileNames:
    given = dict(only_known(raw, ("pattern", "csv", "skip_unmatched"), place))
    if "pattern" in given:
        given["pattern"] = listed(given["pattern"])
    return convert(given, FileNames, place)
