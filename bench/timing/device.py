"""The same comparison where drawing leaves the processor idle: a maker that waits stands in for the device."""

import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from evalharness.config import compose
from evalharness.demo import drawing, look
from evalharness.perception.offline import OfflinePerceiver
from evalharness.plan import Plan
from evalharness.types import Failure
from timing.arms import DRAWN, ours, perceivers, planned
from timing.rows import Row, by_turns, ratio, seconds, timed
from timing.stand_ins import Waiting

SECONDS = 1.0
"""What the stand-in takes for an image."""
ALLOWED = 1.05
BATCH = 4


def device(repeats: int) -> list[Row]:
    """A run with perception beside a device of one second an image, and from which device on that holds."""
    Waiting.ready = tuple(drawing.draw(look.Look(seed=seed), 512).image for seed in range(8))
    Waiting.seconds = SECONDS
    config = compose(["suite=demo", *DRAWN, f"backend.batch_size={BATCH}"])
    run = perceivers(replace(config, backend=replace(config.backend, name="waiting", options={})))["beside"]
    plan = planned(run)
    arms: dict[str, Callable[[Path], object]] = {
        "device, bare loop": lambda folder: bare_waiting(plan, folder),
        "device, looks beside": lambda folder: ours(run, folder),
    }
    loop, beside = ([one.wall for one in given] for given in by_turns(arms, repeats).values())
    return [
        seconds("stand-in for a device, an image", [Waiting.seconds]),
        ratio("stand-in: run, perception beside / bare loop", beside, loop, ALLOWED),
        *holds_from(OfflinePerceiver()),
    ]


def bare_waiting(plan: Plan, folder: Path) -> None:
    """What a person would write: each batch waited for, and its images saved as PNG."""
    maker = Waiting(batch_size=BATCH)
    folder.mkdir()
    for subject, cells in plan.batches(plan.cells, BATCH):
        for cell, image in zip(cells, maker.generate(subject, cells), strict=True):
            assert not isinstance(image, Failure)
            image.save(folder / f"{cell.key}.png")


def holds_from(perceiver: OfflinePerceiver) -> list[Row]:
    """What a drawn picture of 512 pixels takes to look at, and how slow a device must be for one process to keep up."""
    perceiver.observe(Waiting.ready[:1])
    each = [timed(lambda image=image: perceiver.observe([image])).cpu for image in Waiting.ready]  # type: ignore[misc]
    name = "one process beside keeps up, 512 pixels, from"
    return [
        seconds("offline perception, a drawn image of 512 pixels", each),
        seconds(name, [statistics.mean(each) / ALLOWED]),
    ]
