"""All that the doctor looks at, in the order in which one would repair it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from evalharness.config import RunConfig, compose
from evalharness.doctor.canaries import canaries
from evalharness.doctor.line import Line, State
from evalharness.doctor.machine import device_line, disk_line, memory_line, python_line, version_lines, write_line
from evalharness.doctor.needs import maker_of, model_line, names_lines, perceiver_of, references_line, subjects_line
from evalharness.doctor.smoke import smoke_line
from evalharness.errors import HarnessError
from evalharness.suite import Suite, read_suite


def examine(overrides: Sequence[str], config_dir: Path | None = None, *, smoke: bool = True) -> Iterator[Line]:
    """Every line as it is known; nothing is left behind, and no model is loaded but in the smoke run."""
    yield python_line()
    yield from version_lines()
    yield from names_lines()
    config, problem = _config(overrides, config_dir)
    if problem:
        yield problem
    if config is not None:
        yield from _of_config(config, smoke=smoke and problem is None)


def _config(overrides: Sequence[str], config_dir: Path | None) -> tuple[RunConfig | None, Line | None]:
    """The configuration, and what is wrong with it; without subjects all the rest can be looked at."""
    try:
        return compose(overrides, config_dir), None
    except HarnessError as error:
        problem = Line(topic="configuration", state=State.MISSING, says=str(error), do="repair it, and ask again")
    try:
        return compose([*overrides, "subjects=[]"], config_dir), problem
    except HarnessError:
        return None, problem


def _of_config(config: RunConfig, *, smoke: bool) -> Iterator[Line]:
    try:
        suite = read_suite(config.suite)
    except HarnessError as error:
        yield Line(topic="suite", state=State.MISSING, says=str(error), do="repair the suite, and ask again")
        return
    yield Line(topic="suite", says=f"{suite.name}, {len(suite.prompts)} prompts, {len(suite.seeds)} seeds")
    whole = True
    for line in _of_suite(config, suite):
        whole = whole and line.state is not State.MISSING
        yield line
    if not smoke:
        return
    if whole:
        yield smoke_line(config, suite)
    else:
        yield Line(topic="smoke run", state=State.WARNING, says="left out: what is missing would stop it")


def _of_suite(config: RunConfig, suite: Suite) -> Iterator[Line]:
    yield device_line(config)
    maker, problem = maker_of(config)
    line, size = model_line(config, maker) if maker is not None else (problem, 0)
    if line is not None:
        yield line
    yield memory_line(config, size)
    subjects, count = subjects_line(config)
    yield subjects
    yield references_line(suite)
    yield write_line(config.folder)
    yield disk_line(config.folder, suite, count, maker)
    perceiver, problem = perceiver_of(config)
    if problem is not None:
        yield problem
    if perceiver is not None:
        yield from canaries(perceiver, config.perception.name)
