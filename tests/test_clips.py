"""Clips: some frames are scored, each as a cell of its own; each clip is drawn once and kept; stills stay the same."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import small_run
import test_plan
from PIL import Image

from evalharness import registry
from evalharness.backends.fake import FakeMaker
from evalharness.backends.pixels import frames_of
from evalharness.cli import main
from evalharness.errors import SuiteError
from evalharness.infotext import of_cell
from evalharness.plan import Plan
from evalharness.record import load_run
from evalharness.suite.model import SettingTemplate
from evalharness.types import Cell, Failure, Subject

CLIPS = "suite.settings={frames: 17, scored_frames: 3}"
SHOWN = (2, 8, 14)


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    perception = {**registry.PERCEPTION, "brightness": "small_run:Brightness"}
    monkeypatch.setitem(registry.TABLES, "perception", perception)  # type: ignore[index]
    small_run.write_inputs(tmp_path / "inputs")
    return tmp_path / "inputs"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Cell, ...]]:
    """The cells of every call of the fake maker."""
    calls: list[tuple[Cell, ...]] = []
    plain = FakeMaker.generate

    def generate(maker: FakeMaker, subject: Subject, cells: Sequence[Cell]) -> list[Image.Image | Failure]:
        calls.append(tuple(cells))
        return plain(maker, subject, cells)

    monkeypatch.setattr(FakeMaker, "generate", generate)
    return calls


def made(inputs: Path, run: Path, *more: str) -> Path:
    assert main(small_run.arguments(inputs, run, "suite.strengths=[1]", CLIPS, *more)) in (0, 3, 4)
    return run


def clips_plan(**settings: object) -> Plan:
    return test_plan.plan(test_plan.suite(settings={"frames": 17, "scored_frames": 3, **settings}))


# Keys of stills


def test_keys_and_digests_of_stills_are_those_from_before_there_were_clips() -> None:
    """Stored runs would be made anew otherwise."""
    cells = test_plan.plan().cells
    assert cells[0].key == "eec4de7ce939169c5f68acc1a1b552d1264f4aae215bb179481ecc8c5c32bfec"
    assert cells[-1].key == "79673d1ab1216862a9d28c1afb5c051d7128111e30d7f129bb2cc3dc1f39f1c2"
    assert cells[0].pair_key == "4b8dcbf651411fbfecf3354ba793a2190c78bc55de241947e2a5e83b2c8d05be"
    suite = test_plan.suite(scorers=["faces"], files={"skip_unmatched": True})
    assert suite.digest == "2be53622c7ef2f5b1ab91c7465b6f742a44f89794c17bdb2e14db748e0667c19"


def test_length_and_number_of_frames_are_in_the_digests() -> None:
    suites = [test_plan.suite(settings={"frames": n, "scored_frames": k}) for n, k in ((1, 1), (17, 1), (17, 3))]
    assert len({suite.digest for suite in suites}) == 3
    keys = [cell.key for suite in suites[1:] for cell in test_plan.plan(suite).cells]
    # the middle one of three frames is the one frame that is scored of one
    assert len(set(keys)) == len(keys) * 3 // 4
    pairs = {cell.pair_key for cell in test_plan.plan(suites[2]).cells}
    assert len(pairs) == 4 * 2 * 3


# Which frames, in which order


@pytest.mark.parametrize(
    ("frames", "scored", "shown"),
    [(1, 1, (0,)), (9, 1, (4,)), (17, 3, SHOWN), (81, 4, (10, 30, 50, 70)), (5, 5, (0, 1, 2, 3, 4))],
)
def test_scored_frames_are_the_middles_of_equal_stretches(frames: int, scored: int, shown: tuple[int, ...]) -> None:
    assert SettingTemplate(frames=frames, scored_frames=scored).shown == shown


@pytest.mark.parametrize("settings", [{"frames": 0}, {"frames": 5, "scored_frames": 6}, {"scored_frames": 0}])
def test_scored_frames_beyond_the_clip_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SuiteError, match=r"scored_frames is \d of \d frames; a clip has at least"):
        test_plan.suite(settings=settings)


def test_frames_of_a_clip_stand_side_by_side_and_batches_count_clips() -> None:
    plan = clips_plan(guidance_scale=[5, 7])
    for _, cells in plan.batches(plan.cells, 2):
        assert [cell.setting.frame for cell in cells] == 2 * list(SHOWN)
        assert len({cell.clip[1:] for cell in cells}) == 2
    missing = plan.cells[4:]
    first = next(plan.batches(missing, 2))[1]
    assert [cell.setting.frame for cell in first] == [8, 14, *SHOWN], "frames that are there are left out"


# A whole run


def test_run_of_clips_draws_each_once_and_keeps_it(inputs: Path, tmp_path: Path, asked: list[tuple[Cell, ...]]) -> None:
    run = made(inputs, tmp_path / "run")

    assert {len(cells) for cells in asked} <= {3, 6} and len({cell.key for cells in asked for cell in cells}) == 81
    assert len(list((run / "images").rglob("*.png"))) == 81
    kept = list((run / "clips").rglob("*.webp"))
    assert len(kept) == 27
    finished = load_run(run)
    assert {str(path.relative_to(run)) for path in kept} == set(finished.clips.values())
    assert set(finished.clips) == {cell.key for cell in finished.cells}
    with Image.open(kept[0]) as clip:
        assert getattr(clip, "n_frames", 1) == 17


def test_cells_of_a_clip_show_its_frames(inputs: Path, tmp_path: Path) -> None:
    run = made(inputs, tmp_path / "run")
    finished = load_run(run)
    cells = [cell for cell in finished.cells if cell.clip == finished.cells[0].clip and cell.subject == "base"]
    assert [cell.setting.frame for cell in cells] == list(SHOWN)
    for cell in cells:
        with Image.open(run / str(finished.images[cell.key])) as image:
            frame = np.asarray(image.convert("RGB"), float)
        with Image.open(run / finished.clips[cell.key]) as clip:
            far = {number: np.abs(_frame(clip, number) - frame).mean() for number in SHOWN}
        assert min(far, key=lambda number: far[number]) == cell.setting.frame
        assert far[cell.setting.frame] < 3


def _frame(clip: Image.Image, number: int) -> npt.NDArray[np.floating]:
    clip.seek(number)
    return np.asarray(clip.convert("RGB"), float)


def test_resumed_run_draws_only_clips_with_missing_frames(
    inputs: Path, tmp_path: Path, asked: list[tuple[Cell, ...]]
) -> None:
    run = made(inputs, tmp_path / "run")
    before = load_run(run)
    gone = before.cells[4]
    (run / str(before.images[gone.key])).unlink()
    asked.clear()

    made(inputs, run)

    assert asked == [(gone,)]
    assert load_run(run).clips == before.clips and len(list((run / "clips").rglob("*.webp"))) == 27


def test_clips_cluster_by_prompt_and_pair_by_frame(inputs: Path, tmp_path: Path) -> None:
    finished = load_run(made(inputs, tmp_path / "run"))
    summary = finished.judgement.summaries[0].estimate
    assert (summary.scored + summary.unscored, summary.prompts) == (27, 3)
    assert {delta.estimate.scored + delta.estimate.unscored for delta in finished.judgement.deltas} == {27}


def test_budget_counts_seeds_of_clips(inputs: Path, tmp_path: Path) -> None:
    run = made(inputs, tmp_path / "run", "suite.budget=adaptive")
    seeds = {cell.seed for cell in load_run(run).cells}
    for seed in seeds:
        assert sum(cell.seed == seed and cell.subject == "base" for cell in load_run(run).cells) == 9


def test_page_has_the_frames_as_an_axis_and_links_the_clips(inputs: Path, tmp_path: Path) -> None:
    from evalharness.report.cell_rows import cell_data

    data = cell_data(load_run(made(inputs, tmp_path / "run")))
    axes = {axis["name"]: axis["values"] for axis in data["axes"]}  # type: ignore[attr-defined, index]
    columns = data["columns"]
    assert axes["clip_frame"] == ("2", "8", "14")
    assert all(one.startswith("./clips/") for one in columns["clips"])  # type: ignore[index]
    assert [one["frame"] for one in data["settings"]] == [2, 8, 14]  # type: ignore[attr-defined, index]


def test_shards_of_clips_merge_with_their_clips(inputs: Path, tmp_path: Path) -> None:
    whole = load_run(made(inputs, tmp_path / "whole"))
    for shard in ("1/2", "2/2"):
        words = small_run.arguments(inputs, tmp_path / "cut", "suite.strengths=[1]", CLIPS, "--shard", shard)
        assert main(words) == 0
    assert main(["merge", str(tmp_path / "cut")]) in (0, 3, 4)

    merged = load_run(tmp_path / "cut")
    assert merged.clips == whole.clips
    assert all((tmp_path / "cut" / path).is_file() for path in merged.clips.values())


def test_scored_frames_of_a_run_are_told_apart_by_what_they_say(inputs: Path, tmp_path: Path) -> None:
    run = made(inputs, tmp_path / "run")
    folder = f"folder='{tmp_path / 'again'}'"
    more = ["--config-dir", str(inputs), "suite=small", CLIPS, "perception=brightness", folder]

    assert main(["score", str(run / "images"), *more]) in (0, 3, 4)

    again = load_run(tmp_path / "again")
    assert len(again.cells) == 81 and {cell.setting.frame for cell in again.cells} == set(SHOWN)
    assert again.judgement.summaries[0].estimate.mean == load_run(run).judgement.summaries[0].estimate.mean


def test_infotext_of_a_still_says_nothing_of_frames() -> None:
    assert "Frames" not in of_cell(test_plan.plan().cells[0]).fields
    assert of_cell(clips_plan().cells[1]).fields["Frame"] == "8"


def test_makers_of_stills_refuse_clips_in_a_sentence(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeMaker, "draws_clips", False)
    assert main(small_run.arguments(inputs, tmp_path / "run", CLIPS)) == 2
    assert "fake draws no clips, and the suite's settings.frames is 17; set it to 1" in capsys.readouterr().err


def test_failed_frames_leave_the_others_with_their_clip() -> None:
    values = np.random.default_rng(0).uniform(0, 1, (5, 16, 16, 3))
    values[2] = np.nan
    failed, fine = frames_of(values, [2, 4])
    assert isinstance(failed, Failure) and isinstance(fine, Image.Image) and fine.info["clip"]


def test_store_from_before_there_were_clips_still_opens(inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(small_run.arguments(inputs, run)) in (0, 3, 4)
    with sqlite3.connect(run / "run.sqlite") as database:
        database.execute("drop table clips")
    database.close()
    record = json.loads((run / "run.json").read_text())
    for cell in record["plan"]["cells"]:
        del cell["setting"]["frames"], cell["setting"]["frame"]
    for template in record["suite"]["settings"]:
        del template["frames"], template["scored_frames"]
    (run / "run.json").write_text(json.dumps(record))

    assert load_run(run).clips == {}
