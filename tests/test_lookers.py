"""Perception beside drawing: the same observations in the same order, whoever looks, and nobody left behind."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path
from typing import Literal

import numpy as np
import psutil
import pytest
import small_run
from PIL import Image

from evalharness.errors import PerceptionError, StoreError
from evalharness.lookers import BATCH, Lookers, processes
from evalharness.observe import look_meanwhile, observe
from evalharness.store import Store, StoredImage
from evalharness.types import Advance, Cell, Observation, Prompt, Setting

PROMPT = Prompt(id="p", text="a girl")


def cells(count: int) -> list[Cell]:
    return [
        Cell(
            key=f"{number:064x}",
            pair_key=str(number),
            subject="base",
            strength=0.0,
            prompt=PROMPT,
            setting=Setting(),
            seed=number,
        )
        for number in range(count)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A run with twenty images of rising brightness."""
    with Store(tmp_path) as opened:
        drawn = [(cell, Image.fromarray(np.full((8, 8, 3), 10 * cell.seed, np.uint8))) for cell in cells(20)]
        opened.save_images(drawn, {})
        yield opened


@contextmanager
def quiet(name: str, total: int) -> Iterator[Advance]:
    yield lambda count: None


def images(store: Store) -> list[StoredImage]:
    return [image for image in map(store.stored, cells(20)) if image is not None]


def looked(store: Store, count: int) -> list[tuple[str, Observation]]:
    with Lookers(small_run.Brightness(), count) as lookers:
        lookers.give(images(store))
        return [pair for seen in lookers.rest() for pair in seen.items()]


def test_processes_see_what_this_one_sees_in_the_order_given(store: Store) -> None:
    here = looked(store, 0)

    assert [key for key, _ in here] == [cell.key for cell in cells(20)]
    assert looked(store, 2) == here
    assert not active_children()


class Dying(small_run.Brightness):
    """Sees well in the process it was made in, and takes any other with it."""

    def __init__(self) -> None:
        self.home = os.getpid()

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        if os.getpid() != self.home:
            os._exit(9)
        return super().observe(images)


def test_images_of_a_process_that_dies_are_looked_at_here(store: Store) -> None:
    with Lookers(Dying(), 1) as lookers:
        lookers.give(images(store))
        seen = [pair for found in lookers.rest() for pair in found.items()]

    assert seen == looked(store, 0)


def test_changed_file_is_refused_by_a_process_too(store: Store) -> None:
    stored = images(store)[3]
    stored.path.write_bytes(stored.path.read_bytes() + b"x")

    with Lookers(small_run.Brightness(), 1) as lookers, pytest.raises(StoreError, match="was changed after it was"):
        lookers.give(images(store))
        list(lookers.rest())


def test_perceiver_that_cannot_move_is_refused_with_the_way_out(store: Store) -> None:
    held = small_run.Brightness()
    held.model = lambda: None  # type: ignore[attr-defined]

    with (
        Lookers(held, 1) as lookers,
        pytest.raises(PerceptionError, match=r"Brightness cannot be sent .* perception\.workers=0"),
    ):
        lookers.give(images(store))


class Slow(small_run.Brightness):
    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        time.sleep(900)
        return super().observe(images)


def test_end_does_not_wait_for_those_who_still_look(store: Store) -> None:
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Lookers(Slow(), 1) as lookers:
        lookers.give(images(store))
        raise KeyboardInterrupt

    assert time.monotonic() - start < 300
    assert not active_children()


def test_images_made_while_a_process_starts_wait_for_it(store: Store) -> None:
    given = cells(20)
    with Lookers(small_run.Brightness(), 1) as lookers:
        for first in range(0, len(given), 2):
            look_meanwhile(given[first : first + 2], lookers, store)
        assert lookers.pending == {cell.key for cell in given}


def test_drawing_never_waits_and_what_was_not_taken_is_seen_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalharness.lookers.BACKLOG", 3)
    given = cells(20)
    with Lookers(Slow(), 1) as lookers:
        start = time.monotonic()
        for first in range(0, len(given), 2):
            look_meanwhile(given[first : first + 2], lookers, store)
        assert time.monotonic() - start < 300
        assert len(lookers.pending) == (2 + 3) * 2, "one batch for the process, the next, and the backlog"
    with Lookers(small_run.Brightness(), 0) as lookers:
        assert len(observe(given, lookers, store, quiet)) == 20


def test_observations_are_kept_while_others_are_drawn(store: Store) -> None:
    given = cells(20)
    with Lookers(small_run.Brightness(), 1) as lookers:
        look_meanwhile(given[:BATCH], lookers, store)
        for _ in range(3000):
            look_meanwhile((), lookers, store)
            if not lookers.pending:
                break
            time.sleep(0.1)
    with sqlite3.connect(store.folder / "run.sqlite") as database:
        assert database.execute("select count(*) from observations").fetchone() == (BATCH,)
    database.close()


@pytest.mark.parametrize(
    ("wanted", "device", "threads", "cores", "expected"),
    [
        (3, "cpu", None, 2, 3),
        (0, "cuda", None, 16, 0),
        ("auto", "cpu", None, 8, 0),
        ("auto", "cpu", "2", 2, 0),
        ("auto", "cpu", "1", 2, 1),
        ("auto", "cuda", None, 2, 1),
        ("auto", "cuda", None, 1, 0),
        ("auto", "cuda", None, 16, 4),
        ("auto", None, None, 2, 2),
        ("auto", None, None, 1, 0),
    ],
)
def test_auto_takes_the_cores_that_drawing_leaves_idle(
    wanted: Literal["auto"], device: str | None, threads: str | None, cores: int, expected: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
        patched.delenv("OMP_NUM_THREADS", raising=False)
        if threads is not None:
            patched.setenv("OMP_NUM_THREADS", threads)
        assert processes(wanted, 999, device) == expected


def test_auto_starts_no_process_for_a_few_images() -> None:
    assert processes("auto", 15, "cuda") == 0
    assert processes("auto", 47, None) == 0


# The run


def start(inputs: Path, run: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, small_run.__file__, *small_run.arguments(inputs, run, *more)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def concluded(run: Path) -> tuple[list[tuple[object, ...]], bytes]:
    with sqlite3.connect(run / "run.sqlite") as database:
        rows = sorted(database.execute("select key, body from observations union all select key, body from scores"))
    database.close()
    return rows, (run / "verdict.json").read_bytes()


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    small_run.write_inputs(tmp_path / "inputs")
    return tmp_path / "inputs"


def test_run_that_looks_beside_concludes_the_same_byte_for_byte(inputs: Path, tmp_path: Path) -> None:
    runs = {count: start(inputs, tmp_path / f"run{count}", f"perception.workers={count}") for count in (0, 2)}

    assert {process.wait() for process in runs.values()} <= {0, 3, 4}
    assert concluded(tmp_path / "run2") == concluded(tmp_path / "run0")


def wait_until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 300
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def command_of(process: psutil.Process) -> str:
    """The process's command line, or nothing once it is gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_processes_of_a_killed_run_end_and_the_run_goes_on(inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(inputs, run, "perception.workers=1", "backend.options.delay=0.5")
    own = psutil.Process(process.pid)
    wait_until(lambda: any("spawn_main" in command_of(child) for child in own.children()))
    children = own.children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    _, left = psutil.wait_procs(children, timeout=300)
    assert not left
    assert start(inputs, run, "perception.workers=1").wait() in (0, 3, 4)
    assert start(inputs, tmp_path / "unbroken").wait() in (0, 3, 4)
    assert concluded(run) == concluded(tmp_path / "unbroken")
