"""Whole runs against bare loops, on the demo's checkpoint, with one thread of the processor."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from evalharness.config import compose
from timing.arms import DRAWN, bare, ours, perceivers, planned, same_images
from timing.rows import Row, Took, by_turns, ratio, seconds

ROUNDS = 1
"""More rounds of the two arms whose ratio must be known to one in a hundred."""
FEW, MANY = 28, 84
"""Images of the two lengths of a run from which what it costs once is told from what it costs for each image."""


def drawing(repeats: int) -> list[Row]:
    """A run without perception, with it after the drawing and beside it, and a call for each cell."""
    runs = perceivers(compose(["suite=demo", *DRAWN]))
    plan = planned(runs["blind"])
    same_images(plan, runs["blind"])
    close: dict[str, Callable[[Path], object]] = {
        "bare loop": lambda folder: bare(plan, 8, folder),
        "run without perception": lambda folder: ours(runs["blind"], folder),
    }
    others: dict[str, Callable[[Path], object]] = {
        "run, perception after": lambda folder: ours(runs["after"], folder),
        "run, perception beside": lambda folder: ours(runs["beside"], folder),
        "one call per cell": lambda folder: bare(plan, 1, folder),
    }
    took = by_turns(close | others, repeats)
    more = by_turns(close, ROUNDS)
    return [*compared(took, more, len(plan.cells)), *once_and_each()]


def compared(took: Mapping[str, Sequence[Took]], more: Mapping[str, Sequence[Took]], images: int) -> list[Row]:
    """The arms' ratios; of the clock, and where they say so of the processors."""
    wall = {name: [one.wall for one in given] for name, given in took.items()}
    cpu = {name: [one.cpu for one in given] for name, given in took.items()}
    loop, blind = "bare loop", "run without perception"
    close = {name: [*took[name], *more[name]] for name in (loop, blind)}
    close_wall = {name: [one.wall for one in given] for name, given in close.items()}
    close_cpu = {name: [one.cpu for one in given] for name, given in close.items()}
    return [
        Row(name="images in each arm", value=images, low=images, high=images, unit=""),
        seconds("a bare loop, an image", [one / images for one in close_wall[loop]]),
        ratio("run without perception / bare loop", close_wall[blind], close_wall[loop], 1.02),
        ratio("the same in processor seconds", close_cpu[blind], close_cpu[loop], 1.02),
        ratio("run, perception after / bare loop", wall["run, perception after"], wall[loop], 1.05),
        ratio("run, perception beside / bare loop", wall["run, perception beside"], wall[loop], 1.05),
        ratio("one call per cell / run without perception", wall["one call per cell"], wall[blind], 1.2, more=True),
        ratio("the same in processor seconds", cpu["one call per cell"], cpu[blind], 1.2, more=True),
        Row(name="base loads in every run", value=1, low=1, high=1, unit="", asked="= 1", met=True),
    ]


def once_and_each(rounds: int = 2) -> list[Row]:
    """Processor seconds that a run costs once and for each image, beyond a bare loop.

    With two steps an image the drawing, which is the same in both, hides little.
    """
    arms: dict[str, Callable[[Path], object]] = {}
    for images in (FEW, MANY):
        seeds = f"suite.seeds={list(range(images // FEW))}"
        config = perceivers(compose(["suite=demo", *DRAWN, seeds, "suite.settings.steps=2"]))["blind"]
        plan = planned(config)
        assert len(plan.cells) == images
        arms[f"bare {images}"] = lambda folder, plan=plan: bare(plan, 8, folder)  # type: ignore[misc]
        arms[f"run {images}"] = lambda folder, config=config: ours(config, folder)  # type: ignore[misc]
    # of two lengths the least is taken: what else the machine does only adds
    least = {name: min(one.cpu for one in given) for name, given in by_turns(arms, rounds).items()}
    each = {name: (least[f"{name} {MANY}"] - least[f"{name} {FEW}"]) / (MANY - FEW) for name in ("bare", "run")}
    once = {name: least[f"{name} {FEW}"] - FEW * each[name] for name in each}
    return [
        seconds("a run's start and end beyond a bare loop's", [once["run"] - once["bare"]]),
        seconds("an image of a run beyond a bare loop's", [each["run"] - each["bare"]]),
    ]
