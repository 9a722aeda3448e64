"""The reference board: the reference images' colours, and each subject's typical colour beside theirs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from evalharness.report import numbers
from evalharness.scorers.color_drift import change_in_figures, change_in_words
from evalharness.scorers.lab import hexadecimal
from evalharness.scorers.typical import difference
from evalharness.types import FinishedRun, Lab, Mark, ReferenceImage, Score

METRICS: Mapping[str, str] = {"color_drift": "hair", "eye_color_drift": "eyes", "skin_color_drift": "skin"}
"""Metrics whose evidence is a pair of swatches, the image's and the references', and the region they are about."""

# whatever else a scorer calls a colour must not reach a style sheet
HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swatch:
    """A colour with the region whose it is."""

    region: str
    color: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRow:
    """A reference image with its palette; `outline` are the points of the hair's SVG polygon, '' where unseen."""

    name: str
    thumbnail: str
    width: int
    height: int
    outline: str
    palette: tuple[Swatch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftCell:
    """A subject's median colour of one region: where it went from the references', in words and in signed steps."""

    color: str
    drift: str
    words: str
    figures: str
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRow:
    """One subject, with its strength where it has several; None where nothing could be measured."""

    subject: str
    leads: bool
    cells: tuple[DriftCell | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The reference images, the colours that they have in common, and the drift from these."""

    images: tuple[ReferenceRow, ...]
    typical: tuple[Swatch, ...]
    rows: tuple[DriftRow, ...]


def board(given: FinishedRun) -> Board | None:
    """The whole board; None for a run without references. Colours come from the evidence of the drift metrics."""
    found = {metric: _swatches(given, metric) for metric in METRICS if metric in given.metrics}
    pairs = {metric: colors for metric, colors in found.items() if colors}
    if not given.references and not pairs:
        return None
    typical = {metric: next(iter(colors.values()))[0][1] for metric, colors in pairs.items()}
    return Board(
        images=tuple(_reference(one) for one in given.references),
        typical=tuple(Swatch(region=METRICS[metric], color=color) for metric, color in typical.items()),
        rows=tuple(_rows(given, pairs, typical)),
    )


def _reference(one: ReferenceImage) -> ReferenceRow:
    return ReferenceRow(
        name=one.name,
        thumbnail=one.thumbnail,
        width=one.width,
        height=one.height,
        outline=" ".join(f"{x:g},{y:g}" for x, y in one.outline),
        palette=tuple(
            Swatch(region=region, color=hexadecimal(one.colors[region]))
            for region in METRICS.values()
            if region in one.colors
        ),
    )


Pairs = Mapping[tuple[str, float], Sequence[tuple[str, str]]]
"""By subject and strength: each image's colour and the references', as #rrggbb."""


def _swatches(given: FinishedRun, metric: str) -> Pairs:
    found: dict[tuple[str, float], list[tuple[str, str]]] = {}
    for cell in given.cells:
        score = next((one for one in given.scores.get(cell.key, ()) if one.metric == metric), None)
        colors = _pair(score)
        if colors is not None:
            found.setdefault((cell.subject, cell.strength), []).append(colors)
    return found


def _pair(score: Score | None) -> tuple[str, str] | None:
    marks: Sequence[Mark] = () if score is None else score.evidence
    match [mark.color for mark in marks if mark.kind == "swatch"]:
        case [str(here), str(there)] if HEX.match(here) and HEX.match(there):
            return here, there
    return None


def _rows(given: FinishedRun, pairs: Mapping[str, Pairs], typical: Mapping[str, str]) -> Iterable[DriftRow]:
    selection = given.judgement.selection
    arms = list(dict.fromkeys((cell.subject, cell.strength) for cell in given.cells))
    for subject, strength in arms:
        several = sum(name == subject for name, _ in arms) > 1
        yield DriftRow(
            subject=f"{subject} @ {strength:g}" if several else subject,
            leads=(subject, strength) == (selection.leader, selection.strength),
            cells=tuple(
                _drift(colors.get((subject, strength), ()), typical[metric]) for metric, colors in pairs.items()
            ),
        )


def _drift(colors: Sequence[tuple[str, str]], typical: str) -> DriftCell | None:
    if not colors:
        return None
    middle = _triple(np.median(labs([here for here, _ in colors]), axis=0))
    reference = _triple(labs([typical])[0])
    return DriftCell(
        color=hexadecimal(middle),
        drift=numbers.number(float(difference(np.array(reference), np.array(middle))), "deltaE00"),
        words=change_in_words(reference, middle),
        figures=re.sub(r"[+-]0\b", "0", change_in_figures(reference, middle)).replace("-", "−"),
        images=len(colors),
    )


def labs(colors: Sequence[str]) -> NDArray[np.float64]:
    """CIELAB (D65) of colours as #rrggbb, (n, 3)."""
    rgb = np.array([tuple(bytes.fromhex(color[1:])) for color in colors], dtype=np.float64)
    return np.asarray(rgb2lab(rgb / 255.0), dtype=np.float64)


def _triple(values: NDArray[np.float64]) -> Lab:
    light, red, yellow = (float(value) for value in values)
    return light, red, yellow
