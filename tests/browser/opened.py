"""What a browser test gets: the page, and what it asked for and complained about."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page

PATIENCE = 60_000
"""Milliseconds until what does not come is missed: no figure of the page's, for other programs may hold it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A report in the browser, with all that the page asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


Open = Callable[..., Opened]


def viewer_is_drawn(page: Page) -> None:
    """Wait until the viewer's images have come: only then do they have their places and their evidence."""
    drawn = "one => one.style.getPropertyValue('--natural') !== ''"
    page.wait_for_function(f"[...document.querySelectorAll('#viewer .canvas:has(img)')].every({drawn})")
