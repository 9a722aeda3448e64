"""The grid of a large run: what is in the page, keys, frames, exports; 2,000 images (bench/report.py takes 10,000)."""

import csv
import functools
import http.server
import io
import json
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from frames import scrolled
from opened import PATIENCE, Open
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect
from sample_run import sample_input

from evalharness.report.carried import write_single
from evalharness.report.html import write_report
from evalharness.types import BASELINE, Cell, Failure, FinishedRun

LONGEST_TASK = 0.6
"""Of the work that stands for 100 ms (frames.py); the whole frame has all of it."""


@cache
def _picture(subject: str) -> Image.Image:
    return Image.new("RGB", (48, 48), "#8f5a33" if subject == BASELINE else "#3a6ea5")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("large")


@pytest.fixture(scope="module")
def given(folder: Path) -> FinishedRun:
    return sample_input(folder, lambda cell: _picture(cell.subject), seeds=range(1, 29))


@pytest.fixture(scope="module")
def report(folder: Path, given: FinishedRun) -> Path:
    return write_report(folder, given)


@pytest.fixture(scope="module")
def large(report: Path, browser: Browser) -> Iterator[Page]:
    """The page with all 2,016 images chosen."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(PATIENCE)
    page.goto(report.as_uri())
    for name in ("Strength", "Seed"):
        choose(page, name, "all")
    yield page
    page.close()


def settle(page: Page) -> None:
    """Wait until the grid has drawn what its last scroll asked for: it takes one step a frame."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.wait_for_function("!steps.asked")


def choose(page: Page, label: str, value: str) -> None:
    page.locator("#grid-controls").get_by_label(label, exact=True).select_option(label=value)


def focused(page: Page) -> tuple[str, str, int]:
    """Subject, prompt and seed of the image that has the focus."""
    number = int(page.locator("#grid .tile:focus").get_attribute("data-cell") or -1)
    found: list[str] = page.evaluate(
        "n => [data.cells[n].subject, data.prompts[data.cells[n].prompt].id, String(data.cells[n].seed)]", number
    )
    return found[0], found[1], int(found[2])


def test_only_what_is_near_the_window_is_in_the_page(large: Page, given: FinishedRun) -> None:
    expect(large.locator("#grid-legend")).to_contain_text("2,016 images shown")
    settle(large)
    assert 20 < large.locator("#grid .tile").count() < 400
    assert large.locator("#grid").get_attribute("aria-rowcount") == "9"
    assert large.locator("#grid").get_attribute("aria-colcount") == "6"
    height = large.evaluate("document.querySelector('#grid .body').offsetHeight")
    assert height == large.evaluate("layout.tops.at(-1)") > 8 * 900


def test_a_tile_far_away_comes_with_its_row_and_place(large: Page) -> None:
    large.evaluate("grid.scrollTo(1e6, 1e6)")
    last = large.locator("#grid [role=row][aria-rowindex='9']")
    expect(last.locator("[role=rowheader] > bdi")).to_have_text("stoic_angry")
    expect(last.locator("[role=cell][aria-colindex='6'] .tile").first).to_be_visible()
    # the tile that Tab leads to is still there, though its row is far above
    expect(large.locator("#grid .tile[tabindex='0']")).to_have_count(1)
    expect(large.locator("#grid [role=row][aria-rowindex='2']")).to_have_count(1)
    large.evaluate("grid.scrollTo(0, 0)")


def test_keys_reach_every_corner_of_a_large_grid(large: Page, given: FinishedRun) -> None:
    large.locator("#grid .tile[tabindex='0']").focus()
    assert focused(large) == (BASELINE, "soft_neutral", 1)
    large.keyboard.press("Control+End")
    subject, prompt, _ = focused(large)
    assert (subject, prompt) == ("flipped", "stoic_angry")
    bottom = "getBoundingClientRect().bottom"
    assert large.evaluate(f"document.activeElement.{bottom} - grid.{bottom}") <= 2
    large.keyboard.press("Control+Home")
    assert focused(large) == (BASELINE, "soft_neutral", 1)
    for _ in range(30):
        large.keyboard.press("ArrowDown")
    assert focused(large)[1] != "soft_neutral"
    large.keyboard.press("PageUp")
    large.keyboard.press("PageUp")
    large.keyboard.press("Control+Home")
    assert focused(large) == (BASELINE, "soft_neutral", 1)


def test_down_and_up_again_meet_every_line(large: Page) -> None:
    large.locator("#grid .tile[tabindex='0']").focus()
    large.keyboard.press("Control+Home")
    found = large.evaluate(
        """() => {
          const way = [];
          for (let cell = current; cell; cell = neighbour(cell, "ArrowDown")) way.push(cell.number);
          return { way, lines: layout.firstLine.at(-1) };
        }"""
    )
    # lines in which the baseline (one strength, half as many images) has none at this place are passed over
    assert len(set(found["way"])) == len(found["way"]) > 8
    assert len(found["way"]) <= found["lines"]


@pytest.mark.parametrize("pixels", [120, 3000])
def test_no_frame_takes_long_while_the_grid_scrolls(large: Page, browser: Browser, pixels: int) -> None:
    found = scrolled(browser, large, pixels)
    assert found.frames > 3
    assert found.most < 400
    assert 0 < found.task < LONGEST_TASK
    assert 0 < found.frame < 1


def test_scrolling_makes_no_layers_for_each_row(large: Page) -> None:
    choose(large, "Rows", "Seed")
    choose(large, "Prompt", "all")
    large.evaluate("grid.scrollIntoView({ behavior: 'instant' }); grid.scrollTop = 400")
    settle(large)
    session = large.context.new_cdp_session(large)
    seen: list[list[object]] = []
    session.on("LayerTree.layerTreeDidChange", lambda event: seen.append(event.get("layers", [])))
    session.send("LayerTree.enable")
    large.evaluate("grid.scrollTop += 1")
    while not seen:
        large.wait_for_timeout(20)
    session.detach()
    rows = large.locator("#grid .line.images").count()
    # the head that stays at the left is one; tiles, values and lines of a row have none of their own
    assert rows > 1 and len(seen[-1]) < 9 + 3 * rows
    choose(large, "Rows", "Prompt")
    large.evaluate("grid.scrollTop = 0")


@pytest.mark.parametrize(
    ("rows", "columns", "row", "column"),
    [
        ("Epoch", "Emotion", "base", "neutral"),
        ("Archetype", "Strength", "soft", "0"),
        ("Seed", "Epoch", "1", "base"),
        ("Emotion", "Seed", "neutral", "1"),
    ],
)
def test_any_two_axes_make_rows_and_columns(large: Page, rows: str, columns: str, row: str, column: str) -> None:
    choose(large, "Rows", rows)
    choose(large, "Columns", columns)
    large.evaluate("grid.scrollTo(0, 0)")
    expect(large.locator("#grid [role=rowheader] > bdi").first).to_have_text(row)
    expect(large.locator("#grid [role=columnheader] > bdi").first).to_have_text(column)
    choose(large, "Columns", "Subject")
    choose(large, "Rows", "Prompt")


def test_the_grid_shows_thumbnails_and_the_viewer_the_image(report: Path, open_report: Open) -> None:
    opened = open_report(report)
    first = opened.page.locator("#grid .tile").first
    expect(first.locator("img")).to_have_attribute("src", "./thumbnails/" + _key(first) + ".webp")
    first.scroll_into_view_if_needed()
    expect(first.locator("img")).to_have_js_property("naturalWidth", 48)
    full = [url for url in opened.requests if url.endswith(".png")]
    assert full == []
    first.click()
    expect(opened.page.locator("#viewer .canvas img").first).to_have_attribute(
        "src", f"./images/{_key(first)[:2]}/{_key(first)}.png"
    )
    assert opened.errors == []


def _key(tile: Locator) -> str:
    return str(tile.evaluate("tile => data.cells[tile.dataset.cell].key"))


def test_the_table_of_cells_is_read_back_as_it_was(report: Path, open_report: Open, given: FinishedRun) -> None:
    page = open_report(report).page
    with page.expect_download() as download:
        page.get_by_role("button", name="Table (CSV)").click()
    text = Path(download.value.path()).read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["cell"] for row in rows] == [cell.key for cell in given.cells]
    for row, cell in list(zip(rows, given.cells, strict=True))[::97]:
        scores = {score.metric: score for score in given.scores.get(cell.key, ())}
        assert (row["prompt_text"], row["emotion"], int(row["seed"])) == (
            cell.prompt.text,
            cell.prompt.axes["emotion"],
            cell.seed,
        )
        for name, score in scores.items():
            assert row[name] == "" if score.value is None else float(row[name]) == round(score.value or 0, 4)
            assert row[f"{name}_reason"] == score.reason


def test_a_formula_in_a_table_is_no_formula(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    fields = page.evaluate("['=1+1', '-2', '+a', '@b', 'a,\"b\"', -2].map(csvField)")
    assert fields == ["'=1+1", "'-2", "'+a", "'@b", '"a,""b"""', "-2"]


def test_the_data_of_the_page_can_be_saved_with_its_evidence(
    report: Path, open_report: Open, given: FinishedRun
) -> None:
    page = open_report(report).page
    with page.expect_download() as download:
        page.get_by_role("button", name="Data (JSON)").click()
    saved = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert len(saved["cells"]) == len(given.cells)
    for row, cell in list(zip(saved["cells"], given.cells, strict=True))[::97]:
        assert row["cell"] == cell.key
        for score in given.scores.get(cell.key, ()):
            evidence = row["scores"][score.metric]["evidence"]
            assert [(m["kind"], m["label"], m["color"]) for m in evidence] == [
                (m.kind, m.label, m.color) for m in score.evidence
            ]
            for mark, kept in zip(score.evidence, evidence, strict=True):
                assert [tuple(round(v) for v in point) for point in kept["points"]] == [
                    tuple(round(v) for v in point) for point in mark.points
                ]


def test_a_page_of_files_names_the_command_for_its_picture(report: Path, open_report: Open) -> None:
    opened = open_report(report)
    choose(opened.page, "Rows", "Emotion")
    choose(opened.page, "Columns", "Epoch")
    opened.page.get_by_role("button", name="This grid (PNG)").click()
    expect(opened.page.locator(".exports code")).to_have_text(
        "evalharness report RUN --composite grid.png --rows emotion --columns epoch --where strength=1 --where seed=1"
    )
    assert opened.errors == []


def test_a_single_file_asks_for_nothing_and_saves_the_grid_as_a_picture(tmp_path: Path, open_report: Open) -> None:
    given = sample_input(tmp_path, _red_baseline)
    opened = open_report(write_single(tmp_path, given))
    page = opened.page
    page.locator("#grid").scroll_into_view_if_needed()
    expect(page.locator("#grid .tile img").first).to_have_js_property("naturalWidth", 64)
    with page.expect_download() as download:
        page.get_by_role("button", name="This grid (PNG)").click()
    with Image.open(download.value.path()) as sheet:
        x = 170 + 6 + 60
        red, blue = sheet.convert("RGB").getpixel((x, 90)), sheet.convert("RGB").getpixel((x + sheet.width // 3, 90))
    assert isinstance(red, tuple) and isinstance(blue, tuple)
    assert red[0] > 200 and red[2] < 60
    assert blue[2] > 200 and blue[0] < 60
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [
        (tmp_path / "report_single.html").as_uri()
    ]
    assert opened.errors == []


def _red_baseline(cell: Cell) -> Image.Image:
    return Image.new("RGB", (64, 64), "#ff0000" if cell.subject == BASELINE else "#0000ff")


def test_a_page_from_a_web_server_saves_its_grid_as_a_picture(tmp_path: Path, open_address: Open) -> None:
    write_report(tmp_path, sample_input(tmp_path, _red_baseline))
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        opened = open_address(f"{home}report.html")
        with opened.page.expect_download() as download:
            opened.page.get_by_role("button", name="This grid (PNG)").click()
        with Image.open(download.value.path()) as sheet:
            red = sheet.convert("RGB").getpixel((170 + 6 + 60, 36 + 6 + 60))
        server.shutdown()
    assert isinstance(red, tuple) and red[0] > 240 and red[1] < 20
    assert [url for url in opened.requests if not url.startswith((home, "data:", "blob:"))] == []
    assert opened.errors == []


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_the_images_that_failed_are_still_said_in_the_table(
    report: Path, open_report: Open, given: FinishedRun
) -> None:
    failed = next(cell for cell in given.cells if isinstance(given.images[cell.key], Failure))
    rows = open_report(report).page.evaluate("csvText(tableRows())")
    line = next(line for line in rows.splitlines() if line.startswith(failed.key))
    assert '"the image is not a PNG: 12 bytes, truncated."' in line
