"""axe-core over the page as people meet it: no rule of serious or critical impact is broken; focus is seen."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from opened import Open, viewer_is_drawn
from playwright.sync_api import Page, expect
from sample_run import LEADER, sample_input

from evalharness.report.html import write_report
from evalharness.report.runs import Contest, Contestant, Milestone, Standing, write_runs
from evalharness.types import Decision, Estimate, FinishedRun, MetricInfo, ReferenceImage

WEIGHTY = ("serious", "critical")
HOSTILE = "</script><img src=x onerror='window.hacked=1'>"
MEASURED = Estimate(mean=0.8, low=0.7, high=0.9, level=0.95, scored=15, unscored=1, prompts=8)
REFERENCE = ReferenceImage(
    key="ab" * 32,
    name="01.png",
    thumbnail="data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    width=64,
    height=64,
    colors={"hair": (35.0, 15.0, 18.0)},
    outline=((8.0, 8.0), (40.0, 8.0), (40.0, 50.0)),
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page in each language, with its pictures."""
    written = {}
    for language in ("en", "ja"):
        folder = tmp_path_factory.mktemp(language)
        given = dataclasses.replace(sample_input(folder), language=language, references=(REFERENCE,))
        # five subjects and as many again, so that lists fold
        again = tuple(dataclasses.replace(one, subject=given.subjects[1].name) for one in given.judgement.verdicts * 3)
        judgement = dataclasses.replace(given.judgement, verdicts=(*given.judgement.verdicts, *again))
        written[language] = write_report(folder, dataclasses.replace(given, judgement=judgement))
    return written


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of several runs in each language, with a history."""
    folder = tmp_path_factory.mktemp("several")
    run = sample_input(folder)
    found = Contest(
        contestants=tuple(_contestant(folder, run, subject) for subject in (LEADER, "flipped")),
        metrics=tuple(run.metrics.values()),
        standings={name: (_standing("wins"), _standing("behind")) for name in run.metrics},
        refused={(0, 1): ("the image makers differ in device",)},
        notes=("a note",),
        history=tuple(_milestone(day, run.metrics) for day in (1, 2, 3)),
    )
    return {code: write_runs(found, folder / f"runs_{code}.html", code) for code in ("en", "ja")}


def _contestant(folder: Path, run: FinishedRun, subject: str) -> Contestant:
    cells = tuple(cell for cell in run.cells if (cell.subject, cell.strength) == (subject, 1.0))
    return Contestant(
        folder=folder,
        run=run,
        subject=subject,
        strength=1.0,
        cells=cells,
        date="2026-11-21T09:30",
        decision=Decision.PROMOTE,
        probability_best=0.7,
    )


def _standing(word: str) -> Standing:
    return Standing(estimate=MEASURED, word=word, met=1)


def _milestone(day: int, metrics: Mapping[str, MetricInfo]) -> Milestone:
    return Milestone(
        date=f"2026-11-0{day}T09:30:00+00:00",
        subject=HOSTILE,
        strengths=(1.0,),
        suite=HOSTILE,
        suite_digest="ab" * 32,
        run="first",
        overridden=day == 2,
        means=dict.fromkeys(metrics, MEASURED),
        metrics=metrics,
        note="",
    )


def the_page(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")


def the_viewer(page: Page) -> None:
    page.locator("#grid .tile").nth(2).click()


def the_group(page: Page) -> None:
    page.locator(".reason-group header button").last.click()
    page.locator("#grid-legend .chip").wait_for()


def the_slider(page: Page) -> None:
    the_viewer(page)
    page.locator("[data-control=slider]").check()


def the_judgement(page: Page) -> None:
    the_viewer(page)
    page.locator("[data-stars='2']").click()
    page.locator("[data-wrong]").first.click()
    page.locator("#viewer .more summary").click()


def the_counts(page: Page) -> None:
    the_viewer(page)
    page.keyboard.press("3")
    page.keyboard.press("Escape")


def blind_mode(page: Page) -> None:
    page.locator("#blind-mode").click()


def blind_viewer(page: Page) -> None:
    blind_mode(page)
    page.locator("#blind-list .tile").first.click()


STATES = (the_page, the_group, the_viewer, the_slider, the_judgement, the_counts, blind_mode, blind_viewer)


def broken(page: Page) -> list[str]:
    """The rules of weight that the page breaks, with the elements that do."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {[node['html'][:160] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in WEIGHTY
    ]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@pytest.mark.parametrize(("width", "scheme", "language"), [(1280, "light", "en"), (390, "dark", "ja")])
def test_axe_finds_nothing_serious(
    state: Callable[[Page], None],
    width: int,
    scheme: str,
    language: str,
    reports: dict[str, Path],
    open_report: Open,
) -> None:
    page = open_report(reports[language], width).page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.lang") == language
    state(page)
    viewer_is_drawn(page)
    assert broken(page) == []


@pytest.mark.parametrize(("width", "scheme", "language"), [(1280, "light", "en"), (390, "dark", "ja")])
def test_axe_finds_nothing_serious_on_the_page_of_several_runs(
    width: int, scheme: str, language: str, several: dict[str, Path], open_report: Open
) -> None:
    opened = open_report(several[language], width)
    opened.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert opened.errors == []
    assert broken(opened.page) == []
    opened.page.locator("#grid .tile").first.click()
    viewer_is_drawn(opened.page)
    assert broken(opened.page) == []
    opened.page.locator("#viewer [data-control=slider]").check()
    viewer_is_drawn(opened.page)
    assert broken(opened.page) == []
    assert opened.page.evaluate("window.hacked") is None and opened.errors == []


def test_history_is_read_off_with_the_keys_and_leads_to_its_row(several: dict[str, Path], open_report: Open) -> None:
    opened = open_report(several["en"])
    plot = opened.page.get_by_role("slider", name="harmony over date").first
    plot.focus()
    opened.page.keyboard.press("Home")
    read = re.compile("^" + re.escape(f"Date 2026-11-01, {HOSTILE}: 80 % [70, 90]"))
    expect(plot).to_have_attribute("aria-valuetext", read)
    opened.page.keyboard.press("Enter")
    expect(opened.page.locator("#promotion-1")).to_be_focused()
    # Axe is no part of this: nothing but the runs' own pictures was asked for
    home = several["en"].parent.as_uri()
    assert [url for url in opened.requests if not url.startswith((home, "data:"))] == []


def test_the_board_is_on_the_page_that_axe_sees(reports: dict[str, Path], open_report: Open) -> None:
    page = open_report(reports["en"]).page
    for heading in ("board-heading", "gallery-heading", "curves-epoch", "matrix-heading"):
        expect(page.locator(f"#{heading}")).to_be_visible()
    assert page.locator(".rest").count() >= 1


def test_axe_sees_what_is_broken(reports: dict[str, Path], open_report: Open) -> None:
    page = open_report(reports["en"]).page
    page.evaluate("document.querySelector('#grid-controls select').removeAttribute('aria-label')")
    page.evaluate(
        "document.querySelector('#grid-controls label').replaceWith(document.querySelector('#grid-controls select'))"
    )
    page.evaluate("document.querySelector('#judgement-counts').style.color = '#eee'")
    assert [line.split(" ")[0] for line in broken(page)] == ["color-contrast", "select-name"]


def test_every_picture_of_the_viewer_has_its_words(reports: dict[str, Path], open_report: Open) -> None:
    page = open_report(reports["en"]).page
    the_viewer(page)
    said = page.locator("#viewer img").evaluate_all("all => all.map(one => one.alt)")
    assert said == ["sakichan-000006 @ 1 · soft_neutral · seed 1", "base · soft_neutral · seed 1"]


def test_focus_can_be_seen_on_every_control_of_the_viewer(reports: dict[str, Path], open_report: Open) -> None:
    page = open_report(reports["en"]).page
    the_judgement(page)
    page.locator("#viewer .close").focus()
    unseen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        style, name = page.evaluate(
            "[getComputedStyle(document.activeElement).outlineStyle, document.activeElement.outerHTML.slice(0, 80)]"
        )
        if style == "none" and not name.startswith("<body"):
            unseen.append(name)
    assert unseen == []
