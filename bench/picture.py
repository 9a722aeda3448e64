"""Pictures of the page for docs/: python bench/picture.py runs/demo --grid runs/harmony_grid --to docs.

The first run is the demo's; the second has archetypes, emotions and several guidance scales, such as
evalharness run suite=harmony_grid backend.model=demo:checkpoint 'suite.seeds=[1]' suite.settings.steps=10
(needs playwright and a Chromium).
"""

import argparse
import io
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 1280
COLOURS = 256
"""Of a picture's palette: a quarter of the bytes, and nothing that an eye would miss at this size."""


def main() -> None:
    """Photograph what the README and docs/report.md speak of."""
    options = _options()
    with sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, NAMES)))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for name, (height, prepare) in SHOTS.items():
            run = options.grid if name == "matrix" else options.run
            if run is not None:
                _photograph(browser, run, height, prepare, options.to / f"{name}.png")
        browser.close()


def _photograph(browser: Browser, run: Path, height: int, prepare: Callable[[Page], None], target: Path) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme="light")
    page.goto((run / "report.html").resolve().as_uri())
    page.add_style_tag(content="html { scroll-padding-top: 0 !important; }")
    prepare(page)
    page.wait_for_timeout(800)
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"{target} {target.stat().st_size / 1000:.0f} kB")
    page.close()


def _top(page: Page) -> None:
    page.evaluate("window.scrollTo(0, 0)")


def _at(selector: str) -> Callable[[Page], None]:
    def scroll(page: Page) -> None:
        page.locator(selector).evaluate("node => window.scrollTo(0, node.getBoundingClientRect().top + scrollY - 24)")

    return scroll


def _image(page: Page) -> None:
    """An image in which something is wrong, by the scorers: the first of the largest group of reasons."""
    page.locator("#gallery .thumb").first.click()


def _compared(page: Page) -> None:
    """The leader's picture over the same draw of the model without it."""
    leader = page.evaluate("data.cells.findIndex((one) => one.subject === data.leader && layout.places.has(one))")
    page.locator(f"#grid .tile[data-cell='{leader}']").click()
    page.locator("[data-control=slider]").check()
    page.locator("[data-control=range]").focus()


def _matrix(page: Page) -> None:
    """Without a subject whose table would be cut in two."""
    _at("#matrix-section")(page)


SHOTS: dict[str, tuple[int, Callable[[Page], None]]] = {
    "report": (1290, _top),
    "grid": (900, _at("#grid-section")),
    "image": (860, _image),
    "compare": (820, _compared),
    "matrix": (760, _matrix),
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", default=Path("runs/demo"), help="a finished run of the demo")
    parser.add_argument("--grid", type=Path, help="a finished run with archetypes and emotions, for matrix.png")
    parser.add_argument("--to", type=Path, default=Path("docs"), help="the folder of the pictures")
    return parser.parse_args()


if __name__ == "__main__":
    main()
