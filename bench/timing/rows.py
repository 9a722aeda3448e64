"""Seconds of jobs that take turns, and the lines of the table that they make."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: a median over the repeats, its extremes, and what was asked for."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    asked: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds of the clock, and of processors."""

    wall: float
    cpu: float


def cpu_seconds() -> float:
    """Of this process and all its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def timed(job: Callable[[], object]) -> Took:
    """What a job took."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    job()
    return Took(wall=time.perf_counter() - wall, cpu=cpu_seconds() - cpu)


def by_turns(arms: Mapping[str, Callable[[Path], object]], repeats: int) -> dict[str, list[Took]]:
    """Every arm once in every round, beginning with another one each time; each in a new folder."""
    names, took = list(arms), {name: [] for name in arms}
    for turn in range(repeats):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            with tempfile.TemporaryDirectory() as folder:
                took[name].append(timed(lambda arm=arms[name], folder=folder: arm(Path(folder) / "run")))
            print(f"  {name:<28} {took[name][-1].wall:6.2f} s  {took[name][-1].cpu:6.2f} s of processors", flush=True)
    return took


def ratio(name: str, above: Sequence[float], below: Sequence[float], asked: float, *, more: bool = False) -> Row:
    """The median of the rounds' ratios; `more` = the larger the better."""
    found = [one / other for one, other in zip(above, below, strict=True)]
    value = statistics.median(found)
    met = value >= asked if more else value <= asked
    sign = ">=" if more else "<="
    return Row(name=name, value=value, low=min(found), high=max(found), unit="x", asked=f"{sign} {asked:g}", met=met)


def seconds(name: str, found: Sequence[float]) -> Row:
    """A row of durations."""
    return Row(name=name, value=statistics.median(found), low=min(found), high=max(found), unit="s")


def units(name: str, found: Sequence[float]) -> Row:
    """A row of durations in units of one image."""
    return Row(name=name, value=statistics.median(found), low=min(found), high=max(found), unit="images")


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    lines = [f"{'':<46}{'median':>9}{'from':>9}{'to':>9}         {'asked':>8}"]
    for row in rows:
        met = "" if row.met is None else "met" if row.met else "MISSED"
        numbers = "".join(f"{value:>9.3f}" for value in (row.value, row.low, row.high))
        lines.append(f"{row.name:<46}{numbers} {row.unit:<7} {row.asked:>8}  {met}")
    return "\n".join(lines)
