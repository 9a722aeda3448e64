"""What frames cost while the grid scrolls: processor time, measured by a piece of work of the same run.

A clock says how busy the machine is, and milliseconds say how fast it is; neither is the page's doing.
"""

import json
from bisect import bisect
from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

Event = dict[str, Any]
# about 100 ms of a processor of 2.5 GHz: what a frame may take
WORK = """() => {
  const place = document.body.appendChild(document.createElement("div"));
  for (let number = 0; number < 4000; number += 1) {
    const node = document.createElement("button");
    node.textContent = number;
    node.style.left = `${number}px`;
    place.append(node);
  }
  const height = place.offsetHeight;
  place.remove();
  return height;
}"""
TIMES = 5
SCROLL = """(pixels) => new Promise((done) => {
  const grid = document.getElementById("grid");
  let most = 0, frames = 0;
  const step = () => {
    performance.mark("frame");
    const before = grid.scrollTop;
    grid.scrollTop += pixels;
    frames += 1;
    most = Math.max(most, grid.querySelectorAll(".tile").length);
    if (frames < 150 && grid.scrollTop !== before) requestAnimationFrame(step);
    else setTimeout(() => done({ frames, most }), 300);
  };
  requestAnimationFrame(step);
})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrolled:
    """The frames of a scroll, the most tiles that were in the page, and the most that was done at once.

    `frame` (all that the browser did from one frame to the next, on any thread) and `task` (the page's longest) are
    shares of what WORK takes.
    """

    frames: int
    most: int
    frame: float
    task: float


def scrolled(browser: Browser, page: Page, pixels: int) -> Scrolled:
    """The grid scrolled from its top by so many pixels a frame."""
    page.evaluate("grid.scrollTop = 0")
    _, trace = _traced(browser, page, WORK, times=TIMES)
    work = median(sorted(_page_tasks(trace))[-TIMES:])
    found, trace = _traced(browser, page, SCROLL, pixels)
    frame, task = max(_frames(trace)) / work, max(_page_tasks(trace)) / work
    page.evaluate("grid.scrollTop = 0")
    return Scrolled(frame=frame, task=task, **found)


def _traced(browser: Browser, page: Page, script: str, given: object = None, times: int = 1) -> tuple[Any, list[Event]]:
    """What the script gave at last, and the trace of all its times."""
    browser.start_tracing(page=page, categories=["toplevel", "blink.user_timing"])
    found = [page.evaluate(script, given) for _ in range(times)][-1]
    return found, json.loads(browser.stop_tracing())["traceEvents"]


def _tasks(trace: list[Event]) -> list[Event]:
    return [event for event in trace if event["name"] == "ThreadControllerImpl::RunTask" and event.get("tdur")]


def _page_tasks(trace: list[Event]) -> list[float]:
    """Microseconds of processor time of each task on the page's own thread."""
    threads = {(event["pid"], event["tid"]) for event in trace if event.get("args") == {"name": "CrRendererMain"}}
    return [event["tdur"] for event in _tasks(trace) if (event["pid"], event["tid"]) in threads]


def _frames(trace: list[Event]) -> list[float]:
    """Microseconds of processor time, of all threads together, between one frame and the next."""
    marks = sorted(event["ts"] for event in trace if event["name"] == "frame" and "user_timing" in event["cat"])
    used: Counter[int] = Counter()
    for event in _tasks(trace):
        used[bisect(marks, event["ts"])] += event["tdur"]
    return [used[number] for number in range(1, len(marks))]
