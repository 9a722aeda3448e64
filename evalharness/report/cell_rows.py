"""The images of a run as data for the page's script: axes, cells, scores. Small, because runs are large.

Repeated texts and digests are stored once and pointed at by number; a cell's place on each axis is a number, too, so
the script can lay out any two axes as rows and columns without knowing what they mean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from evalharness.report.numbers import NOTHING, plain
from evalharness.types import BASELINE, Cell, Failure, Mark, MetricInfo, Score, Setting

Row = dict[str, object]
LabelOf = Callable[[Cell], str]


class Interner:
    """Gives each distinct text a number, in order of first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """The text's number, new or known."""
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> list[str]:
        """All texts; a text's number is its index."""
        return list(self._numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One way to arrange cells. `own` axes are the run's (subject, seed ...); the others are labels of the prompts."""

    name: str
    values: tuple[str, ...]
    own: bool
    label_of: LabelOf


OWN_AXES: Mapping[str, tuple[LabelOf, Callable[[Cell], object] | None]] = {
    # name: (label, what to sort by; None = order of first appearance)
    "subject": (lambda cell: cell.subject, None),
    "strength": (lambda cell: plain(cell.strength), lambda cell: cell.strength),
    "prompt": (lambda cell: cell.prompt.id, None),
    "seed": (lambda cell: str(cell.seed), lambda cell: cell.seed),
    "guidance_scale": (lambda cell: plain(cell.setting.guidance_scale), lambda cell: cell.setting.guidance_scale),
    "steps": (lambda cell: str(cell.setting.steps), lambda cell: cell.setting.steps),
    "sampler": (lambda cell: cell.setting.sampler, None),
    "size": (lambda cell: f"{cell.setting.width} × {cell.setting.height}", lambda cell: cell.setting.width),
}
ALWAYS = ("subject", "prompt")


def axes_of(cells: tuple[Cell, ...], subjects: tuple[str, ...]) -> tuple[Axis, ...]:
    """The axes on which the cells differ, subject and prompt always among them; subjects keep the given order."""
    axes = [_own_axis(name, cells, subjects) for name in OWN_AXES]
    axes += [_prompt_axis(name, cells) for name in _prompt_axis_names(cells)]
    return tuple(axis for axis in axes if len(axis.values) > 1 or axis.name in ALWAYS)


def cell_data(
    cells: tuple[Cell, ...],
    subjects: tuple[str, ...],
    images: Mapping[str, str | Failure],
    scores: Mapping[str, tuple[Score, ...]],
    metrics: Mapping[str, MetricInfo],
) -> Row:
    """Everything the script needs to draw the grid, the matrix and one image; JSON-able."""
    axes = axes_of(cells, subjects)
    encoder = _Encoder(axes, metrics)
    rows = [encoder.cell(cell, images.get(cell.key), scores.get(cell.key, ())) for cell in cells]
    return {
        "baseline": BASELINE,
        "axes": [{"name": axis.name, "values": axis.values, "own": axis.own} for axis in axes],
        "metrics": [_metric(info, scores) for info in metrics.values()],
        "prompts": encoder.prompts,
        "settings": encoder.settings,
        "reasons": encoder.reasons.texts(),
        "cells": rows,
    }


class _Encoder:
    """Turns cells into rows, and collects what they share."""

    def __init__(self, axes: tuple[Axis, ...], metrics: Mapping[str, MetricInfo]) -> None:
        self._axes = axes
        self._places = [{value: index for index, value in enumerate(axis.values)} for axis in axes]
        self._metrics = {name: index for index, name in enumerate(metrics)}
        self._pairs, self._prompt_ids, self._setting_ids = Interner(), Interner(), Interner()
        self.reasons = Interner()
        self.prompts: list[Row] = []
        self.settings: list[Row] = []

    def cell(self, cell: Cell, image: str | Failure | None, scores: tuple[Score, ...]) -> Row:
        """One cell's row; `at` is its place on each axis, `image` a relative address."""
        row: Row = {
            "key": cell.key,
            "pair": self._pairs.number(cell.pair_key),
            "subject": cell.subject,
            "strength": cell.strength,
            "seed": cell.seed,
            "prompt": self._prompt(cell),
            "setting": self._setting(cell.setting),
            "at": [place[axis.label_of(cell)] for axis, place in zip(self._axes, self._places, strict=True)],
            "scores": [self._score(score) for score in scores if score.metric in self._metrics],
        }
        if cell.source is not None:
            row["source"] = cell.source
        if image is not None:
            row.update({"failure": image.reason} if isinstance(image, Failure) else {"image": address(image)})
        return row

    def _prompt(self, cell: Cell) -> int:
        prompt = cell.prompt
        number = self._prompt_ids.number(prompt.id)
        if number == len(self.prompts):
            self.prompts.append({"id": prompt.id, "text": prompt.text, "negative": prompt.negative})
        return number

    def _setting(self, setting: Setting) -> int:
        number = self._setting_ids.number(repr(setting))
        if number == len(self.settings):
            names = ("sampler", "steps", "guidance_scale", "width", "height")
            self.settings.append({name: getattr(setting, name) for name in names})
        return number

    def _score(self, score: Score) -> list[object]:
        value = None if score.value is None else round(score.value, 4)
        marks = [_mark(mark) for mark in score.evidence]
        return [self._metrics[score.metric], value, self.reasons.number(score.reason), marks]


def address(path: str) -> str:
    """A path from the run folder as a relative address: no scheme, host or query can come of a file's name."""
    return "./" + quote(path.encode("utf-8", "surrogateescape"))


def _mark(mark: Mark) -> list[object]:
    points = [[round(x, 1), round(y, 1)] for x, y in mark.points]
    return [mark.kind, mark.label, points, mark.color]


def _metric(info: MetricInfo, scores: Mapping[str, tuple[Score, ...]]) -> Row:
    """How to show a metric; `low` and `high` are the ends of its colour scale: 0..1 for shares, else 0..largest."""
    values = [abs(s.value) for found in scores.values() for s in found if s.metric == info.name and s.value is not None]
    high = 1.0 if info.unit == "" else max([*values, 1e-9])
    return {
        "name": info.name,
        "version": info.version,
        "unit": info.unit,
        "higherIsBetter": info.higher_is_better,
        "high": high,
    }


def _own_axis(name: str, cells: tuple[Cell, ...], subjects: tuple[str, ...]) -> Axis:
    label_of, order = OWN_AXES[name]
    ordered = sorted(cells, key=order) if order else cells  # type: ignore[arg-type]
    values = dict.fromkeys(label_of(cell) for cell in ordered)
    if name == "subject":
        given = [subject for subject in subjects if subject in values]
        values = dict.fromkeys([*(s for s in given if s == BASELINE), *given, *values])
    return Axis(name=name, values=tuple(values), own=True, label_of=label_of)


def _prompt_axis_names(cells: tuple[Cell, ...]) -> list[str]:
    names = dict.fromkeys(name for cell in cells for name in cell.prompt.axes)
    return [name for name in names if name not in OWN_AXES]


def _prompt_axis(name: str, cells: tuple[Cell, ...]) -> Axis:
    def label_of(cell: Cell) -> str:
        return cell.prompt.axes.get(name, NOTHING)

    values = dict.fromkeys(label_of(cell) for cell in cells)
    return Axis(name=name, values=tuple(values), own=False, label_of=label_of)
