"""What a reader does with curves, reasons and tables: read numbers off by keys, go to a row, open an example."""

import argparse
import dataclasses
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from opened import Open
from playwright.sync_api import expect
from sample_run import LEADER, sample_input

from evalharness.languages import texts
from evalharness.report.html import write_report
from evalharness.report.reason_groups import ReasonGroup, cells_of_reason
from evalharness.types import BASELINE, FinishedRun, MetricInfo, Score
from evalharness.verbs.report import add

INK = "() => { const u = document.querySelector('.plot canvas'); const d = u.getContext('2d')"
COLOURS = (
    f"{INK}.getImageData(0, 0, u.width, u.height).data; return [...d].join().length + [...d].slice(0, 40000).join(); }}"
)


def changed(given: FinishedRun, name: str, score: Callable[[int, Score], Score]) -> FinishedRun:
    """The sample with other scores of one metric; the function is given each image's number."""
    scores = {
        cell.key: tuple(score(place, one) if one.metric == name else one for one in given.scores.get(cell.key, ()))
        for place, cell in enumerate(given.cells)
    }
    return dataclasses.replace(given, scores=scores)


def test_numbers_of_a_curve_are_read_off_with_the_keys(report: Path, open_report: Open, given: FinishedRun) -> None:
    opened = open_report(report)
    found = opened.page.get_by_role("slider", name="harmony over epoch, at strength 1", exact=True)
    expect(found.locator("canvas")).to_be_visible()
    text = re.compile(r"^Epoch 6: 91 % \[87, 95\] · leads · 15 scored$")
    expect(found).to_have_attribute("aria-valuetext", text)
    found.focus()
    opened.page.keyboard.press("ArrowRight")
    expect(found).to_have_attribute("aria-valuetext", re.compile(r"^Epoch 8: 85 % \[80, 91\] · tied · 15 scored$"))
    opened.page.keyboard.press("Home")
    expect(found).to_have_attribute("aria-valuenow", "2")
    opened.page.keyboard.press("ArrowLeft")
    expect(found).to_have_attribute("aria-valuenow", "2")
    assert opened.errors == []


def test_the_cursor_moves_in_all_curves_at_once(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.get_by_role("slider", name="harmony over epoch, at strength 1", exact=True).focus()
    page.keyboard.press("End")
    other = page.get_by_role("slider", name="color_drift over epoch, at strength 1", exact=True)
    expect(other).to_have_attribute("aria-valuetext", re.compile("^Epoch 8: "))


def test_hovering_shows_the_number_under_the_pointer(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    found = page.get_by_role("slider", name="color_drift over epoch, at strength 0.7", exact=True)
    box = found.locator(".u-over").bounding_box()
    assert box is not None
    found.locator(".u-over").hover(position={"x": 5, "y": box["height"] / 2})
    readout = page.locator(".multiple").filter(has=found).locator(".readout")
    expect(readout).to_have_text(re.compile(r"^Epoch 2: 3\.58 \[2\.90, 4\.26\]"))


@pytest.mark.parametrize("by", ["key", "click"])
def test_a_point_leads_to_its_row_of_the_table(report: Path, open_report: Open, by: str) -> None:
    page = open_report(report).page
    found = page.get_by_role("slider", name="harmony over epoch, at strength 0.7", exact=True)
    found.focus()
    page.keyboard.press("Home")
    if by == "key":
        page.keyboard.press("Enter")
    else:
        found.locator(".u-over").click(position={"x": 5, "y": 40})
    row = page.locator("#subject-table tr:focus")
    expect(row).to_have_attribute("data-subject", "sakichan-000002")
    expect(row).to_have_attribute("data-strength", "0.7")
    expect(row).to_be_in_viewport()


def test_curves_follow_the_theme(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.emulate_media(color_scheme="light")
    light = page.evaluate(COLOURS)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => ({COLOURS})() !== before", arg=light)


def test_curves_fit_a_phone_and_grow_with_the_window(report: Path, open_report: Open) -> None:
    page = open_report(report, 390).page
    canvas = page.locator(".plot canvas").first
    narrow = canvas.evaluate("canvas => canvas.clientWidth")
    assert narrow < 390
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function("before => document.querySelector('.several .plot canvas').clientWidth > before", arg=narrow)


def test_failing_images_are_grouped_by_reason_with_their_share(
    folder: Path, given: FinishedRun, open_report: Open
) -> None:
    def score(place: int, one: Score) -> Score:
        if place % 4 == 0:
            return dataclasses.replace(one, value=0.0, reason=f"hangs left ({place}); {place} % beyond; asked: right.")
        if place % 4 == 1:
            return dataclasses.replace(one, value=0.1, reason=f"turned {place} degrees; B, intensity mismatch: weak")
        return dataclasses.replace(one, value=1.0, reason="hangs right")

    found = changed(given, "hair_side", score)
    ours = [place for place, cell in enumerate(given.cells) if cell.subject != BASELINE and cell.key in given.scores]
    counts = [sum(place % 4 == kind for place in ours) for kind in (0, 1)]
    opened = open_report(write_report(folder, found))
    write_report(folder, given)
    groups = opened.page.locator(".reason-group")
    for title, count in zip(("hangs left; asked: right", "B, intensity mismatch: weak"), counts, strict=True):
        group = groups.filter(has_text=title)
        expect(group).to_have_count(1)
        share = round(100 * count / len(ours))
        expect(group.locator("header p")).to_have_text(f"{count} of {len(ours)} images judged ({share} %)")
        expect(group.locator(".thumb")).to_have_count(12)
        group.get_by_role("button", name=f"Show all {count}").click()
        expect(group.locator(".thumb")).to_have_count(count)
    assert opened.errors == []


def test_numbers_in_reasons_become_a_range_and_the_worst_image_comes_first(
    folder: Path, given: FinishedRun, open_report: Open
) -> None:
    def score(place: int, one: Score) -> Score:
        drift = 7.0 + place % 11
        return dataclasses.replace(
            one, value=drift, reason=f"hair {place % 11} degrees towards orange (deltaE00 {drift})"
        )

    page = open_report(write_report(folder, changed(given, "color_drift", score))).page
    write_report(folder, given)
    group = page.locator(".reason-group").filter(has_text="towards orange")
    expect(group.locator("h3")).to_have_text("color_drift hair 0–10 degrees towards orange")
    expect(group.locator(".thumb .figures").first).to_have_text("17.0")


def test_an_example_opens_large_and_closing_returns_to_it(report: Path, open_report: Open) -> None:
    opened = open_report(report)
    page = opened.page
    example = page.locator(".reason-group .thumb").filter(has_text="0.7").first
    name = example.get_attribute("title")
    example.click()
    expect(page.locator("#viewer .bar-top h2")).to_have_text(name or "")
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(example).to_be_focused()
    assert opened.errors == []


def test_an_example_off_the_grid_opens_among_its_neighbours(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.locator("#grid-controls").get_by_label("Seed", exact=True).select_option(label="1")
    there = page.locator(".reason-group .thumb[title$='seed 2']").first
    there.click()
    expect(page.locator("#viewer h2")).to_have_text(re.compile("seed 2$"))
    expect(page.locator("#viewer .bar-top button:not(:disabled)").nth(1)).to_be_visible()
    page.keyboard.press("Escape")
    expect(there).to_be_focused()


def test_reasons_can_be_those_of_one_subject(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.locator("#gallery-controls").get_by_label("Subject").select_option(label="flipped")
    thumbs = page.locator(".reason-group .thumb small")
    expect(thumbs.first).to_have_text(re.compile("^flipped"))
    assert all(text.startswith("flipped") for text in thumbs.all_inner_texts())
    expect(page.locator("#gallery-controls").get_by_label("Subject")).to_be_focused()


def test_contents_lead_to_every_section_that_is_there(report: Path, open_report: Open) -> None:
    opened = open_report(report)
    links = opened.page.locator("#contents a")
    expect(links.first).to_have_text("Over epochs")
    assert "Guidance scale (CFG)" not in links.all_inner_texts()
    for link in links.all():
        link.click()
        target = opened.page.locator(link.get_attribute("href") or "")
        expect(target).to_be_in_viewport()
    assert opened.errors == []


def test_the_table_of_subjects_fits_without_scrolling(
    tmp_path: Path, given: FinishedRun, report: Path, open_report: Open
) -> None:
    page = open_report(report).page
    wide = "area => area.scrollWidth > area.clientWidth"
    assert not page.locator(".scroll:has(> #subject-table)").evaluate(wide)
    # many metrics scroll, and whose they are stays in view
    names = [f"{name}_{n}" for name in given.metrics for n in range(4)]
    many = {name: dataclasses.replace(given.metrics[name[:-2]], name=name) for name in names}
    target = write_report(tmp_path, dataclasses.replace(given, metrics=many))
    page = open_report(target).page
    area = page.locator(".scroll:has(> #subject-table)")
    assert area.evaluate(wide)
    area.evaluate("area => { area.scrollLeft = 400; }")
    edge, *cells = area.evaluate(
        """area => [area, ...[...area.querySelector("tbody tr:nth-child(2)").cells].slice(0, 3)]
          .map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])"""
    )
    ends = [edge[0], *(right for _, right in cells)]
    assert all(abs(left - end) < 2 for (left, _), end in zip(cells, ends[:3], strict=True))


def test_a_reason_shows_its_images_alone_in_the_grid(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.locator("#grid-controls").get_by_label("Seed", exact=True).select_option(label="2")
    before = page.locator("#grid .tile").count()
    group = page.locator(".reason-group").filter(has_text="hair_side").first
    count = int((group.locator(".figures").first.inner_text()).split(" ")[0])
    group.get_by_role("button", name="Show in the grid").click()
    expect(page.locator("#grid .tile")).to_have_count(count)
    chip = page.locator("#grid-legend .chip")
    expect(chip).to_contain_text(f"Showing {count} images: hair_side")
    expect(chip.get_by_role("button", name="Show all images")).to_be_focused()
    page.keyboard.press("Enter")
    expect(chip).to_have_count(0)
    expect(page.locator("#grid .tile")).to_have_count(before)
    expect(page.locator("#grid-controls").get_by_label("Seed", exact=True).locator("option:checked")).to_have_text("2")


def test_two_reasons_one_after_the_other_lead_back_to_all_images(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    before = page.locator("#grid .tile").count()
    for place in (0, 1):
        page.locator(".reason-group").nth(place).get_by_role("button", name="Show in the grid").click()
    page.get_by_role("button", name="Show all images").click()
    expect(page.locator("#grid .tile")).to_have_count(before)


def test_paper_holds_what_the_screen_folds_and_the_whole_grid(
    tmp_path: Path, given: FinishedRun, open_report: Open
) -> None:
    (passed,) = [one for one in given.judgement.verdicts if one.subject == LEADER]
    many = tuple(dataclasses.replace(passed, subject=f"subject {n}") for n in range(12))
    named = tuple(dataclasses.replace(given.subjects[1], name=one.subject) for one in many)
    judgement = dataclasses.replace(given.judgement, verdicts=(*given.judgement.verdicts, *many))
    folding = dataclasses.replace(given, subjects=(*given.subjects, *named), judgement=judgement)
    page = open_report(write_report(tmp_path, folding)).page
    last = page.get_by_text("subject 11", exact=True)
    expect(last).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    expect(last).to_be_visible()
    page.wait_for_function("grid.scrollWidth <= grid.clientWidth + 1")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(last).to_be_hidden()


def test_a_reason_shows_its_metric_in_the_grid(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    group = page.locator(".reason-group").filter(has_text="hair_side").first
    group.get_by_role("button", name="Show in the grid").click()
    chosen = page.locator("#grid-controls").get_by_label("Frame shows", exact=True)
    expect(chosen.locator("option:checked")).to_have_text("hair_side")
    expect(page.locator("#images")).to_be_in_viewport()


def test_images_that_could_not_be_made_are_a_group_of_their_own(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    group = page.locator(".reason-group").filter(has_text="could not be made")
    expect(group.locator(".thumb")).to_have_count(2)
    expect(group.locator(".thumb").first).to_contain_text("not a PNG")


def test_a_run_without_bad_images_says_so(folder: Path, given: FinishedRun, open_report: Open) -> None:
    good = {"harmony": 0.9, "hair_side": 1.0, "color_drift": 1.0, "faces": 1.0}
    scores = {
        key: tuple(dataclasses.replace(one, value=good[one.metric]) for one in found)
        for key, found in given.scores.items()
    }
    cells = tuple(cell for cell in given.cells if cell.key in scores)
    page = open_report(write_report(folder, dataclasses.replace(given, scores=scores, cells=cells))).page
    write_report(folder, given)
    expect(page.locator("#gallery")).to_have_text("No image fails on its own.")


def test_the_matrix_counts_stars_and_failure_types_have_examples(
    folder: Path, given: FinishedRun, open_report: Open
) -> None:
    def stars(cell_seed: int) -> tuple[Score, ...]:
        if cell_seed == 1:
            return (Score(metric="stars", value=3.0, reason="good"),)
        return (Score(metric="stars", value=2.0, reason="B, intensity mismatch: too weak", label="B"),)

    scores = {cell.key: stars(cell.seed) for cell in given.cells}
    info = {"stars": MetricInfo(name="stars", version=1, unit="stars", higher_is_better=True)}
    opened = open_report(write_report(folder, dataclasses.replace(given, scores=scores, metrics=info)))
    write_report(folder, given)
    cell = opened.page.locator("#matrices figure").first.locator("td").first
    expect(cell).to_have_text("50 %(100 %)2/2")
    kind = opened.page.locator(".kind").nth(1)
    expect(kind.locator("p.figures")).to_have_text("64 images, 50 %")
    expect(kind.locator(".thumb")).to_have_count(6)
    kind.locator(".thumb").first.click()
    expect(opened.page.locator("#viewer")).to_be_visible()
    assert opened.errors == []


def test_hostile_reasons_are_shown_as_text(folder: Path, given: FinishedRun, open_report: Open) -> None:
    hack = "<img src=x onerror='window.hacked=1'>\u202e"
    found = changed(given, "hair_side", lambda _, one: dataclasses.replace(one, value=0.0, reason=hack))
    opened = open_report(write_report(folder, found))
    write_report(folder, given)
    expect(opened.page.locator(".reason-group h3").first).to_contain_text("onerror=")
    assert opened.page.evaluate("window.hacked") is None
    assert opened.errors == []


def test_the_verdict_stands_beside_its_checks_with_numbers(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    verdict = page.get_by_label("Verdict").first
    checks = verdict.locator(".behind li")
    expect(checks).to_have_count(3)
    expect(checks.nth(2)).to_contain_text("mean of color_drift at most 6.00 ΔE00, where emotion = neutral")
    expect(checks.nth(2)).to_contain_text("1.42 [1.13, 1.70] ΔE00")
    assert LEADER not in verdict.inner_text()


def test_japanese_page_shows_metrics_and_evidence_in_japanese(
    tmp_path_factory: pytest.TempPathFactory, open_report: Open
) -> None:
    folder = tmp_path_factory.mktemp("ja")
    page = open_report(write_report(folder, dataclasses.replace(sample_input(folder), language="ja"))).page
    words = texts("ja")
    named = [words[f"metric_name_{name}"] for name in ("harmony", "hair_side", "color_drift", "faces")]
    assert page.get_by_label(words["color_by"], exact=True).locator("option").all_text_contents() == named
    assert named[0] in page.locator("#grid-legend").inner_text()
    captions = page.locator("#curves figcaption bdi").all_text_contents()
    assert set(named) <= set(captions)
    page.locator("#grid .tile").last.click()
    viewer = page.locator("#viewer")
    assert viewer.locator(".judge-name bdi").all_text_contents() == named[: viewer.locator(".judge-name bdi").count()]
    layers = [one.strip() for one in viewer.locator(".layers label").all_inner_texts()]
    assert {words["mark_brows"], words["mark_mouth"], words["mark_head_axis"], "tail"} <= set(layers)
    swatches = viewer.locator(".swatches").inner_text()
    assert f"{words['mark_hair_here']} #8f5a33" in swatches and named[2] in swatches
    assert "harmony" not in viewer.locator(".scores").inner_text().replace("brows and mouth agree", "")


def test_command_for_the_picture_of_one_reason_chooses_the_images_that_the_page_shows(
    report: Path, open_report: Open, given: FinishedRun
) -> None:
    opened = open_report(report)
    page = opened.page
    page.locator("#gallery-controls").get_by_label("Strength", exact=True).select_option(label="1")
    groups = page.locator(".reason-group")
    assert groups.count() > 1
    parser = argparse.ArgumentParser()
    add(parser)
    for place in range(groups.count()):
        groups.nth(place).get_by_role("button", name="Show in the grid").click()
        page.get_by_role("button", name="This grid (PNG)").click()
        words = shlex.split(page.locator(".exports code").inner_text())
        options = parser.parse_args(words[2:])
        if options.reason is None:
            assert "could not be made" in page.locator("#only-words").inner_text()
            continue
        assert dict(options.where) == {"strength": "1"}
        chosen = ReasonGroup(metric=options.reason[0], words=options.reason[1])
        cells = [cell for cell in given.cells if cell.strength == 1 or cell.subject == BASELINE]
        shown = cells_of_reason(cells, given, chosen)
        expect(page.locator("#only-words")).to_have_text(re.compile(f"^Showing {len(shown)} images:"))
        expect(page.locator("#grid-legend").get_by_text(f"{len(shown)} images shown")).to_have_count(1)
    assert opened.errors == []
