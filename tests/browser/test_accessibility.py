"""axe-core over the page as people meet it: no rule of serious or critical impact is broken; focus is seen."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from opened import Opened
from playwright.sync_api import Page
from sample_run import sample_input

from evalharness.report.html import write_report

Open = Callable[..., Opened]
WEIGHTY = ("serious", "critical")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page in each language, with its pictures."""
    written = {}
    for language in ("en", "ja"):
        folder = tmp_path_factory.mktemp(language)
        written[language] = write_report(folder, dataclasses.replace(sample_input(folder), language=language))
    return written


def the_page(page: Page) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")


def the_viewer(page: Page) -> None:
    page.locator("#grid .tile").nth(2).click()


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


STATES = (the_page, the_viewer, the_slider, the_judgement, the_counts, blind_mode, blind_viewer)


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
    page.wait_for_timeout(100)
    assert broken(page) == []


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
