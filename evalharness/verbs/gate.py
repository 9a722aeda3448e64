"""`evalharness gate RUN`: a finished run judged again, alone or against what is promoted."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evalharness.verbs.arguments import LATEST, add_json, add_promoted_in, add_run

if TYPE_CHECKING:
    from evalharness.answer import Answer
    from evalharness.types import FinishedRun

HELP = "judge a finished run again, alone or against what is promoted"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    add_run(verb)
    verb.add_argument(
        "--against",
        metavar="RUN[:SUBJECT]|promoted",
        help=f"what relative_to: promoted means: a subject (or the leader) of a run, or {LATEST}",
    )
    verb.add_argument("--strength", type=float, help="the other side's LoRA strength, where several were measured")
    add_promoted_in(verb)
    verb.add_argument("--junit", type=Path, metavar="FILE", help="write every check as a JUnit test case")
    verb.add_argument("--markdown", type=Path, metavar="FILE", help="write a summary, made for a pull request")
    base = "where --markdown's links to images begin (default: relative to the run's folder)"
    verb.add_argument("--link-base", metavar="URL", default="", help=base)
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """Judge again, write the page again and what else was asked for, print every check."""
    from evalharness.answer import answer_of
    from evalharness.gate import exit_code
    from evalharness.regate import regate
    from evalharness.report.html import write_report
    from evalharness.sides import read_against

    for target in (options.junit, options.markdown):
        _check_target(target)
    against = read_against(options.run, options.against, options.strength, options.promoted_in)
    finished = regate(options.run, against)
    answer = answer_of(options.run, finished, against)
    write_report(options.run, finished)
    _write_files(options, finished, answer)
    _print(options, finished, answer, against.notes if against else ())
    return exit_code(finished.judgement.decision)


def _check_target(target: Path | None) -> None:
    """Refuse a file that cannot be written before anything is judged."""
    from evalharness.errors import InputError

    if target is not None and (target.is_dir() or not target.parent.is_dir()):
        rule = "is a folder" if target.is_dir() else "is in a folder that does not exist"
        raise InputError(f"'{target}' {rule}; name a file in an existing folder.")


def _write_files(options: argparse.Namespace, finished: "FinishedRun", answer: "Answer") -> None:
    from evalharness.answer import focus_of
    from evalharness.report.junit import write_junit
    from evalharness.report.markdown import write_markdown

    if options.junit:
        write_junit(options.junit, finished)
    if options.markdown:
        write_markdown(options.markdown, finished, focus_of(answer), options.link_base)


def _print(options: argparse.Namespace, finished: "FinishedRun", answer: "Answer", notes: tuple[str, ...]) -> None:
    from evalharness import console
    from evalharness.verbs.answers import print_json

    if options.json:
        print_json(answer)
        return
    for note in notes:
        sys.stdout.write(f"{note}\n")
    console.print_gate(finished)
