"""A real Chromium for the report's page; without one the tests are skipped, but never in CI."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opened import PATIENCE, Opened
from playwright.sync_api import Browser, expect, sync_playwright

# the sample run is shared with the tests one folder up
sys.path.insert(0, str(Path(__file__).parents[1]))

from sample_run import sample_input

from evalharness.report.html import write_report
from evalharness.types import FinishedRun

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for found in map(shutil.which, NAMES) if found), None)
    if path is None:
        message = "no Chromium found; install one: apt-get install -y --no-install-recommends chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_report(open_address: Callable[..., Opened]) -> Callable[..., Opened]:
    """Opens a report's file at a viewport's width (pixels) and listens to it from the first byte."""
    return lambda report, width=1280: open_address(report.as_uri(), width)


@pytest.fixture
def open_address(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """The same for an address."""
    contexts = []

    def opened(address: str, width: int = 1280) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        found = Opened(page=context.new_page())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        found.page.on("console", lambda m: found.errors.append(m.text) if m.type in ("error", "warning") else None)
        found.page.goto(address)
        return found

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of the sample report; each file of tests has its own."""
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def given(folder: Path) -> FinishedRun:
    return sample_input(folder)


@pytest.fixture(scope="module")
def report(folder: Path, given: FinishedRun) -> Path:
    return write_report(folder, given)
