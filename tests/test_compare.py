"""`evalharness compare`: two subjects on equal draws, and what may not be compared."""

import dataclasses
import random
import subprocess
import sys
from pathlib import Path

import pytest
import small_run
from judging import epoch, matrix, metric
from sample_run import LEADER, sample_input

from evalharness.cli import main
from evalharness.compare import compare
from evalharness.errors import InputError
from evalharness.ledger import Measured
from evalharness.promote import promote
from evalharness.record import load_run
from evalharness.report.card import Override
from evalharness.sides import Side, beside, obstacles, read_side, read_sides
from evalharness.types import BASELINE, Cell, FinishedRun


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


def both(round_number: int, metrics: int) -> tuple[Side, Side]:
    """Two subjects whose scores differ by chance alone: continuous metrics and pass/fail ones in turn."""
    ours, theirs = epoch(1), epoch(2)
    chance = random.Random(round_number)
    moods: dict[str, float] = {}

    def values(cell: Cell) -> dict[str, float]:
        found = {}
        for number in range(metrics):
            mood = moods.setdefault(f"{cell.prompt.id} {number}", chance.gauss(0.5, 0.2))
            value = chance.gauss(mood, 0.2)
            found[f"m{number}"] = value if number % 2 else float(value > 0.4)
        return found

    cells, scores = matrix((ours, theirs), values, 12, 4)
    known = {f"m{number}": metric(f"m{number}") for number in range(metrics)}
    run = Measured(suite="chance", record={}, cells=tuple(cells), scores=scores, metrics=known)
    return Side(run=run, subject=ours.name, strength=1.0), Side(run=run, subject=theirs.name, strength=1.0)


def test_equal_subjects_are_hardly_ever_better_or_worse_in_any_of_six_metrics() -> None:
    found = [compare(*both(round_number, 6)) for round_number in range(200)]
    wrong = sum(any(one.says in ("better", "worse") for one in comparison.differences) for comparison in found)
    each = sum(one.says in ("better", "worse") for comparison in found for one in comparison.differences)
    assert found[0].level == pytest.approx(1.0 - 0.05 / 6)
    # 5 % are 10 of 200; 16 is what chance exceeds in 2 % of such tests. At 95 % each it would be some 50.
    assert wrong <= 16
    assert each > 0, "nothing was ever told apart: the intervals are of no use"


def test_one_metric_keeps_its_95_percent_interval() -> None:
    assert compare(*both(0, 1)).level == pytest.approx(0.95)


def reseeded(side: Side, first: int) -> Side:
    """The same side on draws of its own: seeds from `first` on."""
    cells = tuple(
        dataclasses.replace(cell, seed=cell.seed + first, pair_key=f"{cell.prompt.id} other {cell.seed}")
        for cell in side.run.cells
    )
    return dataclasses.replace(side, run=dataclasses.replace(side.run, cells=cells))


def test_sides_of_other_seeds_are_paired_within_prompts_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from evalharness.console import print_comparison

    ours, theirs = both(3, 2)
    comparison = compare(ours, reseeded(theirs, 100))
    assert comparison.other_seeds
    same = compare(ours, theirs)
    assert not same.other_seeds
    # seeds in their order: here the same pairs
    assert comparison.differences == same.differences
    print_comparison(ours, theirs, comparison)
    assert "other seeds: paired by prompt" in capsys.readouterr().out


def test_equal_draws_are_never_given_up_for_other_ones() -> None:
    ours, theirs = both(3, 1)
    left, _ = ours.under("/left")
    right, _ = theirs.under("/right")
    moved = [dataclasses.replace(c, pair_key=f"other {c.pair_key}", seed=c.seed + 9) if c.seed else c for c in right]
    cells, others = beside(left, moved)
    assert not others
    assert [cell.pair_key for cell in cells] == [cell.pair_key for cell in moved]


def test_seeds_without_a_partner_stay_alone() -> None:
    ours, theirs = both(3, 1)
    left, _ = ours.under("/left")
    right, _ = reseeded(theirs, 100).under("/right")
    cells, others = beside([cell for cell in left if cell.seed < 3], right)
    assert others
    common = {cell.pair_key for cell in cells} & {cell.pair_key for cell in left}
    assert len(common) == 12 * 3


def test_other_settings_or_negative_prompts_are_not_other_seeds(given: FinishedRun) -> None:
    def changed(**more: object) -> Side:
        cells = tuple(dataclasses.replace(cell, pair_key=f"other {cell.pair_key}", **more) for cell in given.cells)
        return side(dataclasses.replace(given, cells=cells), LEADER)

    setting = dataclasses.replace(given.cells[0].setting, steps=99)
    with pytest.raises(InputError, match="no setting is the same"):
        compare(side(given, LEADER), changed(setting=setting))
    prompt = dataclasses.replace(given.cells[0].prompt, negative="blurry")
    with pytest.raises(InputError, match="the prompts or what is expected of them differ"):
        compare(side(given, LEADER), changed(prompt=prompt))


def test_runs_of_other_makers_are_refused_with_what_differs_unless_forced(given: FinishedRun) -> None:
    first, second = ({**given.record, "maker": {"maker": "diffusers", "dtype": d}} for d in ("float32", "float16"))
    cells = tuple(dataclasses.replace(cell, pair_key=f"other {cell.pair_key}") for cell in given.cells)
    ours = side(dataclasses.replace(given, record=first), LEADER)
    theirs = side(dataclasses.replace(given, record=second, cells=cells), "flipped")
    with pytest.raises(InputError, match=r"the image makers differ in dtype.*--force"):
        compare(ours, theirs)
    assert said(ours, theirs, force=True)["harmony"] == "better"


def test_another_batch_size_is_no_obstacle(given: FinishedRun) -> None:
    ours, theirs = (
        side(dataclasses.replace(given, record={"maker": {"maker": "diffusers", "batch size": size}}), LEADER)
        for size in (1, 8)
    )
    assert obstacles(ours, theirs) == ()


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


@pytest.fixture(scope="module")
def promoted(stored: Path) -> Path:
    """A folder of promoted LoRAs beside that run."""
    folder = stored.parent / "kept"
    promote(load_run(stored), folder, "girl-000002", Override(by="Mai", reason="a test"), 0.5)
    return folder


def test_promoted_is_compared_at_the_strength_it_was_promoted_for(stored: Path, promoted: Path) -> None:
    ours, theirs = read_sides(f"{stored}:base", "promoted", None, promoted)
    assert (theirs.subject, theirs.strength) == ("girl-000002", 0.5)
    assert "girl-000002 is promoted since" in theirs.notes[0]
    assert obstacles(ours, theirs) == ()
    assert compare(theirs, ours) == compare(read_side(f"{stored}:girl-000002", 0.5), ours)
    again, _ = read_sides("promoted", f"{stored}:girl-000001", 1.0, promoted)
    assert again.strength == 1.0


def test_promoted_without_a_likeliest_strength_asks_for_one(stored: Path, tmp_path: Path) -> None:
    run = load_run(stored)
    open_ = dataclasses.replace(run.judgement.selection, leader=None, candidates=())
    run = dataclasses.replace(run, judgement=dataclasses.replace(run.judgement, selection=open_))
    promote(run, tmp_path, "girl-000001", Override(by="Mai", reason="a test"))
    with pytest.raises(InputError, match=r"strengths 0\.5, 1; choose one with --strength"):
        read_sides(f"{stored}:base", "promoted", None, tmp_path)
    assert read_sides(f"{stored}:base", "promoted", 1.0, tmp_path)[1].strength == 1.0


def test_word_promoted_is_the_ledger_and_dot_slash_a_run(
    stored: Path, promoted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(stored.parent)
    (stored.parent / "promoted").symlink_to(stored)
    words = [f"{stored}:girl-000001", "--strength", "1"]
    assert main(["compare", *words, "promoted", "--promoted-in", "kept"]) == 0
    assert "B: girl-000002 @ 1" in capsys.readouterr().out
    assert main(["compare", *words, "promoted"]) == 2
    assert "'promoted' holds no promotions.jsonl" in capsys.readouterr().err
    assert main(["compare", *words, "./promoted:base"]) == 0
    assert "B: base @ 0" in capsys.readouterr().out
    assert main(["compare", "promoted", "promoted"]) == 2
    assert "both sides are what is promoted" in capsys.readouterr().err


def test_folder_without_a_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    assert "holds no run.json" in capsys.readouterr().err
