"""Scorers of an image beside other images of its run: base_drift and diversity, by arithmetic and in whole runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import small_run
from hypothesis import given
from hypothesis import strategies as st
from judging import cell_of
from PIL import Image

from evalharness.backends.fake import draw
from evalharness.perception.layout import layout_of
from evalharness.record import load_run
from evalharness.scorers.base import AnyScorer, Scorer, score_images
from evalharness.scorers.color_drift import HairColorDrift
from evalharness.scorers.neighbours import MOST_SEEDS, find_neighbours
from evalharness.scorers.overtraining import BaseDrift, Diversity, layout_distances
from evalharness.types import (
    BASELINE,
    Cell,
    Expectation,
    Failure,
    FinishedRun,
    Observation,
    Outcome,
    Prompt,
    Score,
    Setting,
)

ALIKE = Expectation(like_base=True)
GREY, TINTED = (50, 0, 0), (50, -1, 2)
APART = 2.3669
"""CIEDE2000 of GREY and TINTED: pair 7 of the test data of Sharma, Wu and Dalal 2005."""


def seen(*colors: tuple[int, int, int]) -> Observation:
    """An observation whose layout has these cells."""
    return Observation(width=8, height=8, layout=tuple(value for color in colors for value in color))


def judged(scorer: AnyScorer, observed: Sequence[tuple[Cell, Observation | None]]) -> dict[str, Score]:
    """The scores of all cells by their key; without an observation the image could not be made."""
    cells = [cell for cell, _ in observed]
    observations = {cell.key: observation for cell, observation in observed if observation is not None}
    images = {c.key: f"{c.key}.png" if c.key in observations else Failure(reason="no power") for c in cells}
    scores = score_images([scorer], cells, observations, images, None)
    return {key: score for key, (score,) in scores.items()}


# base_drift


def test_base_drift_is_the_mean_difference_to_the_no_lora_image_of_the_same_draw() -> None:
    base, other_draw = cell_of(BASELINE, "girl", 1, expect=ALIKE), cell_of(BASELINE, "girl", 2, expect=ALIKE)
    weak, strong = (cell_of("epoch", "girl", 1, strength=strength, expect=ALIKE) for strength in (0.5, 1.0))
    scores = judged(
        BaseDrift(),
        [
            (base, seen(GREY, GREY, GREY, GREY)),
            (other_draw, seen((0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0, 0))),
            (weak, seen(GREY, GREY, GREY, GREY)),
            (strong, seen(GREY, TINTED, GREY, GREY)),
        ],
    )
    assert scores[weak.key].value == 0.0
    assert scores[strong.key].value == pytest.approx(APART / 4, abs=1e-4)
    assert scores[strong.key].reason == "the picture is deltaE00 0.6 from the model's without LoRA on the same draw"


@pytest.mark.parametrize(
    ("expect", "base", "own", "reason"),
    [
        (Expectation(), seen(GREY), seen(GREY), "the prompt does not expect a picture like the base's"),
        (ALIKE, None, seen(GREY), "no image of the model without LoRA on the same draw"),
        (ALIKE, seen(GREY), seen(), "no layout"),
        (ALIKE, seen(), seen(GREY), "no layout"),
        (ALIKE, seen(GREY), None, "no power"),
    ],
    ids=["a picture of the trigger", "no baseline image", "own layout missing", "its layout missing", "no image"],
)
def test_base_drift_that_cannot_be_judged_is_unscored(
    expect: Expectation, base: Observation | None, own: Observation | None, reason: str
) -> None:
    cell = cell_of("epoch", "girl", 1, expect=expect)
    score = judged(BaseDrift(), [(cell_of(BASELINE, "girl", 1, expect=expect), base), (cell, own)])[cell.key]
    assert score.value is None
    assert reason in score.reason


def test_baseline_does_not_drift_from_itself() -> None:
    cell = cell_of(BASELINE, "girl", 1, expect=ALIKE)
    score = judged(BaseDrift(), [(cell, seen(GREY))])[cell.key]
    assert (score.value, score.reason) == (None, "this is the baseline itself, which others are compared with")


# diversity


def test_diversity_is_the_mean_difference_to_the_other_seeds() -> None:
    cells = [cell_of("epoch", "girl", seed) for seed in (1, 2, 3)]
    scores = judged(Diversity(), list(zip(cells, (seen(GREY), seen(GREY), seen(TINTED)), strict=True)))
    assert [scores[cell.key].value for cell in cells] == pytest.approx([APART / 2, APART / 2, APART], abs=1e-4)
    assert scores[cells[2].key].reason == "deltaE00 2.4 from 2 images of the same prompt at other seeds"


def test_diversity_compares_what_differs_in_its_seed_alone() -> None:
    one, two = cell_of("epoch", "girl", 1), cell_of("epoch", "girl", 2)
    strangers = [
        cell_of("other epoch", "girl", 3),
        cell_of("epoch", "girl", 3, strength=0.5),
        cell_of("epoch", "boy", 3),
        cell_of("epoch", "girl", 3, guidance_scale=9.0),
    ]
    others = [(stranger, seen((0, 0, 0))) for stranger in strangers]
    scores = judged(Diversity(), [(one, seen(GREY)), *others, (two, seen(TINTED))])
    assert scores[one.key].value == scores[two.key].value == pytest.approx(APART, abs=1e-4)
    assert all(scores[stranger.key].value is None for stranger in strangers)
    assert scores[strangers[0].key].reason == "there is no image of the same prompt at another seed"


def test_seed_whose_image_failed_is_nobodys_neighbour() -> None:
    cells = [cell_of("epoch", "girl", seed) for seed in (1, 2, 3)]
    scores = judged(Diversity(), [(cells[0], seen(GREY)), (cells[1], None), (cells[2], seen(TINTED))])
    assert scores[cells[0].key].value == pytest.approx(APART, abs=1e-4)
    assert scores[cells[1].key].reason == "no power"


def test_diversity_without_layouts_is_unscored() -> None:
    cells = [cell_of("epoch", "girl", seed) for seed in (1, 2)]
    for pair in ((seen(), seen(GREY)), (seen(GREY), seen())):
        score = judged(Diversity(), list(zip(cells, pair, strict=True)))[cells[0].key]
        assert (score.value, score.reason) == (None, "perception gives no layout of the image")
    cells.append(cell_of("epoch", "girl", 3))
    mixed = list(zip(cells, (seen(GREY), seen(), seen(TINTED)), strict=True))
    assert judged(Diversity(), mixed)[cells[0].key].value == pytest.approx(APART, abs=1e-4)


def test_of_many_seeds_each_meets_the_next_ones_in_a_ring() -> None:
    count = MOST_SEEDS + 4
    cells = [cell_of("epoch", "girl", seed) for seed in range(count)]
    observations = {cell.key: seen((cell.seed, 0, 0)) for cell in cells}
    # the order of the cells is not the order of the seeds
    neighbours = find_neighbours(cells[::-1], observations)
    for cell in cells:
        met = [observation.layout[0] for observation in neighbours[cell.key].seeds]
        assert met == [(cell.seed + step) % count for step in range(1, MOST_SEEDS + 1)]


COLORS = st.tuples(st.integers(0, 100), st.integers(-80, 80), st.integers(-80, 80))


@given(st.lists(st.lists(COLORS, min_size=3, max_size=3), min_size=2, max_size=6))
def test_mean_diversity_is_the_mean_over_all_pairs(layouts: list[list[tuple[int, int, int]]]) -> None:
    cells = [cell_of("epoch", "girl", seed) for seed in range(len(layouts))]
    observations = [seen(*layout) for layout in layouts]
    scores = judged(Diversity(), list(zip(cells, observations, strict=True)))
    pairs = [
        layout_distances(one, [other])[0]
        for index, one in enumerate(observations)
        for other in observations[index + 1 :]
    ]
    values = [score.value or 0.0 for score in scores.values()]
    assert sum(values) / len(values) == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)


# both kinds of scorers together, and whole runs


def test_both_kinds_of_scorers_keep_their_order_in_one_step() -> None:
    cells = [cell_of("epoch", "girl", seed) for seed in (1, 2)]
    images = {cell.key: "x.png" for cell in cells}
    colors: Scorer = HairColorDrift()
    scorers = [Diversity(), colors, BaseDrift()]
    given = score_images(scorers, cells, {cell.key: seen(GREY) for cell in cells}, images, None)
    for scores in given.values():
        assert [score.metric for score in scores] == ["diversity", "color_drift", "base_drift"]
        assert [score.value for score in scores] == [0.0, None, None]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    """A run of the fake maker with both metrics in its gate; one of its three prompts is to be left alone."""
    folder = tmp_path_factory.mktemp("neighbours")
    small_run.write_inputs(folder / "inputs")
    gate = (
        "suite.gates=[{metric: base_drift, at_most: 20, minimum_scored: 4},"
        "{metric: diversity, at_least: -20, relative_to: baseline, minimum_scored: 4}]"
    )
    prompts = (
        "suite.prompts=[{id: a, text: her, expect: {faces: 1}}, {id: b, text: a cat, expect: {like_base: true}},"
        "{id: c, text: a tree, expect: {like_base: true}}]"
    )
    more = ["suite.scorers=[base_drift,diversity,faces]", "suite.objective={diversity: 1}", gate, prompts]
    assert small_run.main(small_run.arguments(folder / "inputs", folder / "run", *more)) == 0
    return load_run(folder / "run")


def values(run: FinishedRun, metric: str) -> Mapping[str, float | None]:
    return {key: score.value for key, scores in run.scores.items() for score in scores if score.metric == metric}


def test_run_scores_drift_where_it_is_expected_and_diversity_everywhere(finished: FinishedRun) -> None:
    drift, diversity = values(finished, "base_drift"), values(finished, "diversity")
    for cell in finished.cells:
        alike = cell.prompt.expect.like_base and cell.subject != BASELINE
        assert (drift[cell.key] is not None) == alike
        assert (diversity[cell.key] or 0.0) > 1.0


def test_run_measures_the_drift_between_the_pictures_it_made(finished: FinishedRun) -> None:
    identities = {subject.name: subject.identity for subject in finished.subjects}
    drift = values(finished, "base_drift")
    cells = [cell for cell in finished.cells if drift[cell.key] is not None]
    assert len(cells) == 2 * 3 * 2 * 2, "prompts x seeds x LoRAs x strengths"
    for cell in cells:
        pictures = (draw(BASELINE, cell), draw(f"{identities[cell.subject]}@{cell.strength:g}", cell))
        before, after = (Observation(width=64, height=64, layout=layout_of(picture)) for picture in pictures)
        assert drift[cell.key] == layout_distances(after, [before])[0] > 0.0


def test_gate_holds_subjects_to_both_metrics(finished: FinishedRun) -> None:
    for verdict in finished.judgement.verdicts:
        drift, diversity = verdict.checks
        assert drift.outcome is diversity.outcome is Outcome.PASS
        assert "base drift deltaE00" in drift.reason
        assert "over 12 images" in drift.reason, "prompts to be left alone x seeds x strengths"
        assert "diversity deltaE00" in diversity.reason
        assert "against the baseline over 18 pairs" in diversity.reason


FOLDER_SUITE = """
name: folder
prompts:
  - {id: cat, text: a cat, expect: {like_base: true}, axes: {what: cat}}
  - {id: tree, text: a tree, expect: {like_base: true}, axes: {what: tree}}
seeds: [1]
files: {pattern: "{what}_{variant}.png"}
"""


def test_existing_images_without_a_baseline_have_no_drift_and_say_why(tmp_path: Path) -> None:
    small_run.write_inputs(tmp_path / "inputs")
    (tmp_path / "inputs" / "suites" / "folder.yaml").write_text(FOLDER_SUITE)
    images = tmp_path / "girls"
    images.mkdir()
    for name, seed in (("cat_1", 1), ("cat_2", 2), ("tree_1", 1)):
        prompt = Prompt(id=name, text="a picture")
        setting = Setting(width=64, height=64)
        one = Cell(key="k", pair_key="p", subject="s", strength=1.0, prompt=prompt, setting=setting, seed=seed)
        picture: Image.Image = draw("s", one)
        picture.save(images / f"{name}.png")
    command = ["score", str(images), "--config-dir", str(tmp_path / "inputs"), "suite=folder", "perception=brightness"]
    assert small_run.main([*command, f"folder='{tmp_path / 'run'}'"]) == 4

    run = load_run(tmp_path / "run")
    scores = {(cell.prompt.id, one.metric): one for cell in run.cells for one in run.scores[cell.key]}
    assert scores["cat", "base_drift"].value is None
    assert scores["cat", "base_drift"].reason == "there is no image of the model without LoRA on the same draw"
    assert (scores["cat", "diversity"].value or 0.0) > 1.0
    assert scores["tree", "diversity"].reason == "there is no image of the same prompt at another seed"
