"""Whether memory stays while cells become many."""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psutil

from evalharness.config import PerceptionConfig, compose
from evalharness.run import run
from evalharness.types import Advance
from timing.rows import Row
from timing.stand_ins import register


def memory(cells: int) -> dict[str, float]:
    """RSS in MB at cell 1,000, at the last one and at its peak, while drawing and looking, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    end, begin = context.Pipe(duplex=False)
    process = context.Process(target=watch_memory, args=(cells, begin))
    process.start()
    found: dict[str, float] = end.recv()
    process.join()
    return found


def watch_memory(cells: int, answer: Any) -> None:
    """A run of the fake maker; nothing waits for the disk, which is not what is measured."""
    with tempfile.TemporaryDirectory() as place:
        register()
        os.fsync = lambda file: None
        own, seen = psutil.Process(), {}

        @contextmanager
        def watched(name: str, total: int) -> Iterator[Advance]:
            count = 0

            def advance(more: int) -> None:
                nonlocal count
                count += more
                now = own.memory_info().rss / 1e6
                seen["peak"] = max(seen.get("peak", 0.0), now)
                if count in (1000, total):
                    seen[f"{name} {count}"] = now

            yield advance

        words = ["suite=demo", "subjects=[]", "backend=fake", "suite.perception=null"]
        suite = ["suite.references=null", "suite.scorers=[faces]", "suite.gates=[]", "suite.objective=null"]
        seeds = f"suite.seeds={list(range(cells // 10))}"
        prompts = "suite.prompts=[" + ",".join(f"{{id: p{n}, text: number {n}}}" for n in range(10)) + "]"
        config = compose([*words, *suite, seeds, prompts, f"folder='{place}/run'"])
        run(replace(config, perception=PerceptionConfig(name="blind")), watched)
        answer.send(seen)


def flat() -> list[Row]:
    """Whether memory stays while cells become many."""
    small, large = memory(1000), memory(10_000)
    rows = []
    for phase in ("images", "observations"):
        value = large[f"{phase} 10000"] / large[f"{phase} 1000"]
        name = f"memory at cell 10,000 / at 1,000, {phase}"
        rows.append(Row(name=name, value=value, low=value, high=value, unit="x", asked="<= 1.05", met=value <= 1.05))
    for name, found in (("1,000", small["peak"]), ("10,000", large["peak"])):
        rows.append(Row(name=f"peak memory of {name} cells", value=found, low=found, high=found, unit="MB"))
    return rows
