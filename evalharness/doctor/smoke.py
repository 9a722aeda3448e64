"""The smoke run: one prompt, one seed, few steps, from the model to the scores, in a folder that goes away."""

import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from evalharness.config import RunConfig
from evalharness.doctor.line import Line, State
from evalharness.errors import HarnessError
from evalharness.measure import measure
from evalharness.observe import observe_references
from evalharness.paths import resolve
from evalharness.plan import Plan
from evalharness.prepare import Tools, open_tools, plan_run
from evalharness.store import Store
from evalharness.suite import Suite
from evalharness.types import Advance, Failure

STEPS = 4
LIMIT = 600.0
"""Seconds; two images that take longer than ten minutes are no smoke run, and something hangs or is far too slow."""


def smoke_line(config: RunConfig, suite: Suite) -> Line:
    """Make, see and score the baseline's and the first LoRA's image of the first prompt."""
    start = time.monotonic()
    small = smallest(suite)
    try:
        tools = open_tools(config, small)
        plan = first_cells(plan_run(config, small, tools.maker))
        with tempfile.TemporaryDirectory(prefix="evalharness-doctor-") as folder, limited(LIMIT):
            failures, scored = _measured(plan, small, tools, Path(folder))
    except TooSlow:
        says = f"two images and their scores took more than {LIMIT:g} s, and the smoke run was ended"
        do = "see what the device is busy with, choose another backend.device, or leave it out with --no-smoke"
        return Line(topic="smoke run", state=State.MISSING, says=says, do=do)
    except HarnessError as error:
        return Line(topic="smoke run", state=State.MISSING, says=str(error), do="repair what the sentence names")
    except Exception as error:  # memory that is too small, drivers that do not fit: what would end a run ends here
        says = f"{type(error).__name__}: {error}"
        return Line(
            topic="smoke run",
            state=State.MISSING,
            says=says,
            do="free memory, or choose another backend.device or dtype",
        )
    if failures:
        return Line(topic="smoke run", state=State.MISSING, says=failures[0], do="try a run of this prompt alone")
    seconds = time.monotonic() - start
    return Line(topic="smoke run", says=f"{len(plan.cells)} images and {scored} scores in {seconds:.1f} s; all removed")


class TooSlow(BaseException):
    """The time is over; no `except Exception` on the way may take it for a failed image."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooSlow after so long, between two steps of Python; not in threads, which no signal reaches."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def smallest(suite: Suite) -> Suite:
    """The suite cut down to one prompt, one seed, one strength, one setting and few steps, without gates."""
    (template, *_) = suite.settings
    setting = replace(
        template,
        sampler=template.sampler[:1],
        steps=(min(STEPS, template.steps[0]),),
        guidance_scale=template.guidance_scale[:1],
    )
    return replace(
        suite,
        prompts=suite.prompts[:1],
        seeds=suite.seeds[:1],
        strengths=suite.strengths[-1:],
        settings=(setting,),
        gates=(),
        constraints=(),
        budget=None,
    )


def first_cells(plan: Plan) -> Plan:
    """The plan of the baseline and the first subject alone."""
    names = [subject.name for subject in plan.subjects[:2]]
    return plan.only(cell for cell in plan.cells if cell.subject in names)


def _measured(plan: Plan, suite: Suite, tools: Tools, folder: Path) -> tuple[list[str], int]:
    """Why images failed, and how many scores have a value."""
    with Store(folder) as store:
        references = resolve(suite.references) if suite.references else None
        reference = observe_references(references, tools.perceiver, store)
        for subject in plan.subjects_of(plan.cells):
            tools.maker.prove(subject)
        scores = measure(plan, plan.cells, tools, reference, store, _silent)
        images = store.images(plan.cells).values()
    failures = [image.reason for image in images if isinstance(image, Failure)]
    return failures, sum(score.value is not None for given in scores.values() for score in given)


@contextmanager
def _silent(name: str, total: int) -> Iterator[Advance]:
    yield lambda count: None
