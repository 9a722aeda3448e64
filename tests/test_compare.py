"""`evalharness compare`: two subjects on equal draws, and what may not be compared."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import small_run
from sample_run import LEADER, sample_input

from evalharness.cli import main
from evalharness.compare import compare
from evalharness.errors import InputError
from evalharness.sides import Side, obstacles, read_side
from evalharness.types import BASELINE, FinishedRun


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return sample_input(tmp_path_factory.mktemp("run"))


def said(ours: Side, theirs: Side, *, force: bool = False) -> dict[str, str]:
    return {one.metric.name: one.says for one in compare(ours, theirs, force=force).differences}


def side(run: FinishedRun, subject: str) -> Side:
    return Side(run=run, subject=subject, strength=0.0 if subject == BASELINE else 1.0)


def test_better_subject_is_better_in_every_direction(given: FinishedRun) -> None:
    forward = said(side(given, LEADER), side(given, "flipped"))
    backward = said(side(given, "flipped"), side(given, LEADER))
    assert forward["harmony"] == "better"
    # a smaller drift is the better one
    assert forward["color_drift"] == "better"
    turned = {"better": "worse", "worse": "better"}
    assert backward == {metric: turned.get(says, says) for metric, says in forward.items()}


def test_difference_is_over_pairs_and_subject_against_itself_is_zero(given: FinishedRun) -> None:
    for one in compare(side(given, LEADER), side(given, LEADER)).differences:
        assert one.paired.mean == 0.0
        assert one.says == "open"
        assert one.paired.scored == one.ours.scored


def test_runs_of_other_makers_are_refused_with_what_differs_unless_forced(given: FinishedRun) -> None:
    first, second = ({**given.record, "maker": {"maker": "diffusers", "dtype": d}} for d in ("float32", "float16"))
    cells = tuple(dataclasses.replace(cell, pair_key=f"other {cell.pair_key}") for cell in given.cells)
    ours = side(dataclasses.replace(given, record=first), LEADER)
    theirs = side(dataclasses.replace(given, record=second, cells=cells), "flipped")
    with pytest.raises(InputError, match=r"the image makers differ in dtype.*--force"):
        compare(ours, theirs)
    assert said(ours, theirs, force=True)["harmony"] == "better"


def test_other_expectations_and_versions_are_obstacles(given: FinishedRun) -> None:
    asked = tuple(
        dataclasses.replace(
            cell,
            prompt=dataclasses.replace(
                cell.prompt, expect=dataclasses.replace(cell.prompt.expect, emotion="surprised")
            ),
        )
        for cell in given.cells
    )
    newer = {name: dataclasses.replace(info, version=9) for name, info in given.metrics.items()}
    other = dataclasses.replace(given, cells=asked, metrics=newer)
    assert obstacles(side(given, LEADER), side(given, "flipped")) == ()
    assert obstacles(side(given, LEADER), side(other, LEADER)) == (
        "the prompts or what is expected of them differ",
        "other versions measured color_drift, faces, hair_side, harmony",
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run on disk, two LoRAs at two strengths."""
    folder = tmp_path_factory.mktemp("small")
    small_run.write_inputs(folder / "inputs")
    command = [sys.executable, small_run.__file__, *small_run.arguments(folder / "inputs", folder / "run")]
    subprocess.run(command, capture_output=True, check=False)
    return folder / "run"


def test_sides_are_read_from_a_run(stored: Path) -> None:
    assert read_side(f"{stored}:girl-000001", 0.5).strength == 0.5
    assert read_side(f"{stored}:{BASELINE}").strength == 0.0
    assert read_side(str(stored), 1.0).subject.startswith("girl-")


@pytest.mark.parametrize(
    ("subject", "strength", "sentence"),
    [
        (":girl-00001", 1.0, "Did you mean 'girl-000001'?"),
        (":girl-000001", None, "was measured at strengths 0.5, 1; choose one with --strength"),
        (":girl-000001", 0.7, "was not measured at strength 0.7; known are 0.5, 1"),
    ],
)
def test_wrong_side_is_one_sentence(subject: str, strength: float | None, sentence: str, stored: Path) -> None:
    with pytest.raises(InputError) as error:
        read_side(f"{stored}{subject}", strength)
    assert sentence in str(error.value)


def test_table_says_what_the_differences_mean(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["compare", f"{stored}:girl-000001", f"{stored}:base", "--strength", "1"])
    shown = capsys.readouterr().out
    assert code == 0
    assert "A: girl-000001 @ 1   B: base @ 0" in shown
    assert "faces" in shown


def test_folder_without_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "holds no run.json" in capsys.readouterr().err
