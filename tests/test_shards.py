"""Shards of one plan: each its own folder, together what one run is; what does not belong together is refused."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_run
from PIL import Image
from safetensors.numpy import save_file

from evalharness.errors import ConfigError
from evalharness.plan import MakerFacts, Plan, make_plan
from evalharness.plan.shards import parts, read_shard
from evalharness.suite import Suite, read_suite
from evalharness.types import BASELINE, Subject

SHARDS = 3
IMAGES = 3 * 3 * (1 + 2 * 2)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards") / "inputs"
    small_run.write_inputs(folder)
    return folder


@pytest.fixture(scope="module")
def one(inputs: Path) -> Path:
    return made(inputs, inputs.parent / "one")


@pytest.fixture(scope="module")
def cut(inputs: Path) -> Path:
    """A run's folder that holds its three shards; tests copy it."""
    run = inputs.parent / "cut"
    for number in range(1, SHARDS + 1):
        made(inputs, run, "--shard", f"{number}/{SHARDS}")
    return run


@pytest.fixture
def shards(cut: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cut, tmp_path / "run"))


class Said:
    """All that was printed since the test began."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self._text = capsys, ""

    def text(self) -> str:
        self._text += "".join(self._capsys.readouterr())
        return self._text


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def made(inputs: Path, run: Path, *more: str) -> Path:
    assert small_run.main(small_run.arguments(inputs, run, *more)) in (0, 3, 4)
    return run


def merge(*words: object) -> int:
    return small_run.main(["merge", *map(str, words)])


def rows(run: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(run / "run.sqlite") as database:
        found = sorted(database.execute(query))
    database.close()
    return found


def concluded(run: Path) -> dict[str, object]:
    """All that a run made and concluded: images by their files' digests, what was seen, scores, verdict."""
    return {
        "images": rows(run, "select key, path, sha256, failure from images"),
        "seen": rows(run, "select key, perceiver, body from observations"),
        "scores": rows(run, "select key, body from scores"),
        "verdict": (run / "verdict.json").read_bytes(),
    }


# Who makes what


def plan_of(loras: int, seeds: int = 4) -> tuple[Plan, Suite]:
    suite = read_suite(
        {
            "name": "x",
            "prompts": [{"id": str(i), "text": f"girl {i}"} for i in range(3)],
            "seeds": list(range(seeds)),
            "strengths": [0.5, 1.0],
            "scorers": ["faces"],
        }
    )
    subjects = [Subject(name=f"e{i}", identity=f"{i:064}") for i in range(loras)]
    return make_plan(suite, subjects, MakerFacts(fingerprint={"maker": "x"}, native_size=(64, 64))), suite


@pytest.mark.parametrize(("loras", "count"), [(12, 5), (12, 1), (1, 5), (2, 9), (3, 7)])
def test_shards_are_the_plan_each_cell_once_and_the_baseline_in_the_first(loras: int, count: int) -> None:
    plan, suite = plan_of(loras)
    found = parts(plan, suite, count, 2)

    assert [cell for cells in found for cell in cells] == list(plan.cells)
    assert all(cell.subject != BASELINE for cells in found[1:] for cell in cells)
    assert found == parts(plan, suite, count, 2)


@pytest.mark.parametrize("count", [2, 3, 5, 8])
def test_shards_are_even_to_a_batch_and_load_few_loras_twice(count: int) -> None:
    plan, suite = plan_of(12)
    found = parts(plan, suite, count, 2)

    assert max(map(len, found)) - min(map(len, found)) <= 2 * 2
    loads = sum(len({cell.subject for cell in cells}) for cells in found)
    assert loads <= 13 + count - 1


def test_shards_make_the_batches_that_one_run_makes() -> None:
    plan, suite = plan_of(3)
    whole = {tuple(cell.key for cell in cells) for _, cells in plan.batches(plan.cells, 5)}
    cut = {tuple(c.key for c in b) for cells in parts(plan, suite, 4, 5) for _, b in plan.batches(cells, 5)}

    assert cut == whole


def test_more_shards_than_batches_are_refused() -> None:
    plan, suite = plan_of(1)
    with pytest.raises(ConfigError, match="9 shards are too many: the plan has 6 batches of at most 8 images"):
        parts(plan, suite, 9, 8)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "-1/3", "a/b", "1/3/5"])
def test_shard_that_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="write i/n"):
        read_shard(text)


# n shards are one run


def test_shards_merged_are_one_run_bit_for_bit(one: Path, shards: Path) -> None:
    assert merge(shards) == small_run.main(["gate", str(one)])

    assert len(concluded(one)["images"]) == IMAGES  # type: ignore[arg-type]
    assert concluded(shards) == concluded(one)
    assert (shards / "report.html").is_file()


def test_merged_images_take_no_space_of_their_own(shards: Path) -> None:
    merge(shards)
    images = list((shards / "images").glob("*/*.png"))

    assert len(images) == IMAGES
    assert all(image.stat().st_nlink == 2 for image in images)
    assert not list(shards.rglob(".*.link"))


def test_images_are_copied_where_no_link_can_be_made(
    one: Path, shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    merge(*sorted(shards.glob("shard-*")), "--to", tmp_path / "whole")

    assert concluded(tmp_path / "whole") == concluded(one)


def test_same_merge_again_and_the_plain_run_after_it_make_nothing(one: Path, shards: Path, inputs: Path) -> None:
    merge(shards)
    before = {path: path.stat().st_mtime_ns for path in shards.glob("images/*/*.png")}
    merge(shards)
    made(inputs, shards)

    assert {path: path.stat().st_mtime_ns for path in shards.glob("images/*/*.png")} == before
    assert concluded(shards) == concluded(one)


def test_shard_says_what_it_is_and_is_not_judged(inputs: Path, tmp_path: Path, said: Said) -> None:
    assert small_run.main(small_run.arguments(inputs, tmp_path / "run", "--shard", "2/3")) == 0

    folder = tmp_path / "run" / "shard-2-of-3"
    assert f"shard 2 of 3: 14 of 14 images are made, in {folder}" in said.text()
    assert f"evalharness merge {tmp_path / 'run'}" in said.text()
    assert not (folder / "verdict.json").exists()
    assert small_run.main(["gate", str(folder)]) == 2
    assert f"'{folder}' is shard 2 of 3 of a run; `evalharness merge` makes the whole" in said.text()


def test_dry_run_of_a_shard_counts_its_part_alone(inputs: Path, tmp_path: Path, said: Said) -> None:
    small_run.main(small_run.arguments(inputs, tmp_path / "run", "--shard", "2/3", "--dry-run"))

    assert "14 images of 3 prompts, 14 of them to make" in said.text()
    assert not (tmp_path / "run").exists()


def test_budget_is_refused_with_shards(inputs: Path, tmp_path: Path, said: Said) -> None:
    words = small_run.arguments(inputs, tmp_path / "run", "--shard", "1/2", "suite.budget=adaptive")

    assert small_run.main(words) == 2
    assert "has a budget" in said.text()
    assert "suite.budget=all" in said.text()


# What is missing


def test_missing_shard_is_said_and_made_by_the_plain_run(one: Path, shards: Path, inputs: Path, said: Said) -> None:
    shutil.rmtree(shards / "shard-3-of-3")

    assert merge(shards) == 4
    assert "shard 3 of 3: 16 of 16 images are missing" in said.text()
    assert not (shards / "verdict.json").exists()
    made(inputs, shards)
    assert concluded(shards)["images"] == concluded(one)["images"]
    assert concluded(shards)["verdict"] == concluded(one)["verdict"]


def test_unfinished_shard_is_said_and_merged_when_it_is_finished(one: Path, shards: Path, said: Said) -> None:
    part = shards / "shard-2-of-3"
    whole = shutil.copytree(part, shards.parent / "finished")
    next(part.glob("images/*/*.png")).unlink()

    assert merge(shards) == 4
    assert "shard 2 of 3: 1 of 14 images are missing" in said.text()
    shutil.rmtree(part)
    shutil.copytree(whole, part)
    assert merge(shards) in (0, 3)
    assert concluded(shards) == concluded(one)


def test_failures_are_merged_as_failures(inputs: Path, tmp_path: Path) -> None:
    for number in (1, 2):
        made(inputs, tmp_path / "run", "--shard", f"{number}/2", "backend.options.fail_on=[sad]")
    made(inputs, tmp_path / "one", "backend.options.fail_on=[sad]")
    merge(tmp_path / "run")

    assert concluded(tmp_path / "run") == concluded(tmp_path / "one")
    assert len(rows(tmp_path / "run", "select key from images where failure is not null")) == IMAGES // 3


def test_merge_without_the_baselines_shard_is_refused(shards: Path, said: Said) -> None:
    shutil.rmtree(shards / "shard-1-of-3")

    assert merge(shards) == 2
    assert "9 of 9 images without LoRA are missing" in said.text()
    assert "finish shard 1" in said.text()
    assert not list((shards / "images").glob("*/*.png"))


def test_lora_that_changes_no_pixel_in_a_shard_without_the_baseline_is_refused(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said
) -> None:
    from evalharness.backends.fake import FakeMaker

    same = Image.fromarray(np.full((64, 64, 3), 200, np.uint8))
    monkeypatch.setattr(FakeMaker, "generate", lambda self, subject, cells: [same] * len(cells))
    run = tmp_path / "run"
    # five shards: the first has the baseline alone, so that no shard can compare
    assert {small_run.main(small_run.arguments(inputs, run, "--shard", f"{i}/5")) for i in range(1, 6)} == {0}

    assert merge(run) == 2
    assert "'girl-000001' changes no pixel of the base's images at strength 0.5" in said.text()
    assert not list((run / "images").glob("*/*.png"))


# What does not belong together


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["suite.seeds=[1,2,4]"], "the suites differ ('small' "),
        (["backend.options.quality={girl-000002: 0.1}"], "the image makers differ in quality"),
        (["backend.batch_size=3"], "they were cut between batches of 2 and of 3 images"),
    ],
)
def test_shards_of_different_runs_are_refused(
    more: list[str], sentence: str, shards: Path, inputs: Path, tmp_path: Path, said: Said
) -> None:
    made(inputs, tmp_path / "other", "--shard", "3/3", *more)
    shutil.rmtree(shards / "shard-3-of-3")

    assert merge(shards, tmp_path / "other", "--to", tmp_path / "whole") == 2
    assert f"are not of one run: {sentence}" in said.text()
    assert not (tmp_path / "whole").exists()


def test_shards_of_other_weights_under_the_same_name_are_refused(
    shards: Path, inputs: Path, tmp_path: Path, said: Said
) -> None:
    others = Path(shutil.copytree(inputs, tmp_path / "others"))
    weights = {"lora_A.weight": np.full((2, 2), 9, np.float32)}
    save_file(weights, others / "girl-000002.safetensors", metadata={"ss_epoch": "2"})
    made(others, tmp_path / "other", "--shard", "3/3")
    shutil.rmtree(shards / "shard-3-of-3")

    assert merge(shards, tmp_path / "other", "--to", tmp_path / "whole") == 2
    assert "the LoRAs' weights differ in girl-000002" in said.text()


def test_shards_of_another_number_or_twice_the_same_are_refused(
    shards: Path, inputs: Path, tmp_path: Path, said: Said
) -> None:
    made(inputs, tmp_path / "other", "--shard", "2/2")
    assert merge(shards, tmp_path / "other", "--to", tmp_path / "whole") == 2
    assert "one is shard 1 of 3, the other shard 2 of 2" in said.text()

    shutil.copytree(shards / "shard-2-of-3", tmp_path / "twin")
    assert merge(shards, tmp_path / "twin", "--to", tmp_path / "whole") == 2
    assert "are both shard 2 of 3; give each shard once" in said.text()


def test_folder_of_another_run_a_shard_or_nothing_is_no_place_and_no_shard(
    one: Path, shards: Path, inputs: Path, tmp_path: Path, said: Said
) -> None:
    made(inputs, tmp_path / "other", "suite.seeds=[7]")
    parts_of = sorted(shards.glob("shard-*"))
    for words, sentence in (
        ([shards, "--to", tmp_path / "other"], "holds another run than"),
        ([shards, "--to", parts_of[0]], "is shard 1 of 3 itself"),
        (parts_of, "give --to RUN"),
        ([one], "is a whole run and no shard"),
        ([tmp_path / "nothing"], "is no shard and holds none"),
    ):
        assert merge(*words) == 2
        assert sentence in said.text()


def test_changed_image_is_refused(shards: Path, said: Said) -> None:
    image = sorted(shards.glob("shard-3-of-3/images/*/*.png"))[-1]
    image.write_bytes(image.read_bytes() + b"x")

    assert merge(shards) == 2
    assert f"{image} was changed after it was stored" in said.text()
    assert not (shards / "verdict.json").exists()


def test_shard_that_is_being_made_is_not_merged(shards: Path, said: Said) -> None:
    from evalharness.store import Store

    with Store(shards / "shard-2-of-3"):
        assert merge(shards) == 2
    assert f"another process is using '{shards / 'shard-2-of-3'}'" in said.text()


# A merge that is killed

DYING = """
import itertools, os, signal, sys
import small_run
link, linked = os.link, itertools.count(1)
def counted(source, target):
    link(source, target)
    if next(linked) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
os.link = counted
sys.exit(small_run.main(sys.argv[1:]))
"""


def test_killed_merge_loses_nothing_and_goes_on(one: Path, shards: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    killed = subprocess.run([sys.executable, "-c", DYING, "merge", str(shards)], env=environment, check=False)

    assert killed.returncode == -signal.SIGKILL, "it ended before: nothing was tested"
    assert len(list((shards / "images").glob("*/*.png"))) == 4, "the fifth has its name already"
    assert rows(shards, "select key from images") == []
    assert merge(shards) in (0, 3)
    assert concluded(shards) == concluded(one)
