"""Does an adaptive budget find the same best epoch with fewer images? Races on simulated matrices of known truth.

Part of bench/simulate.py. The truth of an epoch is its mean over the suite's prompts, which more seeds approach; who
is named is wrong where another is better by more than TOLERANCE.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from evalharness.plan.grow import LEAST_CHANCE, settled
from evalharness.stats.best import Entrant, Growing, select
from evalharness.suite import Budget
from evalharness.types import Selection

Floats = NDArray[np.float64]
SEEDS = 16
TOLERANCE = 0.01
CURVES: Mapping[str, Sequence[float]] = {
    # as the demo's twelve epochs, as a slow rise and fall, and one that stands out
    "demo": (0.17, 0.62, 0.83, 0.89, 0.95, 0.97, 0.96, 0.97, 0.88, 0.80, 0.65, 0.60),
    "slope": (0.40, 0.47, 0.54, 0.61, 0.68, 0.75, 0.81, 0.85, 0.82, 0.75, 0.68, 0.61),
    "peak": (0.70, 0.70, 0.70, 0.70, 0.70, 0.70, 0.70, 0.85, 0.70, 0.70, 0.70, 0.70),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A race: so many epochs along a curve, so many prompts, and what kind of scores."""

    epochs: int
    prompts: int
    kind: str
    curve: str


def fields() -> Iterator[Field]:
    """The grid."""
    for epochs in (2, 5, 12, 40):
        for prompts in (6, 14):
            for kind in ("continuous", "pass/fail"):
                for curve in CURVES:
                    yield Field(epochs=epochs, prompts=prompts, kind=kind, curve=curve)


def matrix(field: Field, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Scores (epochs, prompts, SEEDS) and the truth (epochs,): half of an image's luck is that of its draw."""
    known = CURVES[field.curve]
    middle = 0.65 * (field.epochs - 1)
    places = np.arange(field.epochs) if field.curve == "peak" else np.linspace(0, 11, field.epochs)
    curve = np.interp(places, np.arange(12), known) if field.curve != "peak" else np.full(field.epochs, 0.7)
    if field.curve == "peak":
        curve[round(middle)] = 0.85
    truth = np.clip(curve - 0.05 + rng.normal(0.0, 0.02, field.epochs), 0.05, 0.95)
    per_prompt = truth[:, None] + rng.normal(0, 0.1, field.prompts) + rng.normal(0, 0.05, (field.epochs, field.prompts))
    shape = (field.epochs, field.prompts, SEEDS)
    luck = np.sqrt(0.5) * (rng.normal(size=shape[1:]) + rng.normal(size=shape))
    if field.kind == "continuous":
        return per_prompt[..., None] + 0.1 * luck, per_prompt.mean(axis=1)
    rates = np.clip(per_prompt, 0.02, 0.98)
    return (special.ndtr(luck) < rates[..., None]).astype(np.float64), rates.mean(axis=1)


def race(scores: Floats, rng: np.random.Generator, *, adaptive: bool) -> tuple[Selection, int]:
    """The answer and the images made; without `adaptive`, all epochs get every next seed until the best is known."""
    epochs, prompts, seeds = scores.shape
    ladder = Budget().ladder(seeds)
    growing = Growing(looks=len(ladder), largest=1.0)
    used = np.full(epochs, ladder[0])
    while True:
        seen = np.where(np.arange(seeds) < used[:, None, None], scores, np.nan).reshape(epochs, -1)
        entrants = [Entrant(subject=str(e), label=str(e), epoch=e, values=row) for e, row in enumerate(seen)]
        found = select(entrants, np.repeat(np.arange(prompts), seeds), rng, growing=growing)
        open_ones = [
            index
            for index, one in enumerate(found.candidates)
            if one.tied and ((one.probability_here or 0.0) >= LEAST_CHANCE or one.subject == found.leader)
        ]
        open_ones = [index for index in (open_ones if adaptive else range(epochs)) if used[index] < ladder[-1]]
        if settled(found, TOLERANCE) or not open_ones:
            return found, int(used.sum()) * prompts
        target = min(rung for rung in ladder for index in open_ones if rung > used[index])
        used[[index for index in open_ones if used[index] < target]] = target


def compare(field: Field, rng: np.random.Generator, rounds: int) -> Mapping[str, float]:
    """Shares of wrong answers and images, adaptive and otherwise, averaged over the rounds."""
    made = growing_made = 0
    wrong = {"adaptive": 0, "growing": 0, "lost": 0}
    fixed = np.zeros(SEEDS)
    for _ in range(rounds):
        scores, truth = matrix(field, rng)
        good = truth >= truth.max() - TOLERANCE
        found, images = race(scores, rng, adaptive=True)
        all_found, all_images = race(scores, rng, adaptive=False)
        made, growing_made = made + images, growing_made + all_images
        wrong["adaptive"] += not good[int(found.leader or 0)]
        wrong["growing"] += not good[int(all_found.leader or 0)]
        wrong["lost"] += not any(one.tied and good[index] for index, one in enumerate(found.candidates))
        best = [int(np.argmax(scores[..., :seeds].mean(axis=(1, 2)))) for seeds in range(1, SEEDS + 1)]
        fixed += ~good[best]
    least = next((k for k in range(SEEDS) if fixed[k] <= wrong["adaptive"]), SEEDS - 1) + 1
    whole = rounds * field.epochs * field.prompts
    return {
        "of_full": made / (whole * SEEDS),
        "of_growing": made / growing_made,
        "of_fixed": made / (whole * least),
        "wrong": wrong["adaptive"] / rounds,
        "wrong_growing": wrong["growing"] / rounds,
        "wrong_full": float(fixed[-1]) / rounds,
        "lost": wrong["lost"] / rounds,
    }


def races(rng: np.random.Generator, rounds: int) -> Mapping[str, object]:
    """Every race of the grid, printed as it comes, and the medians."""
    rows = []
    print("\n                                  images of            wrong")
    print("epochs prompts kind        curve  full growing  fixed  adaptive growing  full  lost")
    for field in fields():
        row = compare(field, rng, rounds)
        rows.append({**asdict(field), **row})
        print(
            f"{field.epochs:6d} {field.prompts:7d} {field.kind:11s} {field.curve:6s} {row['of_full']:4.2f} "
            f"{row['of_growing']:7.2f} {row['of_fixed']:6.2f}  {row['wrong']:8.2f} {row['wrong_growing']:7.2f} "
            f"{row['wrong_full']:5.2f}  {row['lost']:4.2f}",
            flush=True,
        )
    shares, errors = ("of_full", "of_growing", "of_fixed"), ("wrong", "wrong_growing", "wrong_full", "lost")
    medians = {key: float(np.median([row[key] for row in rows])) for key in shares}
    means = {key: float(np.mean([row[key] for row in rows])) for key in errors}
    print("medians", {key: round(value, 3) for key, value in medians.items()})
    print("means", {key: round(value, 3) for key, value in means.items()})
    return {"seeds": SEEDS, "rounds": rounds, "rows": rows, "medians": medians, "means": means}
