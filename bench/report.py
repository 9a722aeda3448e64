"""How the page of a large run behaves: python bench/report.py runs/demo --cells 10000 (needs playwright and Chromium).

The run's cells are repeated under new seeds, with pictures of their own and with numbers and evidence that differ as
those of other images would, so that nothing is smaller for being the same.
"""

import argparse
import json
import random
import re
import resource
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from evalharness.digest import digest
from evalharness.record import load_run
from evalharness.report.html import PAGE_NAME, write_report
from evalharness.types import Cell, FinishedRun, Mark, Score

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
FIRST_VIEW = """() => new Promise((done) => {
  const seen = () => {
    const grid = document.getElementById("grid");
    // the page may not have come that far
    if (!grid) { requestAnimationFrame(seen); return; }
    const box = grid.getBoundingClientRect();
    const inView = [...document.querySelectorAll("#grid .tile img")].filter((image) => {
      const place = image.getBoundingClientRect();
      return place.top < Math.min(box.bottom, innerHeight) && place.left < box.right;
    });
    const ready = document.querySelector("#grid .tile") && inView.every((image) => image.naturalWidth > 0);
    if (ready) done(performance.now());
    else requestAnimationFrame(seen);
  };
  seen();
})"""
SCROLL = """(pixels) => new Promise((done) => {
  const grid = document.getElementById("grid"), frames = [];
  grid.scrollIntoView({ behavior: "instant" });
  grid.scrollTop = 0;
  let last = performance.now();
  const step = (now) => {
    frames.push(now - last);
    last = now;
    const before = grid.scrollTop;
    grid.scrollTop += pixels;
    if (frames.length < 400 && grid.scrollTop !== before) requestAnimationFrame(step);
    else setTimeout(() => done({ frames: frames.slice(1), tiles: grid.querySelectorAll(".tile").length }), 200);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(step); });
})"""

# nothing but colour, scrolled the same way: the machine's own longest frame
EMPTY = """<!doctype html><div id="grid" style="overflow: auto; height: 700px">
<div style="height: 60000px; background: linear-gradient(#1d66a8, #a64508)"></div></div>"""
LONGEST = 100
"""Milliseconds that no frame may take."""
OWN_SHARE = 0.8
"""Of the page's working time the least share on a processor: below it other programs held the frames up."""
TIMES = 3


def main() -> None:
    """Make the large run in a temporary folder, write its page twice and open it."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = enlarged(load_run(options.run), options.run, folder, options.cells)
        for title in ("written", "written again"):
            measure_writing(title, folder, given)
        with sync_playwright() as playwright:
            path = next(filter(None, map(shutil.which, NAMES)))
            browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
            measure_browser(browser, folder / PAGE_NAME)
            browser.close()


def enlarged(run: FinishedRun, source: Path, folder: Path, count: int) -> FinishedRun:
    """The run repeated under new seeds until it has `count` cells; its pictures are written under `folder`."""
    cells, images, scores = [], {}, {}
    for number in range(count):
        old = run.cells[number % len(run.cells)]
        cell = _again(old, number // len(run.cells))
        cells.append(cell)
        images[cell.key] = _copied(source / str(run.images[old.key]), folder, cell)
        scores[cell.key] = tuple(_varied(run.scores.get(old.key, ()), random.Random(cell.key)))
    return replace(run, cells=tuple(cells), images=images, scores=scores)


def _again(cell: Cell, times: int) -> Cell:
    seed = cell.seed + 1000 * times
    return replace(cell, key=digest([cell.key, times]), pair_key=digest([cell.pair_key, times]), seed=seed)


def _copied(source: Path, folder: Path, cell: Cell) -> str:
    relative = f"images/{cell.key[:2]}/{cell.key}.png"
    (folder / relative).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / relative)
    return relative


def _varied(scores: Iterable[Score], chance: random.Random) -> Iterable[Score]:
    for score in scores:
        reason = re.sub(r"\b\d+\.\d+", lambda found: f"{float(found[0]) * chance.uniform(0.8, 1.2):.1f}", score.reason)
        value = score.value if score.value in (None, 0.0, 1.0) else score.value * chance.uniform(0.9, 1.0)
        yield replace(score, value=value, reason=reason, evidence=tuple(_moved(m, chance) for m in score.evidence))


def _moved(mark: Mark, chance: random.Random) -> Mark:
    right, down, size = chance.uniform(-4, 4), chance.uniform(-4, 4), chance.uniform(0.9, 1.1)
    points = tuple((x * size + right, y * size + down) for x, y in mark.points)
    color = mark.color and f"#{chance.randrange(1 << 24):06x}"
    return replace(mark, points=points, color=color)


def measure_writing(title: str, folder: Path, given: FinishedRun) -> None:
    """Seconds and bytes."""
    start, processor = time.perf_counter(), time.process_time()
    page = write_report(folder, given)
    seconds, used = time.perf_counter() - start, time.process_time() - processor
    size, memory = page.stat().st_size / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{title:<16}{seconds:6.1f} s ({used:.1f} s of processors), page {size:.2f} MB, {memory:.0f} MB of memory")


def measure_browser(browser: Browser, report: Path) -> None:
    """The first view, scrolling, and what was asked for."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri(), wait_until="commit")
    print(f"first view      {page.evaluate(FIRST_VIEW):6.0f} ms")
    _measure_scrolling(browser, page, "Prompt", "Subject", "all")
    _measure_scrolling(browser, page, "Seed", "Prompt", "1")
    other = [url for url in requests if not url.startswith((report.parent.as_uri(), "data:,"))]
    print(f"requests        {len(requests)} of the report's own files, {len(other)} others")


def _measure_scrolling(browser: Browser, page: Page, rows: str, columns: str, seed: str) -> None:
    controls = page.locator("#grid-controls")
    for label, value in (("Rows", rows), ("Columns", columns), ("Seed", seed)):
        if controls.get_by_label(label, exact=True).count():
            controls.get_by_label(label, exact=True).select_option(label=value)
    for pixels in (120, 900, 6000):
        print(f"{rows} x {columns}, {pixels} px a frame:")
        for _ in range(TIMES):
            print(f"    {_scrolled(browser, page, pixels)}")


def _scrolled(browser: Browser, page: Page, pixels: int) -> str:
    """One way to scroll, once, and an empty page scrolled the same way right before and after."""
    idle = _idle(browser, pixels)
    browser.start_tracing(page=page, categories=["toplevel"])
    found = page.evaluate(SCROLL, pixels)
    trace = json.loads(browser.stop_tracing())["traceEvents"]
    share, used = processor_share(trace), longest_task(trace)
    idle = max(idle, _idle(browser, pixels))
    frames = sorted(found["frames"])
    quiet = idle <= LONGEST and share >= OWN_SHARE
    judged = "passes" if frames[-1] <= LONGEST else "too long" if quiet else "not judged, the machine is busy"
    return (
        f"{len(frames)} frames, median {frames[len(frames) // 2]:.0f} ms, longest {frames[-1]:.0f} ms (an empty page's "
        f"{idle:.0f} ms): {judged}; longest task {used:.0f} ms of processor "
        f"(of its time {share:.0%} on one); {found['tiles']} tiles"
    )


def _idle(browser: Browser, pixels: int) -> float:
    """Milliseconds of an empty page's longest frame."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_content(EMPTY)
    frames = page.evaluate(SCROLL, pixels)["frames"]
    page.close()
    return float(max(frames))


def longest_task(trace: list[dict[str, Any]]) -> float:
    """Milliseconds of processor time of the page's longest task: what other programs took does not count."""
    threads = {(e["pid"], e["tid"]) for e in trace if e.get("args") == {"name": "CrRendererMain"}}
    tasks = [e.get("tdur", 0) for e in trace if e.get("ph") == "X" and (e["pid"], e["tid"]) in threads]
    return max(tasks, default=0) / 1000


def processor_share(trace: list[dict[str, Any]]) -> float:
    """Of the time that the page's tasks took by the clock, what they had a processor; 1 where there was no task."""
    threads = {(e["pid"], e["tid"]) for e in trace if e.get("args") == {"name": "CrRendererMain"}}
    tasks = [e for e in trace if e["name"] == "ThreadControllerImpl::RunTask" and (e["pid"], e["tid"]) in threads]
    clock = sum(e.get("dur", 0) for e in tasks)
    return sum(e.get("tdur", 0) for e in tasks) / clock if clock else 1.0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", default=Path("runs/demo"))
    parser.add_argument("--cells", type=int, default=10_000)
    return parser.parse_args()


if __name__ == "__main__":
    main()
