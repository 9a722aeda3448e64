"""A run that never happened, with everything a report must be able to show: used by the report's tests.

5 subjects x 2 strengths x 8 prompts x 2 seeds with pictures, marks, unscored cells and failures. Its numbers follow
from `GOODNESS`, so a test can know what must be on the page. What is concluded from them: sample_judgement.py.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw
from sample_judgement import LEADER, sample_judgement

from evalharness.digest import digest
from evalharness.types import (
    BASELINE,
    Cell,
    Expectation,
    Failure,
    FinishedRun,
    LoraFile,
    Mark,
    MetricInfo,
    Prompt,
    Score,
    Setting,
    Subject,
)

Painter = Callable[[Cell], Image.Image]

GOODNESS: Mapping[str, float] = {
    BASELINE: 0.55,
    "sakichan-000002": 0.62,
    LEADER: 0.88,
    "sakichan-000008": 0.85,
    "flipped": 0.45,
}
METRICS = {
    info.name: info
    for info in (
        MetricInfo(name="harmony", version=1, unit="", higher_is_better=True),
        MetricInfo(name="hair_side", version=1, unit="", higher_is_better=True),
        MetricInfo(name="color_drift", version=1, unit="deltaE00", higher_is_better=False),
        MetricInfo(name="faces", version=1, unit="", higher_is_better=True),
    )
}
ARCHETYPES = ("soft", "stoic")
EMOTIONS = ("neutral", "happy", "sad", "angry")
TAIL_LEFT, TAIL_RIGHT = ((8.0, 40.0), (40.0, 110.0)), ((88.0, 40.0), (120.0, 110.0))
SETTING = Setting(sampler="DDIM", steps=16, guidance_scale=3.0, width=128, height=128)


def sample_input(folder: Path, paint: Painter | None = None, seeds: Sequence[int] = (1, 2)) -> FinishedRun:
    """Make the run's pictures under `folder` and return what its report needs."""
    cells = _cells(seeds)
    images = {cell.key: _image(folder, cell, paint or plain_picture) for cell in cells}
    scores = {cell.key: _scores(cell) for cell in cells if isinstance(images[cell.key], str)}
    return FinishedRun(
        title="sakichan, epochs 2 to 8",
        run="2026-11-21_demo",
        suite="demo",
        description="A drawn character with a side ponytail at the image's right",
        record={
            "date": "2026-11-21 09:30",
            "suite digest": digest("demo"),
            "git": {"commit": "0f3b2c1", "dirty": False},
            "backend": {"maker": "diffusers", "device": "cpu", "dtype": "float32", "batch_size": 16},
            "perception": {"faces": "animeface 2.0.3", "hair": "colour clusters v1"},
            "environment": {"python": "3.11.7", "torch": "2.13.0+cpu", "platform": "Linux x86_64, 2 cores"},
        },
        subjects=tuple(_subject(name) for name in GOODNESS),
        cells=cells,
        images=images,
        scores=scores,
        metrics=METRICS,
        judgement=sample_judgement(tuple(GOODNESS), cells, scores),
    )


def plain_picture(cell: Cell) -> Image.Image:
    """A quick stand-in for a portrait: a head, and hair on one side."""
    image = Image.new("RGB", (128, 128), (236, 233, 226))
    pen = ImageDraw.Draw(image)
    pen.ellipse((36, 28, 92, 100), fill=(250, 222, 200))
    left = cell.subject == "flipped" and cell.seed == 2
    pen.ellipse((8, 40, 40, 110) if left else (88, 40, 120, 110), fill=(110, 70, 45))
    pen.arc((50, 70, 78, 90), 0 if cell.prompt.expect.emotion == "happy" else 180, 180, fill=(120, 40, 40), width=2)
    return image


def _subject(name: str) -> Subject:
    if name == BASELINE:
        return Subject(name=name, identity=BASELINE)
    epoch = int(name[-6:]) if name[-1].isdigit() else None
    lora = LoraFile(path=Path(f"loras/{name}.safetensors"), digest=digest(name))
    return Subject(name=name, identity=lora.digest, loras=(lora,), epoch=epoch)


def _prompts() -> tuple[Prompt, ...]:
    return tuple(
        Prompt(
            id=f"{archetype}_{emotion}",
            text=f"sakichan, {archetype} girl, {emotion}, brown hair, side ponytail, blue scrunchie, plain background",
            negative="collage, rope, animal ears",
            expect=Expectation(emotion=emotion, archetype=archetype, hair_side="right", faces=1),
            axes={"archetype": archetype, "emotion": emotion},
        )
        for archetype in ARCHETYPES
        for emotion in EMOTIONS
    )


def _cells(seeds: Sequence[int]) -> tuple[Cell, ...]:
    return tuple(
        _cell(subject, strength, prompt, seed)
        for subject in GOODNESS
        for strength in ((0.0,) if subject == BASELINE else (0.7, 1.0))
        for prompt in _prompts()
        for seed in seeds
    )


def _cell(subject: str, strength: float, prompt: Prompt, seed: int) -> Cell:
    return Cell(
        key=digest([subject, strength, prompt.id, seed]),
        pair_key=digest([prompt.id, seed]),
        subject=subject,
        strength=strength,
        prompt=prompt,
        setting=SETTING,
        seed=seed,
    )


def _image(folder: Path, cell: Cell, paint: Painter) -> str | Failure:
    if cell.subject == "flipped" and cell.prompt.id == "stoic_angry" and cell.seed == 2:
        return Failure(reason="the image is not a PNG: 12 bytes, truncated.")
    relative = f"images/{cell.key[:2]}/{cell.key}.png"
    target = folder / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    paint(cell).save(target)
    return relative


def _scores(cell: Cell) -> tuple[Score, ...]:
    chance = random.Random(cell.key)
    good = GOODNESS[cell.subject]
    harmony = min(1.0, max(0.0, chance.gauss(good, 0.12)))
    wrong = chance.random() > good
    return (
        _harmony(cell, harmony),
        Score(
            metric="hair_side",
            value=0.0 if wrong else 1.0,
            reason=f"the tail is at the image's {'left' if wrong else 'right'}; right was asked.",
            evidence=(
                Mark(kind="line", label="head axis", points=((64.0, 14.0), (64.0, 112.0))),
                Mark(
                    kind="box", label="tail", points=((8.0, 40.0), (40.0, 110.0)) if wrong else ((88, 40), (120, 110))
                ),
            ),
        ),
        _drift(chance.uniform(0.5, 14 * (1.05 - good))),
        Score(metric="faces", value=1.0, reason="one face, as asked."),
    )


def _harmony(cell: Cell, value: float) -> Score:
    if cell.prompt.id == "soft_sad" and cell.seed == 1:
        return Score(metric="harmony", value=None, reason="the brows are hidden by hair; two parts are too few.")
    marks = (
        Mark(kind="box", label="brows: angry", points=((46.0, 50.0), (82.0, 58.0))),
        Mark(kind="box", label="mouth: happy", points=((54.0, 76.0), (74.0, 86.0))),
    )
    reason = "brows and mouth agree." if value > 0.6 else "a happy mouth under angry brows."
    return Score(metric="harmony", value=value, reason=reason, evidence=marks)


def _drift(value: float) -> Score:
    swatches = (
        Mark(kind="swatch", label="hair here", color="#8f5a33"),
        Mark(kind="swatch", label="hair of the reference", color="#6e462d"),
    )
    reason = f"hair is {value:.1f} ΔE00 from the reference, towards orange."
    return Score(metric="color_drift", value=value, reason=reason, evidence=swatches)
