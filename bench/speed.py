"""What the harness costs beside the drawing itself: ratios of things measured in one run, by turns.

    python bench/speed.py          # about six minutes on one core; writes bench/speed.json and prints the table

Images are drawn by the demo's checkpoint on the processor, with one thread. Every arm loads its own pipeline and stores
its images. Where the table says so, a maker that waits stands in for a device that draws while the processor is idle.
Processor seconds are those of this process and its children: they hold where other programs share the machine.
"""

import argparse
import json
import multiprocessing
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image

from evalharness import registry
from evalharness.backends import loading, weights
from evalharness.backends.diffusers import DiffusersMaker
from evalharness.backends.fake import FakeMaker
from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.config import PerceptionConfig, RunConfig, compose
from evalharness.plan import Plan
from evalharness.prepare import open_tools, plan_run, suite_of
from evalharness.run import run
from evalharness.store import Store
from evalharness.types import Advance, Cell, Failure, Observation, Subject

TARGET = Path(__file__).with_name("speed.json")
LORAS = ("sakichan-000007", "sakichan-000011")
DRAWN = [f"subjects=['demo:loras/{LORAS[0]}.safetensors']", "suite.seeds=[1]", "suite.references=null"]
SIZE = 128
DEVICE_TIMES = 3.0
"""How much longer the stand-in for a device takes for an image than perception does."""


class Blind:
    """A perceiver that sees nothing, in no time."""

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """Its name."""
        return {"perceiver": "blind"}

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        """The images' sizes."""
        return [Observation(width=image.width, height=image.height) for image in images]


class Waiting(FakeMaker):
    """A stand-in for a device: waits for each image, and then gives one that was drawn before."""

    ready: tuple[Image.Image, ...] = ()
    seconds = 0.0

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        """Its name, and the kind of device it stands in for."""
        return {"maker": "waiting", "device": "cuda"}

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image.Image | Failure]:
        """Wait for each image; a shade per subject lets the proof hold that its LoRA changes pixels."""
        time.sleep(self.seconds * len(cells))
        shade = np.uint8(8 * bool(subject.loras))
        drawn = (np.asarray(self.ready[(cell.seed + len(cell.prompt.id)) % len(self.ready)]) for cell in cells)
        return [Image.fromarray(pixels ^ shade) for pixels in drawn]


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


@contextmanager
def silent(name: str, total: int) -> Iterator[Advance]:
    """No progress is shown."""
    yield lambda count: None


def cpu_seconds() -> float:
    """Of this process and all its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def timed(job: Callable[[], object]) -> Took:
    """What a job took."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    job()
    return Took(wall=time.perf_counter() - wall, cpu=cpu_seconds() - cpu)


# The arms


def bare(plan: Plan, batch_size: int, folder: Path) -> None:
    """What a person would write without us: the base, then the LoRA, prompts as text, images saved as PNG."""
    ensure_torchvision()
    import diffusers

    path = weights.locate("demo:checkpoint")
    pipe: Any = diffusers.StableDiffusionPipeline.from_pretrained(path, dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    folder.mkdir()
    for subject, cells in plan.batches(plan.cells, batch_size):
        if subject.loras and not pipe.get_active_adapters():
            pipe.load_lora_weights(str(subject.loras[0].path), adapter_name="lora")
        setting = cells[0].setting
        output = pipe(
            prompt=[cell.prompt.text for cell in cells],
            generator=[torch.Generator("cpu").manual_seed(cell.seed) for cell in cells],
            num_inference_steps=setting.steps,
            guidance_scale=setting.guidance_scale,
            width=setting.width,
            height=setting.height,
        )
        for cell, image in zip(cells, output.images, strict=True):
            image.save(folder / f"{cell.key}.png")


def ours(config: RunConfig, folder: Path) -> None:
    """A whole run, from the digest of the model's files to the verdict; its base must be loaded once."""
    weights._digest.cache_clear()
    loads, load = [], loading.load_pipeline

    def counted(*given: Any) -> Any:
        loads.append(1)
        return load(*given)

    loading.load_pipeline = counted
    try:
        run(replace(config, folder_path=str(folder)), silent)
    finally:
        loading.load_pipeline = load
    assert len(loads) == (config.backend.name == "diffusers"), f"the base was loaded {len(loads)} times"


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


# What is measured


def perceivers(config: RunConfig) -> dict[str, RunConfig]:
    """The same run without perception, with perception after the drawing, and beside it."""
    return {
        "blind": replace(config, perception=PerceptionConfig(name="blind")),
        "after": replace(config, perception=replace(config.perception, workers=0)),
        "beside": replace(config, perception=replace(config.perception, workers=1)),
    }


def drawing(repeats: int) -> list[Row]:
    """Whole runs against bare loops, on the demo's checkpoint."""
    config = compose(["suite=demo", *DRAWN])
    runs = perceivers(config)
    suite = suite_of(config)
    plan = plan_run(config, suite, open_tools(config, suite).maker)
    same_images(plan, runs["blind"])
    arms: dict[str, Callable[[Path], object]] = {
        "bare loop": lambda folder: bare(plan, 8, folder),
        "run without perception": lambda folder: ours(runs["blind"], folder),
        "run, perception after": lambda folder: ours(runs["after"], folder),
        "run, perception beside": lambda folder: ours(runs["beside"], folder),
        "one call per cell": lambda folder: bare(plan, 1, folder),
    }
    took = by_turns(arms, repeats)
    wall = {name: [one.wall for one in given] for name, given in took.items()}
    cpu = {name: [one.cpu for one in given] for name, given in took.items()}
    loop, blind = "bare loop", "run without perception"
    images = len(plan.cells)
    return [
        Row(name="images in each arm", value=images, low=images, high=images, unit=""),
        seconds("a bare loop, an image", [one / images for one in wall[loop]]),
        ratio("run without perception / bare loop", wall[blind], wall[loop], 1.02),
        ratio("the same in processor seconds", cpu[blind], cpu[loop], 1.02),
        ratio("run, perception after / bare loop", wall["run, perception after"], wall[loop], 1.05),
        ratio("run, perception beside / bare loop", wall["run, perception beside"], wall[loop], 1.05),
        ratio("one call per cell / run without perception", wall["one call per cell"], wall[blind], 1.2, more=True),
        ratio("the same in processor seconds", cpu["one call per cell"], cpu[blind], 1.2, more=True),
        Row(name="base loads in every run", value=1, low=1, high=1, unit="", asked="= 1", met=True),
    ]


def seconds(name: str, found: Sequence[float]) -> Row:
    """A row of durations."""
    return Row(name=name, value=statistics.median(found), low=min(found), high=max(found), unit="s")


def same_images(plan: Plan, config: RunConfig) -> None:
    """Both sides of the ratio draw the same pictures, to within the rounding of one 8-bit step."""
    with tempfile.TemporaryDirectory() as place:
        bare(plan, 8, Path(place) / "bare")
        ours(config, Path(place) / "run")
        with Store(Path(place) / "run") as store:
            for cell in plan.cells:
                other = np.asarray(Image.open(Path(place) / "bare" / f"{cell.key}.png"), np.int16)
                far = int(np.abs(np.asarray(store.load_image(cell), np.int16) - other).max())
                assert far <= 1, f"{cell.prompt.id} of {cell.subject} differs by {far} steps"


def device(repeats: int) -> list[Row]:
    """The same three runs where drawing leaves the processor idle."""
    config = compose(["suite=demo", *DRAWN, "backend.batch_size=4", "suite.seeds=[1,2,3]"])
    config = replace(config, backend=replace(config.backend, name="waiting"))
    suite = suite_of(config)
    drawn = compose(["suite=demo", *DRAWN])
    Waiting.ready = demo_images(drawn)
    perceiver = open_tools(config, suite).perceiver
    perceiver.observe(Waiting.ready[:1])
    perception = timed(lambda: perceiver.observe(Waiting.ready)).wall / len(Waiting.ready)
    Waiting.seconds = DEVICE_TIMES * perception
    arms = {
        f"device, {name}": lambda folder, given=given: ours(given, folder) for name, given in perceivers(config).items()
    }
    took = {name: [one.wall for one in given] for name, given in by_turns(arms, repeats).items()}
    blind = took["device, blind"]
    return [
        seconds("offline perception, an image of 128 pixels", [perception]),
        seconds("stand-in for a device, an image", [Waiting.seconds]),
        ratio("stand-in: run, perception after / without", took["device, after"], blind, 1.05),
        ratio("stand-in: run, perception beside / without", took["device, beside"], blind, 1.05),
    ]


def demo_images(config: RunConfig) -> tuple[Image.Image, ...]:
    """Some of the demo's own images, to be looked at."""
    suite = suite_of(config)
    tools = open_tools(config, suite)
    plan = plan_run(config, suite, tools.maker)
    made = tools.maker.generate(plan.subjects[1], [cell for cell in plan.cells if cell.subject == LORAS[0]][:8])
    return tuple(image for image in made if not isinstance(image, Failure))


def switching(times: int) -> list[Row]:
    """What another LoRA and another strength cost, in units of one image of a full batch."""
    subjects = "subjects=[" + ",".join(f"'demo:loras/{name}.safetensors'" for name in LORAS) + "]"
    config = compose(["suite=demo", *DRAWN[1:], subjects])
    suite = suite_of(config)
    maker = open_tools(config, suite).maker
    assert isinstance(maker, DiffusersMaker)
    plan = plan_run(config, suite, maker)
    one, other = plan.subjects[1:]
    cells = [cell for cell in plan.cells if cell.subject == one.name]
    maker.generate(one, cells[:8])
    image = [timed(lambda: maker.generate(one, cells[:8])).cpu / 8 for _ in range(3)]
    loras = [timed(lambda to=to: maker.prove(to)).cpu for to in (other, one) * (times // 2)]
    # one step of one image, so that the drawing hides little
    quick = [replace(cells[0], setting=replace(cells[0].setting, steps=1), strength=level) for level in (1.0, 0.5)]
    stays, changes = [], []
    for _ in range(2 * times):
        maker.generate(one, [quick[0]])
        stays.append(timed(lambda: maker.generate(one, [quick[0]])).cpu)
        changes.append(timed(lambda: maker.generate(one, [quick[1]])).cpu)
    unit = statistics.median(image)
    strength = [(after - statistics.median(stays)) / unit for after in changes]
    return [
        units("another LoRA, loaded and proven", [one / unit for one in loras]),
        units("another strength", strength),
    ]


def units(name: str, found: Sequence[float]) -> Row:
    """A row of durations in units of one image."""
    return Row(name=name, value=statistics.median(found), low=min(found), high=max(found), unit="images")


# Memory


def memory(cells: int) -> dict[str, float]:
    """RSS in MB at cell 1,000 and at the last one while drawing and while looking, in a process of its own."""
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
                if count in (1000, total):
                    seen[f"{name} {count}"] = own.memory_info().rss / 1e6

            yield advance

        words = ["suite=demo", "subjects=[]", "backend=fake", "suite.perception=null"]
        suite = ["suite.references=null", "suite.scorers=[faces]", "suite.gates=[]", "suite.objective=null"]
        seeds = f"suite.seeds={list(range(cells // 10))}"
        prompts = "suite.prompts=[" + ",".join(f"{{id: p{n}, text: number {n}}}" for n in range(10)) + "]"
        config = compose([*words, *suite, seeds, prompts, f"folder='{place}/run'"])
        run(replace(config, perception=PerceptionConfig(name="blind")), watched)
        seen["peak"] = peak()
        answer.send(seen)


def peak() -> float:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


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


# The table


def register() -> None:
    """Make the bench's own maker and perceiver known by name."""
    registry.TABLES = {
        **registry.TABLES,
        "backend": {**registry.TABLES["backend"], "waiting": f"{__name__}:Waiting"},
        "perception": {**registry.TABLES["perception"], "blind": f"{__name__}:Blind"},
    }


def table(rows: Sequence[Row]) -> str:
    """The rows as text."""
    lines = [f"{'':<46}{'median':>9}{'from':>9}{'to':>9}         {'asked':>8}"]
    for row in rows:
        met = "" if row.met is None else "met" if row.met else "MISSED"
        numbers = "".join(f"{value:>9.3f}" for value in (row.value, row.low, row.high))
        lines.append(f"{row.name:<46}{numbers} {row.unit:<7} {row.asked:>8}  {met}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3, help="rounds in which every arm has its turn")
    parser.add_argument("--only", choices=("drawing", "device", "switching", "memory"), help="one part; writes no file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    register()
    parts: dict[str, Callable[[], list[Row]]] = {
        "drawing": lambda: drawing(options.repeats),
        "device": lambda: device(min(2, options.repeats)),
        "switching": lambda: switching(6),
        "memory": flat,
    }
    start = time.perf_counter()
    rows = [row for name, part in parts.items() if options.only in (None, name) for row in part()]
    print(table(rows))
    if options.only is None:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "threads": 1}
        facts = {"machine": machine, "versions": loading.versions(), "seconds": round(time.perf_counter() - start)}
        TARGET.write_text(
            json.dumps({**facts, "load": os.getloadavg()[0], "rows": [asdict(row) for row in rows]}, indent=1)
        )


if __name__ == "__main__":
    main()
