"""Labels of the composite, a browser that is not there, what the table leaves out, and history as curves."""

import dataclasses
import json
import webbrowser
from pathlib import Path

import pytest
from PIL import ImageFont
from sample_run import METRICS, sample_input

from evalharness.cli import main
from evalharness.languages import texts
from evalharness.report import lettering
from evalharness.report.composite import Choice, write_composite
from evalharness.report.history import Moment, history_charts, seconds_of
from evalharness.report.lettering import lacking
from evalharness.report.rows import page
from evalharness.report.verdict_rows import folded, verdict_rows
from evalharness.types import Decision, Estimate, FinishedRun


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def given(folder: Path) -> FinishedRun:
    return sample_input(folder)


def test_labels_are_written_in_a_font_that_has_them_or_the_lack_is_said(
    given: FinishedRun, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(prompt: str) -> list[str]:
        renamed = [dataclasses.replace(c, prompt=dataclasses.replace(c.prompt, id=prompt)) for c in given.cells[:1]]
        said: list[str] = []
        one = dataclasses.replace(given, cells=tuple(renamed))
        write_composite(folder, one, Choice(), tmp_path / "grid.png", said.append)
        return said

    own = ImageFont.load_default(13)
    assert lacking(own, "a髪Ж") == "髪Ж"
    assert written("happy") == []
    monkeypatch.setattr(lettering, "_fonts", lambda: (own,))
    (sentence,) = written("髪型 happy")
    assert "has '型髪'" in sentence and "fonts-noto-cjk" in sentence


def test_the_first_font_without_a_lack_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = ImageFont.load_default(13), ImageFont.load_default(14)
    monkeypatch.setattr(lettering, "_fonts", lambda: (first, second))
    lacks = {id(first): "髪", id(second): ""}
    monkeypatch.setattr(lettering, "lacking", lambda font, wanted: lacks[id(font)])
    assert lettering.font_for(["髪"]) == (second, "")
    lacks[id(second)] = "髪型"
    assert lettering.font_for(["髪"]) == (first, "髪")


@pytest.mark.parametrize("opens", [False, None])
def test_a_machine_without_a_browser_is_told_where_the_page_is(
    given: FinishedRun,
    opens: bool | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[str] = []

    def fake(address: str) -> bool:
        asked.append(address)
        if opens is None:
            raise webbrowser.Error("could not locate runnable browser")
        return opens

    monkeypatch.setattr(webbrowser, "open", fake)
    monkeypatch.setattr("evalharness.record.load_run", lambda folder: given)
    assert main(["report", str(tmp_path), "--open"]) == 0
    page = tmp_path / "report.html"
    assert asked == [page.as_uri()]
    captured = capsys.readouterr()
    assert captured.err == f"no browser could be opened here; open {page} in one.\n"
    assert captured.out == f"{page}\n"


def test_columns_that_say_the_same_in_every_row_become_a_sentence(given: FinishedRun) -> None:
    everything = page(given, texts())
    assert everything.same.columns == frozenset()
    assert everything.same.sentence == ""
    cells = tuple(cell for cell in given.cells if cell.strength in (0.0, 1.0))
    summaries = tuple(one for one in given.judgement.summaries if one.strength in (0.0, 1.0))
    images = {cell.key: "images/all.png" for cell in cells}
    judgement = dataclasses.replace(given.judgement, summaries=summaries)
    one = page(dataclasses.replace(given, cells=cells, images=images, judgement=judgement), texts())
    assert one.same.columns == {"strength", "images"}
    assert one.same.sentence == "Same in all rows: strength 1, images 16."


def test_counts_stand_only_where_an_image_could_not_be_judged(given: FinishedRun) -> None:
    summaries = {(s.subject, s.strength, s.metric): s.estimate for s in given.judgement.summaries}
    seen = set()
    for row in page(given, texts()).table:
        for name, cell in zip(given.metrics, row.cells, strict=True):
            estimate = summaries[row.subject, row.strength, name]
            seen.add(bool(estimate.unscored))
            assert cell.counts == (f"{estimate.unscored} unscored" if estimate.unscored else "")
    assert seen == {True, False}


def test_nothing_is_folded_away_that_leads_or_was_rejected() -> None:
    assert folded([False] * 8) == [False] * 8
    always = [False] * 20
    always[11] = always[19] = True
    shown = [place for place, folds in enumerate(folded(always)) if not folds]
    assert shown == [0, 1, 2, 3, 4, 5, 11, 19]


def test_a_rejected_subject_far_down_is_shown(given: FinishedRun) -> None:
    (reject,) = [one for one in given.judgement.verdicts if one.decision is Decision.REJECT][:1]
    (passed,) = [one for one in given.judgement.verdicts if one.decision is Decision.PROMOTE][:1]
    many = [dataclasses.replace(passed, subject=f"s{n}") for n in range(12)]
    judgement = dataclasses.replace(given.judgement, verdicts=(*many, reject))
    rows = verdict_rows(judgement, given.metrics, texts())
    assert [row.folded for row in rows] == [False] * 6 + [True] * 6 + [False]


def moment(date: str, mean: float | None, digest: str = "aaaaaaaa", suite: str = "demo") -> Moment:
    estimate = Estimate(mean=mean, low=None, high=None, level=0.95, scored=8, unscored=0, prompts=4)
    return Moment(date=date, name="s", row="row", suite=(suite, digest), metric=METRICS["harmony"], mean=estimate)


def test_history_has_a_plot_for_each_suite_in_the_order_of_dates() -> None:
    days = ["2026-03-02T10:00:00+00:00", "2026-01-02T10:00:00+00:00", "2026-02-02"]
    (chart,) = history_charts([moment(day, 0.1 * n) for n, day in enumerate(days)])
    (column,) = json.loads(json.dumps(chart))["columns"]
    assert column["heading"] == "demo"
    assert [point["mean"] for point in column["points"]] == [0.1, 0.2, 0.0]
    assert column["points"][1]["x"] == seconds_of("2026-02-02T00:00:00+00:00")
    # a suite that changed is another one, and one promotion is no curve
    changed = [*(moment(day, 0.5) for day in days), *(moment(day, 0.5, digest="bbbbbbbb") for day in days)]
    (chart,) = history_charts([*changed, moment(days[0], 0.5, suite="other")])
    headings = [one["heading"] for one in json.loads(json.dumps(chart))["columns"]]
    assert headings == ["demo (aaaaaaa)", "demo (bbbbbbb)"]


def test_history_leaves_out_what_has_no_date_or_no_value() -> None:
    assert seconds_of("last Tuesday") is None
    assert history_charts([moment("last Tuesday", 0.5), moment("2026-01-02", None), moment("2026-01-03", 0.5)]) == []
