"""Writes the report's page: rows into the templates of reports/, everything but the images in one file."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from evalharness.languages import texts
from evalharness.paths import shipped
from evalharness.replacing import write_whole
from evalharness.report.rows import page
from evalharness.report.thumbnails import write_thumbnails
from evalharness.types import FinishedRun

# later files use what earlier ones define; the page holds them as one script
SCRIPTS = (
    "cells.js",
    "base.js",
    "../vendor/uplot/notice.js",
    "../vendor/uplot/uPlot.iife.min.js",
    "choices.js",
    "grid.js",
    "saving.js",
    "exports.js",
    "marks.js",
    "compare.js",
    "judgement.js",
    "labels.js",
    "loading.js",
    "blind.js",
    "viewer.js",
    "matrix.js",
    "table.js",
    "scrolling.js",
    "curves.js",
    "gallery.js",
    "start.js",
)
# the page of several runs: their equal draws are one grid; nothing is judged or exported
RUNS_SCRIPTS = (
    "cells.js",
    "base.js",
    "../vendor/uplot/notice.js",
    "../vendor/uplot/uPlot.iife.min.js",
    "choices.js",
    "grid.js",
    "marks.js",
    "compare.js",
    "judgement.js",
    "blind.js",
    "viewer.js",
    "scrolling.js",
    "curves.js",
    "history.js",
)
# narrow screens override what the others say
STYLES = (
    "base.css",
    "verdict.css",
    "tables.css",
    "grid.css",
    "viewer.css",
    "judgement.css",
    "matrix.css",
    "calibration.css",
    "../vendor/uplot/uPlot.min.css",
    "curves.css",
    "gallery.css",
    "board.css",
    "narrow.css",
    "print.css",
)
PAGE_NAME = "report.html"

# with these escaped, no text can end the script element or start a comment in it
ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "'": "\\u0027"})


def write_report(folder: Path, given: FinishedRun) -> Path:
    """Write `folder/report.html`, thumbnails beside it, and return its path."""
    there = write_thumbnails(folder, given.cells, given.images)
    small = [int(cell.key in there) for cell in given.cells]
    return write_whole(folder / PAGE_NAME, render(given, {"thumbnails": 1 if all(small) else small}))


def render(given: FinishedRun, pictures: Mapping[str, object] | None = None) -> str:
    """The whole page as text, in the run's language.

    `pictures` says where the script finds them, by the cells' order: `thumbnails` (1 = by its key, 0 = none, or an
    address; one value may stand for all) and `embedded` (addresses of full images that stand in the page).
    """
    words = texts(given.language)
    script = scripts(SCRIPTS)
    rows = page(given, words)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            page=rows,
            t=words,
            language=given.language,
            style=style(),
            script=script,
            script_digest=script_digest(script),
            data=embedded_json({**rows.data, "thumbnails": 0, **(pictures or {})}),
        )
    )


def embedded_json(value: object) -> Markup:
    """JSON that is safe inside a script element, whatever its texts say; NaN is refused (ValueError)."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(ESCAPES))


def script_digest(script: str) -> str:
    """What a page's security policy allows to run: exactly our script, and nothing a prompt could smuggle in."""
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def scripts(names: tuple[str, ...]) -> Markup:
    """Files of reports/scripts as one script."""
    return Markup(_joined(shipped("reports") / "scripts", names))


def style() -> Markup:
    """The style sheet of our pages."""
    return Markup(_joined(shipped("reports") / "styles", STYLES))


def _joined(folder: Path, names: tuple[str, ...]) -> str:
    return "\n".join((folder / name).read_text("utf-8") for name in names)


@cache
def environment(finalize: Callable[[object], object] | None = None) -> jinja2.Environment:
    """The templates of reports/: everything is escaped, and a name that is not given is an error.

    One for all pages of a process that finalize their values alike: to compile the templates takes as long as all else
    that a small run does. Nobody may change it, for it is everybody's.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped("reports")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
    )
