"""What a reader does with the report: choose axes, open an image, walk with the arrow keys, sort the table."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
from opened import Open
from playwright.sync_api import Locator, Page, expect
from sample_run import LEADER

from evalharness.report.html import write_report
from evalharness.types import BASELINE, Expectation, Failure, FinishedRun

HACK = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"'\u202e"


def hostile(given: FinishedRun) -> FinishedRun:
    """Every word that could come from a user is an attack, on one prompt 10,000 characters long."""
    attacked = {
        cell.prompt.id: dataclasses.replace(cell.prompt, text=(HACK * 200)[:10_000], negative=HACK, axes={HACK: HACK})
        for cell in given.cells[:1]
    }
    cells = [dataclasses.replace(c, prompt=attacked.get(c.prompt.id, c.prompt), source=HACK) for c in given.cells]
    scores = {k: tuple(dataclasses.replace(s, reason=HACK) for s in found) for k, found in given.scores.items()}
    return dataclasses.replace(
        given, title=HACK, suite=HACK, record={HACK: HACK}, cells=tuple(cells), scores=scores, description=HACK
    )


def choose(page: Page, label: str, value: str) -> None:
    page.locator("#grid-controls").get_by_label(label, exact=True).select_option(label=value)


def heads(page: Page, role: str) -> Locator:
    return page.locator(f"#grid [role={role}] > bdi")


def shown(page: Page) -> Locator:
    return page.locator("#viewer .bar-top h2")


def test_the_report_asks_for_nothing_but_its_own_files(report: Path, open_report: Open) -> None:
    opened = open_report(report)
    image = opened.page.locator("#grid .tile img").first
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("naturalWidth", 128)
    own = report.parent.as_uri()
    assert len(opened.requests) > 1
    assert [url for url in opened.requests if not url.startswith((own, "data:,"))] == []
    assert opened.errors == []


@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_never_scrolls_sideways(report: Path, open_report: Open, width: int) -> None:
    page = open_report(report, width).page
    expect(page.get_by_label("Verdict").first).to_contain_text("Promote epoch 6 at strength 1.")
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_grid_shows_subjects_in_columns_with_the_baseline_beside_any_strength(
    report: Path, open_report: Open, given: FinishedRun
) -> None:
    page = open_report(report).page
    expect(heads(page, "columnheader")).to_have_text([subject.name for subject in given.subjects])
    expect(page.locator("#grid .tile")).to_have_count(5 * 8)
    choose(page, "Strength", "0.7")
    expect(page.locator("#grid .tile")).to_have_count(5 * 8)


def test_other_axes_can_be_put_on_rows_and_columns(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    choose(page, "Rows", "Strength")
    choose(page, "Columns", "Emotion")
    expect(heads(page, "rowheader")).to_have_text(["0", "0.7", "1"])
    expect(heads(page, "columnheader")).to_have_text(["neutral", "happy", "sad", "angry"])
    # one seed of the leader and of the baseline, two prompts (archetypes) stacked in each place
    expect(page.locator("#grid .tile")).to_have_count(3 * 4 * 2)
    choose(page, "Seed", "all")
    expect(page.locator("#grid .tile")).to_have_count(3 * 4 * 2 * 2)
    choose(page, "Rows", "Emotion")
    expect(heads(page, "columnheader")).to_have_text(["0", "0.7", "1"])


def test_the_frame_shows_the_chosen_metric_with_its_value(report: Path, open_report: Open, given: FinishedRun) -> None:
    page = open_report(report).page
    choose(page, "Frame shows", "color_drift")
    cell = next(cell for cell in given.cells if cell.subject == BASELINE)
    value = next(score.value for score in given.scores[cell.key] if score.metric == "color_drift")
    expect(page.locator("#grid .tile .value").first).to_have_text(f"{value:.2f}" if value < 10 else f"{value:.1f}")


def test_a_failed_cell_says_why(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    choose(page, "Seed", "2")
    failed = page.locator("#grid .tile.failed")
    expect(failed).to_have_count(1)
    expect(failed).to_contain_text("not a PNG")
    failed.click()
    expect(page.locator("#viewer .canvas").first).to_contain_text("12 bytes, truncated")


def test_a_click_opens_the_image_with_its_evidence_and_the_baselines_same_draw(
    report: Path, open_report: Open, given: FinishedRun
) -> None:
    page = open_report(report).page
    page.locator("#grid .tile").nth(2).click()
    expect(shown(page)).to_have_text(f"{LEADER} @ 1 · soft_neutral · seed 1")
    viewer = page.locator("#viewer")
    expect(viewer.locator("svg").first.locator("text")).to_have_text(["brows: angry", "mouth: happy"])
    expect(viewer.locator("svg").first.locator("polyline")).to_have_count(2)
    viewer.get_by_label("Show the evidence of hair_side").uncheck()
    expect(viewer.locator("svg").first.locator("polyline")).to_have_count(0)
    expect(viewer.locator(".swatches span")).to_have_count(2)
    expect(viewer.locator("figcaption").nth(1)).to_have_text("Baseline, same draw")
    baseline = next(c for c in given.cells if c.subject == BASELINE)
    expect(viewer.locator("img").nth(1)).to_have_attribute("src", re.compile(baseline.key))
    expect(viewer.locator(".reason").last).to_have_text("one face, as asked.")
    expect(viewer.locator("img").first).to_have_css("image-rendering", "pixelated")


def test_an_unscored_metric_is_said_with_its_reason(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.locator("#grid .tile.unscored").first.click()
    expect(page.locator("#viewer td.unscored").first).to_have_text("unscored")
    expect(page.locator("#viewer .reason").first).to_have_text("the brows are hidden by hair; two parts are too few.")


def test_arrow_keys_walk_the_grid_and_escape_returns_to_it(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.locator("#grid .tile").first.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(shown(page)).to_have_text(re.compile(f"^{LEADER}"))
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(shown(page)).to_have_text("sakichan-000008 @ 1 · soft_happy · seed 1")
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    focused = page.locator("#grid .tile:focus img")
    expect(focused).to_have_attribute("alt", re.compile("^sakichan-000008 @ 1 · soft_happy"))


def test_the_parameters_of_an_image_can_be_copied(report: Path, open_report: Open, given: FinishedRun) -> None:
    page = open_report(report).page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#grid .tile").nth(2).click()
    page.get_by_role("button", name="Copy parameters").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    cell = next(cell for cell in given.cells if cell.key == copied["cell"])
    assert (copied["prompt"], copied["seed"], copied["steps"]) == (cell.prompt.text, cell.seed, cell.setting.steps)
    assert copied["loras"][0]["file"] == f"{LEADER}.safetensors"


def test_the_table_sorts_by_a_click_and_keeps_the_baseline_first(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    names = page.locator("#subject-table tbody th bdi")
    page.get_by_role("button", name="color_drift").click()
    expect(names.first).to_have_text(BASELINE)
    expect(names.nth(1)).to_have_text("flipped")
    page.get_by_role("button", name="color_drift").click()
    expect(names.first).to_have_text(BASELINE)
    expect(names.nth(1)).to_have_text(LEADER)


def test_the_matrix_shows_each_subjects_mean_and_count(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    matrices = page.locator("#matrices figure")
    expect(matrices).to_have_count(5)
    expect(matrices.first.locator("tbody th")).to_have_text(["soft", "stoic"])
    expect(matrices.first.locator("td small")).to_have_text(["2/2", "2/2", "1/2", "2/2", "2/2", "2/2", "2/2", "2/2"])


def test_a_suite_without_both_axes_has_no_matrix(tmp_path: Path, given: FinishedRun, open_report: Open) -> None:
    plain = {c.prompt.id: dataclasses.replace(c.prompt, axes={}, expect=Expectation()) for c in given.cells}
    cells = tuple(dataclasses.replace(c, prompt=plain[c.prompt.id]) for c in given.cells)
    missing = {cell.key: Failure(reason="not here") for cell in cells}
    opened = open_report(write_report(tmp_path, dataclasses.replace(given, cells=cells, images=missing)))
    expect(opened.page.locator("#matrix-section")).to_be_hidden()
    assert opened.errors == []


def test_hostile_texts_are_shown_and_run_nothing(folder: Path, given: FinishedRun, open_report: Open) -> None:
    attacked = write_report(folder, hostile(given))
    opened = open_report(attacked)
    write_report(folder, given)
    opened.page.locator("#grid .tile").first.click()
    assert opened.page.locator("#viewer .text.prompt").inner_text() == (HACK * 200)[:10_000]
    assert opened.page.locator("h1").inner_text() == HACK
    assert opened.page.evaluate("window.hacked") is None
    assert opened.errors == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 1280
