"""What the page says of a run: its sentence, its curves, its tables and its references, without a browser."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from PIL import Image
from sample_run import LEADER, METRICS, sample_input

from evalharness.paths import shipped
from evalharness.reference_images import recall, remember
from evalharness.report.complaints import limits
from evalharness.report.curve_rows import curves
from evalharness.report.fact_rows import fact_groups
from evalharness.report.failure_rows import failure_table
from evalharness.report.headline import headline
from evalharness.report.html import SCRIPTS, render
from evalharness.report.names import labels, listed
from evalharness.report.palette_rows import board
from evalharness.report.setting_rows import guidance_table, strength_advice
from evalharness.stats.decide import times_needed
from evalharness.store import Store
from evalharness.types import (
    BASELINE,
    Candidate,
    Check,
    Color,
    Decision,
    Estimate,
    FinishedRun,
    Hair,
    LoraFile,
    Mark,
    MetricInfo,
    Observation,
    Outcome,
    Rule,
    Score,
    Subject,
)

TEXTS = json.loads((shipped("reports") / "texts" / "en.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> FinishedRun:
    return sample_input(tmp_path_factory.mktemp("run"))


def measured(mean: float | None, low: float | None = None, high: float | None = None, scored: int = 24) -> Estimate:
    return Estimate(mean=mean, low=low, high=high, level=0.9, scored=scored, unscored=0, prompts=8)


def judged(given: FinishedRun, decision: Decision, only: str | None = None, **changed: object) -> FinishedRun:
    """The sample with this decision for all subjects, or with one subject alone; `changed` is of every check."""
    verdicts = tuple(
        dataclasses.replace(
            verdict,
            decision=decision,
            checks=tuple(dataclasses.replace(check, **changed) for check in verdict.checks[:1]),  # type: ignore[arg-type]
        )
        for verdict in given.judgement.verdicts
        if only in (None, verdict.subject)
    )
    judgement = dataclasses.replace(given.judgement, verdicts=verdicts, decision=decision)
    return dataclasses.replace(given, judgement=judgement)


def test_promotion_names_the_likeliest_best_with_its_strength_and_who_else_passes(given: FinishedRun) -> None:
    said = headline(given, TEXTS)
    assert said.sentence == "Promote epoch 6 at strength 1."
    assert said.notes == ("It passes all 3 checks.", "Epoch 8 passes every check as well.")
    assert (said.subject, len(said.checks)) == ("epoch 6", 3)


def test_a_leader_that_is_not_proven_is_named_beside_the_promoted_one(given: FinishedRun) -> None:
    selection = dataclasses.replace(given.judgement.selection, leader="sakichan-000002")
    found = dataclasses.replace(given, judgement=dataclasses.replace(given.judgement, selection=selection))
    assert headline(found, TEXTS).notes[-1].startswith("Epoch 2 has the better chance of being best")


def test_rejection_counts_the_bad_images(given: FinishedRun) -> None:
    found = judged(given, Decision.REJECT, only="flipped", outcome=Outcome.FAIL)
    values = [
        score.value
        for cell in given.cells
        for score in given.scores.get(cell.key, ())
        if cell.subject == "flipped" and score.metric == "hair_side" and score.value is not None
    ]
    bad = sum(value < 0.5 for value in values)
    assert 0 < bad < len(values)
    words = f"Rejected: hair on the wrong side in {bad} of {len(values)} images (hair side "
    assert headline(found, TEXTS).sentence.startswith(words)
    assert headline(found, TEXTS).sentence.endswith(", at least 70 % asked).")


def test_rejection_of_all_names_the_best_of_them(given: FinishedRun) -> None:
    said = headline(judged(given, Decision.REJECT, outcome=Outcome.FAIL), TEXTS)
    assert said.sentence.startswith("All 4 are rejected. The best of them is epoch 6: ")


def test_open_verdict_says_how_many_more_images_would_decide(given: FinishedRun) -> None:
    estimate = measured(0.8, 0.65, 0.95)
    found = judged(given, Decision.INCONCLUSIVE, only=LEADER, outcome=Outcome.INCONCLUSIVE, estimate=estimate)
    # the interval must shrink from 0.15 to 0.1: 2.25 times as many images as the 32 that are there
    assert headline(found, TEXTS).sentence == "Not enough evidence: about 40 more images of epoch 6 would decide."


def test_open_verdict_on_its_limit_promises_no_number(given: FinishedRun) -> None:
    estimate = measured(0.701, 0.6, 0.8)
    found = judged(given, Decision.INCONCLUSIVE, only=LEADER, outcome=Outcome.INCONCLUSIVE, estimate=estimate)
    assert "too close to a limit" in headline(found, TEXTS).sentence


@pytest.mark.parametrize(
    ("estimate", "rule", "checks", "factor"),
    [
        (measured(0.8, 0.6, 1.0), {"at_least": 0.7}, 5, 4.0),
        (measured(0.8, 0.75, 0.85), {"at_most": 0.9}, 5, 1.0),
        # a failure must beat Holm's first step: z(1 - 0.05 / 5) / z(1 - 0.05) = 1.4143
        (measured(0.6, 0.4, 0.7), {"at_least": 0.7}, 5, 1.4143**2),
        (measured(0.6, 0.4, 0.7), {"at_least": 0.7}, 1, 1.0),
        (measured(0.9, 0.8, 1.0, scored=4), {"at_least": 0.7}, 5, 2.0),
        (measured(None, scored=0), {"at_least": 0.7}, 5, None),
        (measured(0.7, 0.6, 0.8), {"at_least": 0.7}, 5, None),
        (measured(0.71, 0.6, 0.8), {"at_least": 0.7}, 5, None),
        (measured(0.8), {"at_least": 0.7}, 5, None),
    ],
)
def test_images_needed_follow_from_the_interval_and_the_limit(
    estimate: Estimate, rule: dict[str, float], checks: int, factor: float | None
) -> None:
    check = Check(rule=Rule(metric="harmony", **rule), outcome=Outcome.INCONCLUSIVE, estimate=estimate, reason="")  # type: ignore[arg-type]
    found = times_needed(check, checks)
    assert found == (None if factor is None else pytest.approx(factor, rel=1e-3))


def test_subjects_are_called_by_epochs_only_where_these_tell_them_apart() -> None:
    subjects = [Subject(name=f"a{epoch}", identity="", epoch=epoch) for epoch in (1, 2, 3, 5, 7, 7)]
    assert labels(subjects, TEXTS)["a5"] == "epoch 5"
    assert labels(subjects, TEXTS)["a7"] == "a7"
    assert listed(["a5", "a2", "a1", "a3"], subjects, TEXTS) == "epochs 1–3, 5"
    assert listed(["a5", "a7"], subjects, TEXTS) == "epoch 5, a7"


def test_an_image_is_bad_by_the_rule_of_its_metric(given: FinishedRun) -> None:
    assert limits(given) == {"harmony": 0.5, "hair_side": 0.5, "color_drift": 6.0, "faces": 0.5}


def test_curves_have_a_column_for_each_strength_and_the_baseline(given: FinishedRun) -> None:
    epochs, strengths = curves(given, TEXTS)
    chart = next(one for one in epochs["charts"] if one["metric"] == "harmony")  # type: ignore[attr-defined]
    assert [column["heading"] for column in chart["columns"]] == ["at strength 0.7", "at strength 1"]
    points = chart["columns"][1]["points"]
    assert [(point["x"], point["mark"]) for point in points] == [(2, ""), (6, "leads"), (8, "tied")]
    summary = next(
        s for s in given.judgement.summaries if (s.subject, s.strength, s.metric) == (LEADER, 1.0, "harmony")
    )
    assert points[1]["mean"] == pytest.approx(summary.estimate.mean, abs=1e-4)
    assert points[1]["low"] == pytest.approx(summary.estimate.low, abs=1e-4)
    base = next(s for s in given.judgement.summaries if (s.subject, s.metric) == (BASELINE, "harmony"))
    assert chart["baseline"] == base.estimate.mean
    swept = next(one for one in strengths["charts"] if one["metric"] == "harmony")  # type: ignore[attr-defined]
    assert [column["heading"] for column in swept["columns"]] == [LEADER, "flipped"]
    assert [point["x"] for point in swept["columns"][0]["points"]] == [0.0, 0.7, 1.0]


def test_two_trainings_with_the_same_epochs_have_curves_of_their_own(given: FinishedRun) -> None:
    other = {"sakichan-000002": ("other-000006", 6), "flipped": ("other-000008", 8)}
    subjects = tuple(
        dataclasses.replace(one, name=other[one.name][0], epoch=other[one.name][1]) if one.name in other else one
        for one in given.subjects
    )
    renamed = [
        dataclasses.replace(one, subject=other[one.subject][0]) if one.subject in other else one
        for one in given.judgement.summaries
    ]
    judgement = dataclasses.replace(given.judgement, summaries=tuple(renamed))
    (epochs, _) = curves(dataclasses.replace(given, subjects=subjects, judgement=judgement), TEXTS)
    chart = next(one for one in epochs["charts"] if one["metric"] == "harmony")  # type: ignore[attr-defined]
    assert [column["heading"] for column in chart["columns"]] == [
        "other, at strength 0.7",
        "other, at strength 1",
        "sakichan, at strength 0.7",
        "sakichan, at strength 1",
    ]


def test_two_files_of_one_epoch_and_training_are_no_curve(given: FinishedRun) -> None:
    subjects = tuple(dataclasses.replace(one, epoch=6) if one.epoch else one for one in given.subjects)
    assert [group["axis"] for group in curves(dataclasses.replace(given, subjects=subjects), TEXTS)] == ["strength"]


def test_a_single_lora_at_one_strength_has_no_curve(given: FinishedRun) -> None:
    summaries = tuple(s for s in given.judgement.summaries if s.subject == BASELINE or s.strength == 1.0)
    subjects = tuple(dataclasses.replace(one, epoch=None) for one in given.subjects)
    judgement = dataclasses.replace(given.judgement, summaries=summaries)
    assert curves(dataclasses.replace(given, subjects=subjects, judgement=judgement), TEXTS) == []


def starred(given: FinishedRun, scales: tuple[float, ...] = (5.0, 7.0)) -> FinishedRun:
    """The sample with stars: at CFG 5 every second image has three, at 7 all; the others fail by A or C."""
    cells, scores = [], {}
    for cell in given.cells:
        for scale in scales:
            own = dataclasses.replace(
                cell, key=f"{cell.key}{scale}", setting=dataclasses.replace(cell.setting, guidance_scale=scale)
            )
            good = scale == 7.0 or cell.seed == 1
            label = "" if good else "A" if cell.prompt.axes["archetype"] == "soft" else "C"
            cells.append(own)
            value = 3.0 if good else 0.5 if cell.prompt.id == "soft_neutral" else 1.0
            scores[own.key] = (Score(metric="stars", value=value, reason="seen", label=label),)
    info = MetricInfo(name="stars", version=1, unit="stars", higher_is_better=True)
    images = {cell.key: "images/x.png" for cell in cells}
    return dataclasses.replace(given, cells=tuple(cells), scores=scores, images=images, metrics={"stars": info})


def test_failure_types_are_counted_with_the_worst_as_examples(given: FinishedRun) -> None:
    found = failure_table(starred(given), TEXTS)
    assert found is not None
    # 4 LoRAs x 2 strengths x 8 prompts x 2 seeds x 2 scales = 256 images, a quarter of them fails
    assert [(kind.letter, kind.count, kind.share) for kind in found.types] == [
        ("A", 32, "12 %"),
        ("B", 0, "0 %"),
        ("C", 32, "12 %"),
        ("D", 0, "0 %"),
    ]
    assert [(row.subject, row.judged, row.counts) for row in found.subjects[:2]] == [
        (BASELINE, 32, (4, 0, 4, 0)),
        ("sakichan-000002", 64, (8, 0, 8, 0)),
    ]
    cells = starred(given).cells
    examples = [cells[place] for place in found.types[0].examples]
    assert all(cell.prompt.axes["archetype"] == "soft" and cell.subject != BASELINE for cell in examples)
    # one of the worst prompt first, then those of the others before its second
    assert [cell.prompt.id for cell in examples].count("soft_neutral") == 2
    assert examples[0].prompt.id == "soft_neutral"
    assert len({cell.prompt.id for cell in examples[:4]}) == 4


def test_a_run_without_failure_types_has_no_table_of_them(given: FinishedRun) -> None:
    assert failure_table(given, TEXTS) is None


def test_guidance_scale_is_recommended_with_the_lead_on_equal_draws(given: FinishedRun) -> None:
    found = guidance_table(starred(given), TEXTS)
    assert found is not None
    assert found.advice == "Recommended: guidance scale 7."
    assert [(row.scale, row.best, row.tied) for row in found.rows] == [("7", True, False), ("5", False, False)]
    # 1 star on seven prompts, 1.25 on the worst
    assert found.rows[1].behind.startswith("+1.03")
    assert guidance_table(starred(given, (5.0,)), TEXTS) is None


def test_strength_is_recommended_for_the_leader_and_for_loras_without_epochs(given: FinishedRun) -> None:
    tied = Candidate(subject=LEADER, strength=0.7, objective=measured(0.8), probability_best=0.2, tied=True)
    selection = given.judgement.selection
    behind = dataclasses.replace(tied, strength=0.4, probability_best=0.0, tied=False)
    selection = dataclasses.replace(selection, candidates=(*selection.candidates, tied, behind))
    judgement = dataclasses.replace(given.judgement, selection=selection)
    found = strength_advice(dataclasses.replace(given, objective={"harmony": 1.0}, judgement=judgement), TEXTS)
    values: dict[float, list[float]] = {0.7: [], 1.0: []}
    for cell in given.cells:
        for score in given.scores.get(cell.key, ()):
            if cell.subject == "flipped" and score.metric == "harmony" and score.value is not None:
                values[cell.strength].append(score.value)
    best = max(values, key=lambda strength: sum(values[strength]) / len(values[strength]))
    assert found == (
        "Recommended strength of epoch 6: 1. 0.7 cannot be told apart from it.",
        f"Recommended strength of flipped: {best:g}.",
    )


def test_drift_is_shown_against_the_references_in_words_and_steps(given: FinishedRun) -> None:
    found = board(given)
    assert found is not None
    assert [(one.region, one.color) for one in found.typical] == [("hair", "#6e462d")]
    row = next(row for row in found.rows if row.leads)
    (cell,) = row.cells
    assert cell is not None
    assert (row.subject, cell.color, cell.images) == (f"{LEADER} @ 1", "#8f5a33", 16)
    assert cell.drift == "9.31 ΔE00"
    assert cell.words == "3 degrees towards orange, more saturated, lighter"
    assert cell.figures == "hue +3, chroma +10, lightness +10"


def test_the_median_colour_is_not_moved_by_a_few_wild_images(given: FinishedRun) -> None:
    wild = (Mark(kind="swatch", label="a", color="#00ff00"), Mark(kind="swatch", label="b", color="#6e462d"))
    own = [cell.key for cell in given.cells if cell.subject == "flipped"][:6]
    scores = {
        key: tuple(
            dataclasses.replace(s, evidence=wild) if key in own and s.metric == "color_drift" else s for s in found
        )
        for key, found in given.scores.items()
    }
    found = board(dataclasses.replace(given, scores=scores))
    assert found is not None
    assert {cell.color for row in found.rows for cell in row.cells if cell} == {"#8f5a33"}


def test_what_is_no_colour_reaches_no_style(given: FinishedRun) -> None:
    evil = (Mark(kind="swatch", label="a", color="red;x:url(//e)"), Mark(kind="swatch", label="b", color="#6e462d"))
    scores = {
        key: tuple(dataclasses.replace(score, evidence=evil) if score.evidence else score for score in found)
        for key, found in given.scores.items()
    }
    found = dataclasses.replace(given, scores=scores)
    assert board(found) is None
    page = render(found)
    assert "url(//e)" not in re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.S)


def test_references_are_remembered_small_with_their_colours(tmp_path: Path, given: FinishedRun) -> None:
    Image.new("RGB", (640, 480), "#6e462d").save(tmp_path / "one.png")
    hair = Hair(
        share=0.3, left=0.0, right=0.2, below=0.1, axis=((0.0, 0.0), (0.0, 1.0)), outline=((1.0, 2.0), (3.0, 4.0))
    )
    colors = (
        Color(region="skin", lab=(80.0, 5.0, 10.0), share=0.1),
        Color(region="hair", lab=(33.7, 14.6, 21.2), share=0.3),
        Color(region="hair", lab=(50.0, 0.0, 0.0), share=0.1),
        Color(region="eyes", lab=(40.0, 10.0, -30.0), share=0.01),
        Color(region="background", lab=(90.0, 0.0, 0.0), share=0.5),
    )
    seen = Observation(width=640, height=480, hair=hair, colors=colors)
    with Store(tmp_path / "run") as store:
        assert recall(store) == ()
        remember(store, {"k": tmp_path / "one.png"}, {"k": seen})
        (found,) = recall(store)
        (tmp_path / "one.png").unlink()
        # what is known already is not read again, so the images may be gone
        remember(store, {"k": tmp_path / "one.png"}, {"k": seen})
        assert recall(store) == (found,)
        remember(store, {}, {})
        assert recall(store) == ()
    assert found.thumbnail.startswith("data:image/webp;base64,")
    assert len(found.thumbnail) < 4_000
    assert found.colors == {"hair": (33.7, 14.6, 21.2), "eyes": (40.0, 10.0, -30.0), "skin": (80.0, 5.0, 10.0)}
    shown = board(dataclasses.replace(given, references=(found,)))
    assert shown is not None
    assert shown.images[0].outline == "1,2 3,4"
    assert [one.region for one in shown.images[0].palette] == ["hair", "eyes", "skin"]
    assert "one.png" in render(dataclasses.replace(given, references=(found,)))


def test_facts_say_what_was_asked_and_what_the_headers_tell(given: FinishedRun) -> None:
    def told(subject: Subject, steps: str) -> Subject:
        metadata = {"ss_network_dim": "32", "ss_steps": steps, "ss_tag_frequency": "{}"}
        return dataclasses.replace(subject, loras=(dataclasses.replace(subject.loras[0], metadata=metadata),))

    subjects = (given.subjects[0], told(given.subjects[1], "200"), told(given.subjects[2], "600"))
    groups = {
        group.name: dict(group.facts) for group in fact_groups(dataclasses.replace(given, subjects=subjects), TEXTS)
    }
    assert groups["asked for"]["Seed"] == "1, 2"
    assert groups["asked for"]["Strength"] == "0, 0.7, 1"
    assert groups["all LoRAs"] == {"network dim": "32"}
    assert groups["LoRA files"]["sakichan-000002.safetensors"].endswith("…; steps 200")
    assert groups["run"]["date"] == "2026-11-21 09:30"


def test_two_files_of_one_name_are_both_told(given: FinishedRun) -> None:
    files = tuple(LoraFile(path=Path(f"{folder}/x.safetensors"), digest=folder * 64) for folder in ("a", "b"))
    subject = Subject(name="both", identity="i", loras=files)
    groups = fact_groups(dataclasses.replace(given, subjects=(subject,)), TEXTS)
    (facts,) = [group.facts for group in groups if group.name == "LoRA files"]
    assert [value[:12] for _, value in facts] == ["SHA-256 aaaa", "SHA-256 bbbb"]


def test_every_page_with_the_chart_library_holds_its_licence(given: FinishedRun) -> None:
    folder = shipped("reports") / "vendor" / "uplot"
    licence = (folder / "LICENSE").read_text("utf-8")
    page = render(given)
    assert (folder / "uPlot.iife.min.js").read_text("utf-8").strip() in page
    said = re.sub(r"\s+", " ", re.sub(r"^ \* ?", "", (folder / "notice.js").read_text("utf-8"), flags=re.M))
    assert re.sub(r"\s+", " ", licence).strip() in said
    assert "Copyright (c) 2022 Leon Sorokin" in page
    assert "../vendor/uplot/notice.js" in SCRIPTS


def test_every_metric_of_the_sample_has_a_complaint() -> None:
    assert {f"complaint_{name}" for name in METRICS} <= set(TEXTS)
