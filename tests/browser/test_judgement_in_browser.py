"""One's own judgement: rated by keys or clicks, kept by the browser, saved as labels.csv, read back by calibrate."""

import csv
import dataclasses
import io
import json
import re
from pathlib import Path

import pytest
import small_run
from opened import Open
from playwright.sync_api import Locator, Page, expect
from sample_run import GOODNESS, LEADER, METRICS, sample_input

from evalharness.labels import Label, read_labels
from evalharness.report.html import write_report
from evalharness.types import FinishedRun

HACK = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"'\u202e"
NOTE = '=HYPERLINK("http://x")\nsecond, line \'quoted\' "twice" 髪 \u202e</script>'


def first_image(page: Page) -> Locator:
    page.locator("#grid .tile").nth(2).click()
    return page.locator("#viewer")


def expect_counts(page: Page, said: str) -> None:
    expect(page.locator("#judgement-counts")).to_have_text(re.compile("^" + re.escape(said)))


def saved(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Save labels.csv").click()
    assert download.value.suggested_filename == "labels.csv"
    target = folder / "labels.csv"
    download.value.save_as(target)
    return target


def label_of(labels: tuple[Label, ...], given: FinishedRun, subject: str) -> Label:
    keys = {cell.key: cell for cell in given.cells}
    return next(label for label in labels if keys[label.cell or ""].subject == subject)


def test_keys_rate_and_go_on_and_the_browser_remembers(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    first_image(page)
    for key in ("3", "1", "2"):
        page.keyboard.press(key)
    expect(page.locator("#viewer h2"), "after the row's end comes the next row").to_contain_text("soft_happy")
    page.keyboard.press("Escape")
    expect_counts(page, "Judged: 3 images. With stars: 3, of them blind: 0.")
    page.reload()
    expect_counts(page, "Judged: 3 images.")
    first_image(page)
    expect(page.locator("#viewer").get_by_label("3 stars: good")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("0")
    expect(page.locator("#viewer").get_by_label("3 stars: good")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#viewer h2")).to_contain_text(LEADER)


def test_a_click_rates_and_a_second_takes_it_back(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    viewer = first_image(page)
    viewer.get_by_label("2 stars: usable").click()
    expect(viewer.get_by_label("2 stars: usable")).to_have_attribute("aria-pressed", "true")
    viewer.get_by_label("2 stars: usable").click()
    page.keyboard.press("Escape")
    expect_counts(page, "Nothing is judged yet")


def test_digits_and_arrows_in_the_note_are_text(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    viewer = first_image(page)
    viewer.get_by_label("Note").click()
    page.keyboard.type("123e")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("f")
    expect(viewer.get_by_label("Note")).to_have_value("123fe")
    expect(viewer.locator("h2")).to_contain_text(LEADER)


def judge_everything(page: Page) -> None:
    viewer = first_image(page)
    viewer.get_by_label("1 star: unusable").click()
    viewer.get_by_label("hair_side is wrong here").click()
    viewer.get_by_label("harmony is wrong here").click()
    viewer.get_by_label("Note").fill(NOTE)
    viewer.get_by_text("Say more").click()
    viewer.get_by_label("Emotion seen").select_option(label="none of these")
    viewer.get_by_label("Eyes").select_option(label="one open")
    viewer.get_by_label("Pictures").select_option(label="one picture")
    viewer.get_by_label("Next image").click()
    page.keyboard.press("3")
    page.keyboard.press("Escape")


def test_labels_csv_is_read_back_as_it_was_said(
    report: Path, given: FinishedRun, open_report: Open, tmp_path: Path
) -> None:
    opened = open_report(report)
    judge_everything(opened.page)
    table = saved(opened.page, tmp_path)
    labels = read_labels(report.parent, table)
    assert len(labels) == 2
    label = label_of(labels, given, LEADER)
    assert (label.stars, label.wrong, label.note) == (1, ("hair_side", "harmony"), NOTE)
    assert (label.emotions, label.eyes, label.several, label.mouth, label.blind) == ((), "one", False, None, False)
    assert label.path.is_file() and label.path.stem == label.cell
    assert label_of(labels, given, "sakichan-000008").stars == 3
    assert opened.errors == []


def test_calibrate_reads_the_labels_of_a_real_runs_page(
    tmp_path: Path, open_report: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs, run = tmp_path / "inputs", tmp_path / "run"
    small_run.write_inputs(inputs)
    assert small_run.main(small_run.arguments(inputs, run)) in (0, 3, 4)
    page = open_report(run / "report.html").page
    page.locator("#grid .tile").first.click()
    page.get_by_label("faces is wrong here").click()
    page.get_by_label("Note").fill("=1+1 faces")
    page.get_by_label("Note").blur()
    for key in ("3", "1", "2"):
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    (tmp_path / "downloads").mkdir()
    table = saved(page, tmp_path / "downloads")
    capsys.readouterr()
    out = tmp_path / "out"
    code = small_run.main(["calibrate", str(run), "--labels", str(table), "--json", f"folder='{out}'"])
    answer = json.loads(capsys.readouterr().out)
    assert (code, answer["images"]) == (0, 3)
    shown = open_report(out / "calibration.html").page
    expect(shown.get_by_role("row", name="faces 1")).to_be_visible()
    expect(shown.get_by_text("=1+1 faces")).to_be_visible()


def test_saved_labels_can_be_loaded_into_another_browser(
    report: Path, given: FinishedRun, open_report: Open, tmp_path: Path
) -> None:
    page = open_report(report).page
    viewer = first_image(page)
    page.keyboard.press("3")
    viewer.get_by_label("Note").fill(NOTE)
    viewer.get_by_role("button", name="hair_side is wrong here").click()
    page.keyboard.press("Escape")
    table = saved(page, tmp_path)
    other = open_report(report).page
    expect_counts(other, "Nothing is judged yet")
    other.locator("#labels-file").set_input_files(table)
    expect(other.locator("#labels-loaded")).to_have_text("Read: 2 of 2 rows are about images of this run.")
    expect(other.locator("#judgement-counts")).to_have_text(page.locator("#judgement-counts").inner_text())
    (tmp_path / "again").mkdir()
    assert saved(other, tmp_path / "again").read_bytes() == table.read_bytes()
    expect(other.locator("#grid .tile .rated")).to_have_count(1)


def test_labels_of_others_change_nothing(report: Path, open_report: Open, tmp_path: Path) -> None:
    opened = open_report(report)
    page, table = opened.page, tmp_path / "labels.csv"
    for text, said in (
        ("name,points\na,3\n", "neither a column 'file' nor a column 'cell'"),
        ("", "neither a column"),
        (f"file,stars,note\nimages/00/unknown.png,3,x\n{HACK},2,{HACK}\n", "Read: 0 of 2 rows"),
        ('file,stars\n"never closed,3\n', "Read: 0 of 1 rows"),
    ):
        table.write_text(text, encoding="utf-8")
        page.locator("#labels-file").set_input_files(table)
        expect(page.locator("#labels-loaded")).to_contain_text(said)
    expect_counts(page, "Nothing is judged yet")
    assert page.evaluate("window.hacked") is None and opened.errors == []


def test_rows_are_found_by_their_file_and_words_that_are_unknown_are_dropped(
    report: Path, given: FinishedRun, open_report: Open, tmp_path: Path
) -> None:
    page, table = open_report(report).page, tmp_path / "labels.csv"
    key = next(cell.key for cell in given.cells if cell.subject == LEADER)
    table.write_text(f"file,stars,mouth,scorer_wrong\r\nC:\\run\\images\\{key}.png,2,smiling,hair_side|gone\r\n")
    page.locator("#labels-file").set_input_files(table)
    expect(page.locator("#labels-loaded")).to_contain_text("1 of 1")
    found = page.evaluate("[...judged.images.values()]")
    assert found == [{"stars": 2, "wrong": ["hair_side"]}]


def test_stars_stand_on_the_grids_tiles_once_given(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    first_image(page)
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    marks = page.locator("#grid .tile .rated")
    expect(marks).to_have_text(["★★"])
    expect(marks.first).to_have_attribute("aria-label", "2 stars: usable")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget all").click()
    expect(marks).to_have_count(0)


def test_no_cell_of_labels_csv_is_a_formula(report: Path, open_report: Open, tmp_path: Path) -> None:
    page = open_report(report).page
    judge_everything(page)
    text = saved(page, tmp_path).read_text("utf-8-sig")
    fields = [field for row in csv.reader(io.StringIO(text, newline="")) for field in row]
    assert any(field.startswith("'=HYPERLINK") for field in fields)
    assert [field for field in fields if re.match(r"[=+\-@\t\r\n]", field)] == []


def test_page_names_the_command_that_reads_its_labels(tmp_path: Path, given: FinishedRun, open_report: Open) -> None:
    place = tmp_path / "it's a run"
    place.mkdir()
    page = open_report(write_report(place, dataclasses.replace(given, images={}))).page
    expect(page.locator("#judgement-command")).to_be_hidden()
    first_image(page)
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    quoted = str(place).replace("'", "'\\''")
    command = f"evalharness calibrate '{quoted}' --labels ~/Downloads/labels.csv"
    expect(page.locator("#judgement-command")).to_have_text(command)


def test_forgetting_asks_first(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    first_image(page)
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Forget all").click()
    expect_counts(page, "Judged: 1 images.")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget all").click()
    expect_counts(page, "Nothing is judged yet")
    page.reload()
    expect_counts(page, "Nothing is judged yet")


def test_browser_that_keeps_nothing_is_said_and_labels_can_still_be_saved(
    report: Path, open_report: Open, tmp_path: Path
) -> None:
    page = open_report(report).page
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('no', 'SecurityError'); };")
    page.reload()
    expect(page.get_by_text("This browser refuses to keep what you judge")).to_be_visible()
    first_image(page)
    page.keyboard.press("2")
    page.keyboard.press("Escape")
    assert [label.stars for label in read_labels(report.parent, saved(page, tmp_path))] == [2]


@pytest.mark.parametrize(
    "kept", ["no JSON", "null", "[]", '{"images": {"KEY": {"stars": 9, "note": 7, "wrong": ["<b>", 1], "eyes": "x"}}}']
)
def test_what_others_left_in_the_browser_is_not_believed(
    kept: str, report: Path, given: FinishedRun, open_report: Open
) -> None:
    opened = open_report(report)
    page = opened.page
    page.evaluate("kept => localStorage.setItem(KEPT_AS, kept)", kept.replace("KEY", given.cells[0].key))
    page.reload()
    expect_counts(page, "Nothing is judged yet")
    assert opened.errors == []


def everything_visible(page: Page) -> str:
    """All that a reader, a screen reader or a pointer finds on the page."""
    said = page.evaluate(
        "[...document.querySelectorAll('[alt], [title], [aria-label]')].filter(node => node.checkVisibility())"
        ".flatMap(node => [node.alt, node.title, node.ariaLabel]).join(' ')"
    )
    return f"{page.locator('body').inner_text()} {said}"


def test_blind_mode_hides_names_strengths_and_scores_everywhere(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.get_by_role("button", name="Judge blind").click()
    tiles = page.locator("#blind-list .tile")
    expect(tiles).to_have_count(142)
    for opened in (False, True):
        if opened:
            tiles.first.click()
        text = everything_visible(page)
        assert "Image 1 of 142" in text
        assert [name for name in (*GOODNESS, *METRICS, "0.7", "Promote", "P(best)") if name in text] == []
    expect(page.locator("#viewer img")).to_have_count(1)
    expect(page.locator("#viewer .text.prompt")).to_contain_text("sakichan,")
    assert page.locator("#viewer svg").first.locator("*").count() == 0


def test_blind_list_is_shuffled_in_an_order_that_stays(report: Path, given: FinishedRun, open_report: Open) -> None:
    page = open_report(report).page
    page.get_by_role("button", name="Judge blind").click()
    numbers = "all => all.map(tile => Number(tile.dataset.cell))"
    order = page.locator("#blind-list .tile").evaluate_all(numbers)
    assert order != sorted(order)
    assert sorted(order) == [n for n, cell in enumerate(given.cells) if isinstance(given.images[cell.key], str)]
    page.reload()
    assert page.locator("#blind-list .tile").evaluate_all(numbers) == order
    expect(page.get_by_role("button", name="Leave blind mode")).to_be_visible()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, given: FinishedRun) -> Path:
    """The page of 720 images."""
    cells = tuple(
        dataclasses.replace(cell, key=f"{cell.key}{copy}", pair_key=f"{cell.pair_key}{copy}", seed=cell.seed + 2 * copy)
        for copy in range(5)
        for cell in given.cells
    )
    found = dataclasses.replace(given, cells=cells, images={cell.key: "none.png" for cell in cells})
    return write_report(tmp_path_factory.mktemp("many"), found)


def test_long_blind_list_grows_as_one_scrolls(many: Path, open_report: Open) -> None:
    page = open_report(many).page
    page.get_by_role("button", name="Judge blind").click()
    tiles = page.locator("#blind-list .tile")
    assert tiles.count() < 720
    while (there := tiles.count()) < 720:
        tiles.last.scroll_into_view_if_needed()
        expect(tiles).not_to_have_count(there)
    expect(tiles).to_have_count(720)
    assert len(set(tiles.evaluate_all("all => all.map(tile => tile.dataset.cell)"))) == 720


def test_blind_list_fills_a_window_that_is_taller_than_what_comes_at_once(many: Path, open_report: Open) -> None:
    page = open_report(many).page
    page.set_viewport_size({"width": 1280, "height": 16_000})
    page.get_by_role("button", name="Judge blind").click()
    expect(page.locator("#blind-list .tile")).to_have_count(720)


def test_ratings_made_blind_are_marked_so(report: Path, open_report: Open, tmp_path: Path) -> None:
    page = open_report(report).page
    first_image(page)
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Judge blind").click()
    tiles = page.locator("#blind-list .tile")
    unrated = tiles.filter(has_text="not rated")
    unrated.first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(page.locator("#judgement-counts")).to_contain_text("of them blind: 1.")
    page.get_by_role("button", name="Leave blind mode").click()
    expect(page.locator("#grid")).to_be_visible()
    labels = read_labels(report.parent, saved(page, tmp_path))
    assert sorted((label.stars, label.blind) for label in labels) == [(1, True), (3, False)]


def test_arrows_walk_the_blind_list_and_escape_returns_to_it(report: Path, open_report: Open) -> None:
    page = open_report(report).page
    page.get_by_role("button", name="Judge blind").click()
    page.locator("#blind-list .tile").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer h2")).to_have_text("Image 3 of 142")
    page.keyboard.press("Escape")
    expect(page.locator("#blind-list .tile").nth(2)).to_be_focused()


def test_hostile_names_and_notes_run_nothing_and_do_not_widen_the_page(tmp_path: Path, open_report: Open) -> None:
    given = sample_input(tmp_path)
    metrics = {
        name: dataclasses.replace(info, name=f"{name}{HACK}" if name == "harmony" else name)
        for name, info in given.metrics.items()
    }
    renamed = {
        key: tuple(dataclasses.replace(s, metric=f"harmony{HACK}") if s.metric == "harmony" else s for s in found)
        for key, found in given.scores.items()
    }
    cells = tuple(
        dataclasses.replace(
            cell,
            subject=HACK * 3 if cell.subject == "flipped" else cell.subject,
            prompt=dataclasses.replace(cell.prompt, text=(HACK * 200)[:10_000]),
        )
        for cell in given.cells
    )
    hostile = dataclasses.replace(
        given, run=HACK, cells=cells, metrics={info.name: info for info in metrics.values()}, scores=renamed
    )
    opened = open_report(write_report(tmp_path, hostile), 390)
    page = opened.page
    viewer = first_image(page)
    viewer.get_by_label("Note").fill(HACK * 20)
    viewer.locator("[data-wrong]").first.click()
    page.keyboard.press("Escape")
    page.reload()
    first_image(page)
    expect(page.get_by_label("Note")).to_have_value(HACK * 20)
    viewer.get_by_label("Compare with").select_option(label=f"{HACK * 3} @ 1")
    assert page.evaluate("document.getElementById('viewer').scrollWidth <= 390")
    viewer.get_by_label("Slider", exact=True).check()
    expect(viewer.locator(".ends bdi").first).to_have_text(f"{HACK * 3} @ 1")
    assert page.evaluate("document.getElementById('viewer').scrollWidth <= 390")
    page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    (label,) = read_labels(tmp_path, saved(page, tmp_path))
    assert (label.note, label.wrong) == (HACK * 20, (f"harmony{HACK}",))
    assert page.evaluate("window.hacked") is None
    assert opened.errors == []
