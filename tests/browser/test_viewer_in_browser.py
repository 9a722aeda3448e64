"""One image: its evidence in layers, the same draw of another beside it or under a slider, and where the focus is."""

import dataclasses
import re
from pathlib import Path

from opened import Open, viewer_is_drawn
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from sample_run import LEADER, sample_input

from evalharness.report.html import write_report
from evalharness.types import BASELINE, Cell, FinishedRun, Mark


def cell_of(given: FinishedRun, subject: str, strength: float = 1.0) -> Cell:
    """The first image of a subject: prompt soft_neutral, seed 1."""
    return next(cell for cell in given.cells if (cell.subject, cell.strength) == (subject, strength))


def leaders_image(page: Page) -> Locator:
    page.locator("#grid .tile").nth(2).click()
    return page.locator("#viewer")


def source(viewer: Locator, number: int) -> str:
    return viewer.locator(".canvas img").nth(number).get_attribute("src") or ""


def test_any_other_draw_can_be_put_beside_and_stays_chosen(report: Path, open_report: Open, given: FinishedRun) -> None:
    page = open_report(report).page
    viewer = leaders_image(page)
    others = viewer.get_by_label("Compare with")
    assert others.locator("option").all_inner_texts()[:3] == ["nothing", BASELINE, "sakichan-000002 @ 0.7"]
    expect(others.locator("option"), "all but the image itself").to_have_count(1 + 8)
    others.focus()
    others.select_option(label=f"{LEADER} @ 0.7")
    assert cell_of(given, LEADER, 0.7).key in source(viewer, 1)
    expect(others).to_be_focused()
    expect(viewer.locator(".scores thead th").nth(2)).to_have_text(f"{LEADER} @ 0.7")
    viewer.get_by_label("Next image").click()
    assert cell_of(given, LEADER, 0.7).key in source(viewer, 1)
    expect(viewer.get_by_label("Next image")).to_be_focused()


def test_image_that_is_the_chosen_one_itself_is_compared_with_the_baseline(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    viewer = leaders_image(page)
    viewer.get_by_label("Compare with").select_option(label="sakichan-000008 @ 1")
    viewer.get_by_label("Next image").click()
    expect(viewer.get_by_role("heading", level=2)).to_contain_text("sakichan-000008 @ 1")
    expect(viewer.locator("figcaption").nth(1)).to_have_text("Baseline, same draw")


def test_baseline_is_compared_with_the_leader_and_nothing_is_a_choice(
    report: Path, open_report: Open, given: FinishedRun
) -> None:
    page = open_report(report).page
    page.locator("#grid .tile").first.click()
    viewer = page.locator("#viewer")
    assert cell_of(given, LEADER, 1.0).key in source(viewer, 1)
    viewer.get_by_label("Compare with").select_option(label="nothing")
    expect(viewer.locator(".canvas img")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("#grid .tile").nth(1).click()
    expect(viewer.locator(".canvas img")).to_have_count(1)


def test_slider_uncovers_the_other_by_keys_and_by_dragging(report: Path, open_report: Open, given: FinishedRun) -> None:
    page = open_report(report).page
    viewer = leaders_image(page)
    viewer.get_by_label("Slider", exact=True).check()
    slider = viewer.get_by_role("slider", name=f"Slider between {BASELINE} and {LEADER} @ 1")
    expect(viewer.locator(".ends bdi")).to_have_text([BASELINE, f"{LEADER} @ 1"])
    assert cell_of(given, BASELINE, 0.0).key in source(viewer, 1)
    upper = viewer.locator(".stacked .canvas").nth(1)
    expect(upper).to_have_css("clip-path", "inset(0px 50% 0px 0px)")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(upper).to_have_css("clip-path", "inset(0px 45% 0px 0px)")
    expect(slider).to_have_attribute("aria-valuetext", f"55 % of {BASELINE}")
    expect(viewer.get_by_role("heading", level=2)).to_contain_text(LEADER)
    page.keyboard.press("End")
    expect(upper).to_have_css("clip-path", "inset(0px 0% 0px 0px)")
    viewer_is_drawn(page)
    box = slider.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    expect(slider).to_have_value(re.compile("^2[456]$"))
    viewer.get_by_label("Next image").click()
    expect(viewer.get_by_role("slider"), "the next image keeps the slider").to_have_value(re.compile("^2[456]$"))


def test_each_layer_of_evidence_can_be_switched_and_stays_so(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    viewer = leaders_image(page)
    layers = viewer.locator(".layers label")
    expect(layers).to_have_text(["Evidence", "brows", "mouth", "head axis", "tail", "colours"])
    drawn = viewer.locator("svg").first.locator("polyline, rect:not([fill^='#'])")
    expect(drawn, "each mark has a dark line under its own").to_have_count(2 * 4)
    viewer.get_by_label("head axis").uncheck()
    expect(drawn).to_have_count(2 * 3)
    expect(viewer.locator(".swatches figure")).to_have_count(1)
    viewer.get_by_label("colours").uncheck()
    expect(viewer.locator(".swatches figure")).to_have_count(0)
    viewer.get_by_label("Next image").click()
    expect(drawn).to_have_count(2 * 3)
    page.keyboard.press("e")
    expect(drawn).to_have_count(0)
    expect(viewer.get_by_label("mouth", exact=True)).to_be_disabled()


def test_drift_is_shown_as_touching_patches_with_their_names(report: Path, open_report: Open) -> None:
    viewer = leaders_image(open_report(report).page)
    drift = viewer.locator(".swatches figure")
    expect(drift.locator("b")).to_have_text("color_drift")
    expect(drift.locator("span")).to_have_text(["hair here #8f5a33", "hair of the reference #6e462d"])
    # both at one moment: an image that comes between would move them
    edges = "all => [all[0].getBoundingClientRect().right, all[1].getBoundingClientRect().left]"
    left, right = drift.locator("i").evaluate_all(edges)
    assert left == right


def test_every_score_says_which_version_of_the_judge_gave_it(
    tmp_path: Path, given: FinishedRun, open_report: Open
) -> None:
    metrics = {**given.metrics, "hair_side": dataclasses.replace(given.metrics["hair_side"], version=7)}
    missing = dataclasses.replace(given, metrics=metrics, images={})
    page = open_report(write_report(tmp_path, missing)).page
    page.locator("#grid .tile").first.click()
    expect(page.locator("#viewer .scores tbody th small")).to_have_text(["v1", "v7", "v1", "v1"])


def test_mask_is_filled_and_a_box_that_two_judges_saw_is_drawn_once(
    folder: Path, given: FinishedRun, open_report: Open
) -> None:
    face = Mark(kind="box", label="face", points=((36.0, 28.0), (92.0, 100.0)))
    outline = ((10.0, 10.0), (60.0, 5.0), (90.0, 40.0), (10.0, 10.0))
    hair = Mark(kind="line", label="hair", points=outline)
    scores = {
        key: tuple(dataclasses.replace(score, evidence=(face, hair)) for score in found)
        for key, found in given.scores.items()
    }
    page = open_report(write_report(folder, dataclasses.replace(given, scores=scores))).page
    write_report(folder, given)
    svg = leaders_image(page).locator("svg").first
    expect(svg.locator("polygon")).to_have_count(1)
    expect(svg.locator("polyline")).to_have_count(2)
    expect(page.locator("#viewer .layers label")).to_have_text(["Evidence", "face", "hair"])


def test_large_picture_is_seen_whole_and_in_its_own_pixels_when_asked(
    tmp_path: Path, given: FinishedRun, open_report: Open
) -> None:
    cell = cell_of(given, LEADER)
    (tmp_path / "tall.png").parent.mkdir(exist_ok=True)
    Image.new("RGB", (832, 1216), "teal").save(tmp_path / "tall.png")
    images = {one.key: "tall.png" for one in given.cells}
    page = open_report(write_report(tmp_path, dataclasses.replace(given, images=images))).page
    viewer = leaders_image(page)
    assert cell.subject in viewer.locator("h2").inner_text()
    viewer.get_by_label("Compare with").select_option(label="nothing")
    image = viewer.locator(".canvas img")
    viewer_is_drawn(page)
    box = image.bounding_box()
    assert box and box["y"] + box["height"] <= 900 and abs(box["height"] / box["width"] - 1216 / 832) < 0.01
    page.keyboard.press("f")
    expect(viewer.get_by_role("button", name="Full size")).to_have_attribute("aria-pressed", "true")
    viewer_is_drawn(page)
    assert (image.bounding_box() or {})["width"] == 832
    marks = viewer.locator(".canvas svg").bounding_box()
    assert marks and (round(marks["width"]), round(marks["height"])) == (832, 1216)


def test_image_that_the_grid_does_not_show_can_be_opened_from_elsewhere(
    report: Path, open_report: Open, given: FinishedRun
) -> None:
    opened = open_report(report)
    page = opened.page
    page.get_by_role("button", name="Save labels.csv").evaluate("node => { node.disabled = false; node.focus(); }")
    hidden = next(number for number, cell in enumerate(given.cells) if cell.strength == 0.7)
    page.evaluate("number => openViewer(data.cells[number])", hidden)
    expect(page.locator("#viewer h2")).to_contain_text("@ 0.7")
    expect(page.get_by_label("Next image")).to_be_disabled()
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Save labels.csv")).to_be_focused()
    expect(page.locator("#grid .tile[tabindex='0']")).to_have_count(1)
    assert opened.errors == []


def test_tab_stays_in_the_viewer_and_escape_gives_the_focus_back(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    leaders_image(page)
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || viewer.contains(document.activeElement)")
        seen.add(page.evaluate("document.activeElement.dataset.control"))
    controls = page.locator("#viewer [data-control]:not(:disabled)").evaluate_all(
        "all => all.map(one => one.dataset.control)"
    )
    hidden = {"emotion_seen", "mouth", "eyes", "multiple", "slider"}
    assert set(controls) - hidden <= seen
    page.keyboard.press("Escape")
    expect(page.locator("#grid .tile").nth(2)).to_be_focused()


def test_a_frame_is_named_and_its_clip_is_linked(tmp_path: Path, open_report: Open) -> None:
    run = sample_input(tmp_path)
    cells = [
        dataclasses.replace(cell, setting=dataclasses.replace(cell.setting, frames=17, frame=8)) for cell in run.cells
    ]
    clips = {cell.key: "clips/ab/abcd.webp" for cell in cells}
    page = open_report(write_report(tmp_path, dataclasses.replace(run, cells=tuple(cells), clips=clips))).page

    viewer = leaders_image(page)

    assert viewer.locator("a.clip").get_attribute("href") == "./clips/ab/abcd.webp"
    assert "frame 8" in viewer.locator("h2").first.inner_text()
    facts = viewer.locator("dl").inner_text()
    assert "Frames of the clip" in facts and "17" in facts


def test_a_still_has_no_clip(report: Path, open_report: Open) -> None:
    viewer = leaders_image(open_report(report).page)

    assert viewer.locator("a.clip").count() == 0 and "frame" not in viewer.locator("h2").first.inner_text()
