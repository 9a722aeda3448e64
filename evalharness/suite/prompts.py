"""Prompts: written one by one, or made from a grid's template and axes."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from string import Formatter
from typing import Any

from evalharness.errors import SuiteError, unknown
from evalharness.suite.sides import with_hair_side
from evalharness.suite.strict import convert, listed, one_of, only_known
from evalharness.types import Expectation, Prompt

WORDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "emotion": ("emotion", ("neutral", "happy", "sad", "angry", "surprised")),
    "hair_side": ("side", ("left", "right", "none")),
    "character_side": ("side", ("left", "right")),
    "hairstyle": ("hairstyle", ("side_ponytail", "twin_tails", "ponytail", "down")),
    "view": ("view", ("front", "behind", "left_profile", "right_profile")),
}
"""What an expectation may say, with what a wrong word is called; its other texts are free."""

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label of a grid's axis: its words in the prompt, and what it asks for."""

    phrase: str
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A template such as '{archetype}, {emotion}, anime style', and for each axis label -> Label."""

    template: str
    axes: Mapping[str, Mapping[str, Any]]
    negative: str | None = None
    expect: Mapping[str, Any] = field(default_factory=dict)


def read_prompts(suite: Raw, place: str) -> tuple[Prompt, ...]:
    """The prompts of a suite: those under `prompts`, then each grid's; raises SuiteError, also where there is none."""
    _check_expectation(suite.get("expect", {}), f"{place} expect")
    defaults = {"negative": suite.get("negative", ""), "expect": suite.get("expect", {})}
    prompts = [
        _prompt(defaults, raw, f"{place} prompts[{index}]")
        for index, raw in enumerate(listed(suite.get("prompts", [])))
    ]
    for index, raw in enumerate(listed(suite.get("grid", []))):
        where = f"{place} grid[{index}]"
        prompts += [_prompt(defaults, one, where) for one in _combinations(raw, where)]
    if not prompts:
        raise SuiteError(f"{place} has no prompts; list them under 'prompts' or make them with a 'grid'.")
    _distinct(prompts, place)
    return tuple(prompts)


def _prompt(defaults: Raw, raw: object, place: str) -> Prompt:
    given = only_known(raw, ("id", "text", "negative", "expect", "axes"), place)
    expect = given.get("expect", {})
    _check_expectation(expect, f"{place}.expect")
    # None takes back what the suite expects of its prompts, and is what a dataclass holds where nothing is asked
    merged = {key: value for key, value in {**defaults["expect"], **expect}.items() if value is not None}
    asked = with_hair_side(merged, f"{place}.expect")
    prompt = convert({"negative": defaults["negative"], **given, "expect": asked}, Prompt, place)
    if not prompt.id or not prompt.text.strip():
        raise SuiteError(f"{place} needs an id and a text that are not empty.")
    return prompt


def _check_expectation(raw: object, place: str) -> None:
    known = only_known(raw, [item.name for item in fields(Expectation)], place)
    for key, (kind, words) in WORDS.items():
        one_of(known.get(key), words, kind, f"{place}.{key}")
    given = {key: value for key, value in known.items() if value is not None}
    faces = convert(given, Expectation, place).faces
    if faces is not None and faces < 0:
        raise SuiteError(f"{place}.faces is {faces}; a number of faces is 0 or more.")


def _distinct(prompts: list[Prompt], place: str) -> None:
    ids: set[str] = set()
    texts: dict[tuple[str, str], str] = {}
    for index, prompt in enumerate(prompts):
        if prompt.id in ids:
            raise SuiteError(f"{place} prompts[{index}].id '{prompt.id}' is used twice; ids must be unique.")
        ids.add(prompt.id)
        twin = texts.setdefault((prompt.text, prompt.negative), prompt.id)
        if twin != prompt.id:
            raise SuiteError(f"{place} prompts '{twin}' and '{prompt.id}' have the same text; they make equal images.")


# Grids


def _combinations(raw: object, place: str) -> Iterator[Raw]:
    grid = convert(raw, Grid, place)
    axes = {axis: _labels(labels, f"{place}.axes.{axis}") for axis, labels in grid.axes.items()}
    used = _placeholders(grid.template, axes, f"{place}.template")
    if unused := sorted(set(axes) - used):
        raise SuiteError(f"{place}.axes.{unused[0]} is not in the template; write {{{unused[0]}}} where it belongs.")
    for labels in itertools.product(*axes.values()):
        chosen = dict(zip(axes, labels, strict=True))
        yield _combination(grid, axes, chosen, place)


def _combination(grid: Grid, axes: Mapping[str, Mapping[str, Label]], chosen: dict[str, str], place: str) -> Raw:
    """The prompt of one label per axis, as if it had been written by hand."""
    labels = {axis: axes[axis][label] for axis, label in chosen.items()}
    expect: Raw = {key: _filled(value, chosen, f"{place}.expect.{key}") for key, value in grid.expect.items()}
    for label in labels.values():
        expect |= label.expect
    text = grid.template.format_map({axis: label.phrase for axis, label in labels.items()})
    prompt: Raw = {"id": "_".join(chosen.values()), "text": text, "expect": expect, "axes": chosen}
    return prompt if grid.negative is None else prompt | {"negative": grid.negative}


def _labels(raw: Mapping[str, Any], place: str) -> dict[str, Label]:
    if not raw:
        raise SuiteError(f"{place} has no labels; write label: phrase.")
    return {
        label: convert({"phrase": given} if isinstance(given, str) else given, Label, f"{place}.{label}")
        for label, given in raw.items()
    }


def _filled(value: object, chosen: Mapping[str, str], place: str) -> object:
    if not isinstance(value, str):
        return value
    _placeholders(value, chosen, place)
    return value.format_map(dict(chosen))


def _placeholders(template: str, known: Mapping[str, object], place: str) -> set[str]:
    """The names in braces; raises SuiteError for one that is no axis, and for braces that do not close."""
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise SuiteError(f"{place} '{template}': {error}; write an axis as {{name}}, a brace as {{{{.") from None
    for name in names:
        if name not in known:
            raise SuiteError(f"{place} has an {unknown('axis', name, known)}")
    return names
