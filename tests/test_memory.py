"""However many cells there are, images are held for one batch and let go."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import small_run
from PIL import Image

from evalharness import registry
from evalharness.config import compose
from evalharness.run import run
from evalharness.types import Advance, Observation

BATCH = 4


@pytest.fixture
def frozen() -> Iterator[None]:
    """What exists already is not counted, and need not be walked through again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def alive(kind: type) -> int:
    """How many new objects of a type there are; those that only wait for the collector are collected first."""
    gc.collect()
    # isinstance would ask deprecated objects of libraries for their class, and be warned
    return sum(issubclass(type(one), kind) for one in gc.get_objects())


@pytest.mark.usefixtures("frozen")
def test_images_and_observations_of_finished_batches_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_run.write_inputs(tmp_path / "inputs")
    words = small_run.arguments(tmp_path / "inputs", tmp_path / "run", f"backend.batch_size={BATCH}")
    config = compose(words[3:], tmp_path / "inputs")
    monkeypatch.setattr(registry, "TABLES", {**registry.TABLES, "perception": {"brightness": "small_run:Brightness"}})
    kinds = (Image.Image, Observation)
    held: dict[str, list[dict[type, int]]] = {"images": [], "observations": []}

    @contextmanager
    def watched(name: str, total: int) -> Iterator[Advance]:
        yield lambda count: held[name].append({kind: alive(kind) for kind in kinds})

    run(config, watched)

    assert len(held["images"]) == 15 and len(held["observations"]) == 6
    assert 0 < max(one[Image.Image] for one in held["images"]) <= 2 * BATCH
    assert max(one[Image.Image] for one in held["observations"]) <= 2 * BATCH
    # a batch to look at has eight images, whatever was drawn at once
    assert max(one[Observation] for one in held["observations"]) <= 2 * 8
