"""The run folder: what is stored stays, what was changed is refused, and one process holds it at a time."""

import dataclasses
import os
import platform
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from evalharness.errors import StoreError
from evalharness.store import PNG_KEY, Store
from evalharness.types import Cell, Failure, Observation, Prompt, Score, Setting


def cell(name: str) -> Cell:
    return Cell(
        key=name * 16,
        pair_key=name,
        subject="base",
        strength=0.0,
        prompt=Prompt(id="p", text="a girl"),
        setting=Setting(),
        seed=1,
    )


RED = Image.new("RGB", (8, 8), (255, 0, 0))


def test_stored_image_comes_back_pixel_for_pixel(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.save_images([(cell("a"), RED)], {"maker": "fake"})
        assert store.load_image(cell("a")).tobytes() == RED.tobytes()
        assert store.missing([cell("a"), cell("b")]) == (cell("b"),)


def test_every_png_carries_its_cell_and_its_maker(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.save_images([(cell("a"), RED)], {"maker": "fake"})
        path = store.images([cell("a")])[cell("a").key]
    assert isinstance(path, str)
    with Image.open(tmp_path / path) as image:
        carried = msgspec.json.decode(str(image.info[PNG_KEY]))
    assert carried["cell"]["prompt"]["text"] == "a girl"
    assert carried["maker"] == {"maker": "fake"}


def stored(folder: Path, one: Cell, image: Image.Image) -> Image.Image:
    """The file that a cell's image becomes, opened."""
    with Store(folder) as store:
        store.save_images([(one, image)], {"maker": "fake", "checkpoint": "anima.safetensors"})
        return Image.open(folder / str(store.images([one])[one.key]))


def test_every_png_says_in_a1111s_words_how_it_was_made(tmp_path: Path) -> None:
    lora = dataclasses.replace(cell("a"), subject="nova-000004", strength=0.8, seed=7)
    with stored(tmp_path, lora, RED) as image:
        first, *_, last = str(image.info["parameters"]).split("\n")
    assert first == "a girl <lora:nova-000004:0.8>"
    assert last.startswith("Steps: 20, Sampler: default, CFG scale: 5, Seed: 7, Size: 512x512, Model: anima.safet")


def test_image_that_was_only_scored_keeps_what_it_said(tmp_path: Path) -> None:
    given = RED.copy()
    given.info |= {"parameters": "another tool's text", "prompt": '{"3": {}}', "workflow": "x" * 1_000_001}
    with stored(tmp_path, dataclasses.replace(cell("a"), source="a.png"), given) as image:
        assert (image.info["parameters"], image.info["prompt"]) == ("another tool's text", '{"3": {}}')
        assert "workflow" not in image.info
    with stored(tmp_path, dataclasses.replace(cell("b"), source="b.png"), RED) as image:
        assert "parameters" not in image.info


def test_failed_cell_says_why_and_is_tried_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.save_images([(cell("a"), Failure(reason="the image is black"))], {})
        assert store.images([cell("a")]) == {cell("a").key: Failure(reason="the image is black")}
        assert store.missing([cell("a")]) == (cell("a"),)


def test_image_that_was_changed_afterwards_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.save_images([(cell("a"), RED)], {})
        Image.new("RGB", (8, 8)).save(tmp_path / str(store.images([cell("a")])[cell("a").key]))
        with pytest.raises(StoreError, match="was changed after it was stored"):
            store.load_image(cell("a"))


def test_image_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.save_images([(cell("a"), RED)], {})
        (tmp_path / str(store.images([cell("a")])[cell("a").key])).unlink()
        assert store.missing([cell("a")]) == (cell("a"),)


def test_observations_of_another_perceiver_are_not_mixed_in(tmp_path: Path) -> None:
    seen = {"k": Observation(width=8, height=8, blind={"face": "seen from behind"})}
    with Store(tmp_path) as store:
        store.save_observations("one", seen)
        assert store.observations(["k"], "one") == seen
        assert store.observations(["k"], "two") == {}


def test_scores_always_belong_to_the_latest_plan(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.save_scores({"old": (Score(metric="faces", value=1.0, reason="one face"),)})
        store.save_scores({"new": (Score(metric="faces", value=None, reason="hidden"),)})
        assert list(store.scores(["old", "new"])) == ["new"]


def test_second_process_on_the_same_folder_is_told_so(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from evalharness.store import Store; Store(Path(sys.argv[1]))"
    with Store(tmp_path):
        other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert f"another process is using '{tmp_path}' (process {os.getpid()} on {platform.node()})" in other.stderr


def test_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with Store(tmp_path) as store, pytest.raises(StoreError, match=r"holds no run\.json; give the folder of a run"):
        store.read_json("run.json", dict[str, str])


def test_json_file_is_never_half_written(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.write_json("verdict.json", {"decision": "PROMOTE"})
        with pytest.raises(TypeError):
            store.write_json("verdict.json", {"decision": object()})
        assert store.read_json("verdict.json", dict[str, str]) == {"decision": "PROMOTE"}
    assert not list(tmp_path.glob(".*.part"))


def test_score_refuses_not_a_number() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="finite number or None"):
            dataclasses.replace(Score(metric="faces", value=0.0, reason=""), value=value)
