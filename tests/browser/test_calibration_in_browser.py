"""The page of a calibration in a real browser: images inside, nothing fetched, nothing smuggled in by a name."""

from collections.abc import Callable
from pathlib import Path

import pytest
from opened import Opened
from PIL import Image
from playwright.sync_api import expect

from evalharness.report.calibration import Answer, Calibration, Disagreement, FigureRow, write_calibration
from evalharness.types import Mark

HACK = "<img src=x onerror=window.hacked=1>\u202e"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibration")
    Image.new("RGB", (600, 400), "teal").save(folder / "one.png")
    marks = (
        Mark(kind="box", label=f"face {HACK}", points=((10.0, 20.0), (200.0, 300.0))),
        Mark(kind="swatch", label="hair", color="#804020"),
    )
    differing = Disagreement(
        path=folder / "one.png",
        size=(600, 400),
        answers=(Answer(question="emotion", person="sad", machine=HACK),),
        reason=HACK,
        marks=marks,
        wrong=(HACK,),
        note=HACK * 100,
    )
    figures = [FigureRow(name="stars kappa", value="0.09", interval="-0.05 to 0.31", images=45)]
    found = Calibration(
        name=HACK,
        figures=figures,
        confusion={"neutral": {"neutral": 3, "none": 1}},
        differing=[differing],
        wrong={HACK: 1},
        rated=3,
        blind=2,
    )
    return write_calibration(folder, found)


@pytest.mark.parametrize("width", [1280, 400])
def test_page_shows_image_and_answers_without_network_or_scripts(
    width: int, page: Path, open_report: Callable[..., Opened]
) -> None:
    opened = open_report(page, width)
    expect(opened.page.get_by_role("img", name="one.png")).to_be_visible()
    expect(opened.page.get_by_text("stars kappa")).to_be_visible()
    expect(opened.page.get_by_text("Rated blind, without scores or names in sight: 2 of 3 images")).to_be_visible()
    assert opened.page.locator("figcaption p").nth(1).inner_text() == f"note: {HACK * 100}"
    assert opened.page.locator("polyline").count() == 1
    assert opened.page.evaluate("window.hacked") is None
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    assert [url for url in opened.requests if not url.startswith((page.as_uri(), "data:"))] == []
    assert opened.errors == []
