"""`evalharness report RUN`: the page of a run, to read here or to take elsewhere; of several runs, one page for all."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from evalharness.verbs.arguments import add_json, add_promoted_in
from evalharness.verbs.completers import completed_by, runs

HELP = "write the page of a run again, or one of several runs"
ONE_PLACE = "--single-file and --to were given; one file needs no folder, so choose one of them."


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    text = "a run's folder, such as runs/demo; several (or RUN:SUBJECT) are shown side by side"
    completed_by(verb.add_argument("runs", nargs="+", metavar="RUN", help=text), runs)
    verb.add_argument("--open", action="store_true", help="open the page in the browser")
    verb.add_argument("--single-file", action="store_true", help="one HTML with all images inside, as WebP")
    text = "copy the page with what it shows into this folder"
    verb.add_argument("--to", type=Path, metavar="DIR", help=text)
    verb.add_argument("--composite", type=Path, metavar="PNG", help="write the grid as one labelled picture")
    verb.add_argument("--rows", default="prompt", metavar="AXIS", help="the picture's rows (default: prompt)")
    verb.add_argument("--columns", default="subject", metavar="AXIS", help="the picture's columns (default: subject)")
    text = "of another axis show this value only; may be given again"
    verb.add_argument("--where", action="append", default=[], type=_pair, metavar="AXIS=VALUE", help=text)
    text = "in the picture only failing images that a metric gives this reason, as 'Why images fail' words it"
    verb.add_argument("--reason", type=_reason, metavar="METRIC=WORDS", help=text)
    add_promoted_in(verb)
    verb.add_argument("--language", metavar="CODE", help="the page's language, such as ja (default: the run's)")
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """Write the page, and say where it is."""
    from evalharness.errors import InputError
    from evalharness.verbs.answers import print_json

    if options.reason and not options.composite:
        raise InputError("--reason was given without --composite; it chooses the images of that picture.")
    written = _of_several(options) if len(options.runs) > 1 else _of_one(options)
    page = written["report"]
    if options.json:
        print_json(written)
    else:
        sys.stdout.writelines(f"{path}\n" for path in written.values())
    if options.open:
        _open(page)
    return 0


def _of_one(options: argparse.Namespace) -> Mapping[str, Path]:
    from dataclasses import replace

    from evalharness.errors import InputError
    from evalharness.languages import known_language
    from evalharness.record import load_run
    from evalharness.report.carried import write_folder, write_single
    from evalharness.report.composite import Choice, write_composite
    from evalharness.report.html import write_report
    from evalharness.report.reason_groups import ReasonGroup

    if options.single_file and options.to:
        raise InputError(ONE_PLACE)
    folder = Path(options.runs[0])
    given = load_run(folder)
    given = replace(given, language=known_language(options.language or given.language))
    if options.composite:
        reason = ReasonGroup(metric=options.reason[0], words=options.reason[1]) if options.reason else None
        choice = Choice(rows=options.rows, columns=options.columns, where=dict(options.where), reason=reason)
        return {"report": write_composite(folder, given, choice, options.composite, _say)}
    if options.single_file:
        return {"report": write_single(folder, given)}
    return {"report": write_folder(folder, given, options.to) if options.to else write_report(folder, given)}


def _of_several(options: argparse.Namespace) -> Mapping[str, Path]:
    import os

    from evalharness.errors import InputError
    from evalharness.languages import DEFAULT, known_language
    from evalharness.report.draws import Form
    from evalharness.report.runs import RUNS_NAME, SINGLE_NAME, write_runs
    from evalharness.shootout import contest

    if options.composite:
        raise InputError("--composite takes one run; give one folder, or leave it out.")
    if options.single_file and options.to:
        raise InputError(ONE_PLACE)
    found = contest(options.runs, options.promoted_in)
    home = options.to or Path(os.path.commonpath([one.folder.resolve().parent for one in found.contestants]))
    home.mkdir(parents=True, exist_ok=True)
    form: Form = "single" if options.single_file else "copied" if options.to else "linked"
    name = SINGLE_NAME if options.single_file else RUNS_NAME
    return {"report": write_runs(found, home / name, known_language(options.language or DEFAULT), form)}


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _open(page: Path) -> None:
    """In the browser; a machine without one is told so."""
    import webbrowser

    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except webbrowser.Error:
        opened = False
    if not opened:
        _say(f"no browser could be opened here; open {page.resolve()} in one.")


def _pair(text: str) -> tuple[str, str]:
    axis, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is no AXIS=VALUE, such as seed=1")
    return axis, value


def _reason(text: str) -> tuple[str, str]:
    metric, equals, words = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"'{text}' is no METRIC=WORDS, such as 'hair_side=hangs left; asked: right'")
    return metric, words
