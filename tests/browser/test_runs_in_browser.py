"""The page of several runs: a draw of one is opened, and another run's image stands beside or under a slider."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from opened import Open
from playwright.sync_api import expect
from sample_run import LEADER, sample_input

from evalharness import shootout
from evalharness.report.runs import Contest, write_runs
from evalharness.sides import Side
from evalharness.types import FinishedRun

FIRST, SECOND = f"first: {LEADER}", "second: flipped"
HOSTILE = "<img src=x onerror='window.hacked = 1'>\u202e</script>"


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Side]:
    """Two runs of the same draws in folders of their own; the second's reasons are its own words."""
    home, found = tmp_path_factory.mktemp("several"), {}
    for name, subject in (("first", LEADER), ("second", "flipped")):
        run = sample_input(home / name)
        scores = {
            key: tuple(dataclasses.replace(one, reason=f"{name} says {one.metric}") for one in all_of)
            for key, all_of in run.scores.items()
        }
        run = dataclasses.replace(run, run=name, scores=scores)
        found[str(home / name)] = Side(run=run, subject=subject, strength=1.0)
    return found


@pytest.fixture(scope="module")
def found(sides: dict[str, Side], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contest]:
    yield _contest(sides, tmp_path_factory.mktemp("promoted"))


def _contest(sides: dict[str, Side], promoted: Path) -> Contest:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shootout, "read_side", lambda text: sides[text])
        return shootout.contest(list(sides), promoted)


@pytest.fixture(scope="module")
def page_file(found: Contest, sides: dict[str, Side]) -> Path:
    return write_runs(found, Path(next(iter(sides))).parent / "runs.html")


def test_another_runs_image_of_the_draw_stands_beside_with_scores_and_reasons_of_both(
    page_file: Path, open_report: Open
) -> None:
    opened = open_report(page_file)
    opened.page.locator("#grid .tile").first.click()
    viewer = opened.page.locator("#viewer")
    expect(viewer.get_by_role("heading", level=2)).to_contain_text(FIRST)
    options = viewer.get_by_label("Compare with").locator("option")
    assert options.all_inner_texts() == ["nothing", f"{SECOND} @ 1"]
    pictures = viewer.locator(".canvas img")
    expect(pictures).to_have_count(2)
    assert ["first/images" in src for src in pictures.evaluate_all("all => all.map(one => one.src)")] == [True, False]
    assert "second/images" in (pictures.nth(1).get_attribute("src") or "")
    # the same draw: prompt and seed agree
    pairs = opened.page.evaluate(
        "[viewed, comparedWith(viewed)].map(one => [one.prompt, one.seed, one.setting, one.pair])"
    )
    assert pairs[0] == pairs[1]
    expect(viewer.locator(".scores thead th").nth(2)).to_have_text(f"{SECOND} @ 1")
    expect(viewer.locator(".scores")).to_contain_text("first says harmony")
    expect(viewer.locator(".reason.other").first).to_contain_text(f"{SECOND} @ 1: second says")
    assert opened.errors == []
    home = page_file.parent.as_uri()
    assert [url for url in opened.requests if not url.startswith((home, "data:"))] == []


def test_slider_and_arrows_work_by_keys_and_nothing_is_rated(page_file: Path, open_report: Open) -> None:
    page = open_report(page_file).page
    page.locator("#grid .tile[tabindex='0']").focus()
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    viewer.get_by_label("Slider", exact=True).check()
    slider = viewer.get_by_role("slider", name=f"Slider between {SECOND} @ 1 and {FIRST} @ 1")
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", f"100 % of {SECOND} @ 1")
    viewer.get_by_label("Next image").click()
    expect(viewer.get_by_role("heading", level=2)).to_contain_text(SECOND)
    expect(viewer.get_by_role("slider")).to_have_attribute("aria-label", f"Slider between {FIRST} @ 1 and {SECOND} @ 1")
    page.keyboard.press("1")
    assert viewer.locator(".judge, .wrong").count() == 0
    assert page.evaluate("localStorage.length") == 0
    page.keyboard.press("Escape")
    expect(page.locator("#grid .tile:focus")).to_have_count(1)


@pytest.mark.parametrize("form", ["copied", "single"])
def test_a_page_taken_elsewhere_shows_both_runs(form: str, found: Contest, tmp_path: Path, open_report: Open) -> None:
    (tmp_path / "made").mkdir()
    write_runs(found, tmp_path / "made" / "runs.html", form=form)  # type: ignore[arg-type]
    shutil.move(tmp_path / "made", tmp_path / "elsewhere")
    opened = open_report(tmp_path / "elsewhere" / "runs.html")
    opened.page.locator("#grid .tile").first.click()
    seen = "all => all.length === 2 && all.every(one => one.naturalWidth > 0)"
    opened.page.wait_for_function(f"({seen})([...document.querySelectorAll('#viewer .canvas img')])")
    assert opened.errors == []
    home = (tmp_path / "elsewhere").as_uri()
    assert [url for url in opened.requests if not url.startswith((home, "data:"))] == []


def test_columns_are_called_runs_and_not_subjects(page_file: Path, open_report: Open) -> None:
    page = open_report(page_file).page
    options = page.locator("#grid-controls").get_by_label("Columns", exact=True).locator("option")
    assert "Run" in options.all_inner_texts() and "Subject" not in options.all_inner_texts()
    expect(page.locator("#grid .corner")).to_contain_text("Run →")


@pytest.mark.parametrize("form", ["linked", "copied", "single"])
def test_clip_of_a_frame_is_linked_where_the_page_can_lead_to_it(
    form: str, sides: dict[str, Side], tmp_path: Path, open_report: Open
) -> None:
    with_clips = {}
    for name, side in sides.items():
        assert isinstance(side.run, FinishedRun)
        (Path(name) / "clips" / "ab").mkdir(parents=True, exist_ok=True)
        (Path(name) / "clips" / "ab" / "abcd.webp").write_bytes(b"a clip")
        setting = dataclasses.replace(side.run.cells[0].setting, frames=17, frame=8)
        cells = tuple(dataclasses.replace(cell, setting=setting) for cell in side.run.cells)
        clips = {cell.key: "clips/ab/abcd.webp" for cell in cells}
        with_clips[name] = dataclasses.replace(side, run=dataclasses.replace(side.run, cells=cells, clips=clips))
    contest = _contest(with_clips, tmp_path / "promoted")
    page = open_report(write_runs(contest, tmp_path / "runs.html", form=form)).page  # type: ignore[arg-type]
    page.locator("#grid .tile").first.click()
    link = page.locator("#viewer a.clip")
    expect(page.locator("#viewer h2")).to_be_visible()
    expect(link).to_have_count(int(form != "single"))
    if form != "single":
        address = link.get_attribute("href")
        assert address and (tmp_path / address).read_bytes() == b"a clip"
        assert (address == "./run-1/clips/abcd.webp") == (form == "copied")


def test_hostile_names_of_runs_run_nothing(sides: dict[str, Side], tmp_path: Path, open_report: Open) -> None:
    hostile = {}
    for name, side in sides.items():
        assert isinstance(side.run, FinishedRun)
        hostile[name] = dataclasses.replace(side, run=dataclasses.replace(side.run, run=HOSTILE))
    opened = open_report(write_runs(_contest(hostile, tmp_path), tmp_path / "runs.html", form="copied"))
    opened.page.locator("#grid .tile").first.click()
    expect(opened.page.locator("#viewer h2")).to_contain_text("<img src=x")
    opened.page.locator("#viewer [data-control=slider]").check()
    assert opened.page.evaluate("window.hacked") is None and opened.errors == []


def test_page_speaks_japanese(found: Contest, page_file: Path, open_report: Open) -> None:
    page = open_report(write_runs(found, page_file.with_name("runs_ja.html"), "ja")).page
    expect(page.locator(".draws-note")).to_contain_text("スライダー")
    page.locator("#grid .tile").first.click()
    expect(page.locator("#viewer").get_by_label("比較対象")).to_be_visible()


def test_names_of_runs_can_be_read_to_their_end_on_a_phone(page_file: Path, open_report: Open) -> None:
    page = open_report(page_file, 390).page
    heads = page.locator("#grid [role=columnheader] bdi")
    assert heads.all_inner_texts() == [FIRST, SECOND]
    clipped = "one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth"
    assert heads.evaluate_all(f"all => all.filter(one => {clipped}).map(one => one.textContent)") == []
