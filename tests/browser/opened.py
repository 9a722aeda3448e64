"""What a browser test gets: the page, and what it asked for and complained about."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A report in the browser, with all that the page asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


Open = Callable[..., Opened]
