"""Builders of cells and observations for the tests of scorers, statistics and gate."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from evalharness.types import (
    BASELINE,
    Box,
    Cell,
    Expectation,
    Face,
    Hair,
    MetricInfo,
    Observation,
    Part,
    Prompt,
    Score,
    Setting,
    Subject,
)

EMOTIONS = ("neutral", "happy", "sad", "angry", "surprised")
Value = Callable[[Cell], Mapping[str, float | None]]
BOX = Box(x=10.0, y=20.0, width=30.0, height=40.0)
WHOLE = Box(x=0.0, y=0.0, width=128.0, height=128.0)


def expecting(**expected: Any) -> Cell:
    """A cell whose prompt has this expectation."""
    return cell_of("epoch", "prompt", 1, expect=Expectation(**expected))


def cell_of(subject: str, prompt: str, seed: int, *, strength: float | None = None, **more: Any) -> Cell:
    """A cell with a readable key; equal prompt, seed and guidance scale are the same draw."""
    scale = more.pop("guidance_scale", 5.0)
    strength = strength if strength is not None else (0.0 if subject == BASELINE else 1.0)
    return Cell(
        key=f"{subject}/{strength}/{prompt}/{scale}/{seed}",
        pair_key=f"{prompt}/{scale}/{seed}",
        subject=subject,
        strength=strength,
        prompt=Prompt(id=prompt, text=prompt, **more),
        setting=Setting(guidance_scale=scale),
        seed=seed,
    )


def scored(cell: Cell, **values: float | None) -> tuple[Score, ...]:
    """Scores of a cell by metric; None is unscored."""
    return tuple(
        Score(metric=name, value=value, reason="seen" if value is not None else "not seen")
        for name, value in values.items()
    )


def metric(name: str, *, higher_is_better: bool = True, unit: str = "") -> MetricInfo:
    return MetricInfo(name=name, version=1, unit=unit, higher_is_better=higher_is_better)


def epoch(number: int) -> Subject:
    return Subject(name=f"girl-{number:06d}", identity=f"digest {number}", epoch=number)


def part(name: Any, state: Any = "present", confidence: float = 1.0, **emotions: float) -> Part:
    return Part(name=name, state=state, confidence=confidence, box=BOX, emotions=emotions)


def face(*parts: Part, confidence: float = 1.0, box: Box = BOX) -> Face:
    return Face(box=box, confidence=confidence, parts=parts)


def hair(left: float, right: float, **more: Any) -> Hair:
    return Hair(share=0.2, left=left, right=right, below=0.1, axis=((64.0, 0.0), (64.0, 80.0)), **more)


def seen(*faces: Face, **more: Any) -> Observation:
    return Observation(width=128, height=128, faces=faces, **{"panels": (WHOLE,), **more})


def whole_face(emotions: Mapping[str, Mapping[str, float]]) -> Face:
    """A face whose eyes, brows and mouth have the given distributions."""
    names = {"eyes": ("left_eye", "right_eye"), "brows": ("brows",), "mouth": ("mouth",)}
    return face(*(part(name, **shares) for group, shares in emotions.items() for name in names[group]))


def matrix(
    subjects: Iterable[Subject], values: Value, prompts: int = 6, seeds: int = 4
) -> tuple[list[Cell], dict[str, tuple[Score, ...]]]:
    """Every subject's cells, axes `view` front and behind in turn, with the scores that `values` gives them."""
    cells = [
        cell_of(subject.name, f"p{prompt}", seed, axes={"view": ("front", "behind")[prompt % 2]})
        for subject in subjects
        for prompt in range(prompts)
        for seed in range(seeds)
    ]
    return cells, {cell.key: scored(cell, **values(cell)) for cell in cells}
