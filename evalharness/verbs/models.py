"""`evalharness models list|fetch|verify`: the vision models of perception, and whether they are here."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING

from evalharness.verbs.arguments import add_json

if TYPE_CHECKING:
    from evalharness.models.table import Model

HELP = "vision models: which there are, fetch them, and verify that they are the bytes that were pinned"


def add(verb: argparse.ArgumentParser) -> None:
    """Its flags."""
    verb.add_argument("task", choices=("list", "fetch", "verify"), help="what to do")
    text = (
        "models of `evalharness models list`; left out, those that perception=anime uses (of verify: all that are here)"
    )
    verb.add_argument("names", nargs="*", metavar="MODEL", help=text)
    add_json(verb)


def do(options: argparse.Namespace) -> int:
    """List, fetch or verify; 2 where a model is not what it should be."""
    from evalharness.models.table import find_model, models

    given = [find_model(name) for name in options.names]
    if options.task == "fetch":
        return _fetch(given or [model for model in models().values() if model.default], as_json=options.json)
    return _show(given or list(models().values()), options, verify=options.task == "verify")


def _fetch(wanted: list["Model"], *, as_json: bool) -> int:
    """Fetch each model; what Hugging Face prints meanwhile is progress on the error output."""
    from evalharness.console import console
    from evalharness.models.fetch import fetch
    from evalharness.verbs.answers import print_json

    places: dict[str, list[str]] = {}
    for model in wanted:
        places[model.name] = [str(path) for path in fetch(model)]
        if not as_json:
            console().print(f"{model.name}: here, as pinned; licence {model.license}", highlight=False)
    if as_json:
        print_json(places)
    return 0


def _show(wanted: list["Model"], options: argparse.Namespace, *, verify: bool) -> int:
    from evalharness.models.state import State, state_of
    from evalharness.verbs.answers import print_json

    states = {model.name: state_of(model, verify=verify) for model in wanted}
    if verify and not options.names:
        states = {name: state for name, state in states.items() if state is not State.ABSENT}
    if options.json:
        print_json(
            {model.name: {"state": states[model.name], **_facts(model)} for model in wanted if model.name in states}
        )
    else:
        _print([model for model in wanted if model.name in states], states)
    asked = bool(options.names)
    wrong = (State.CHANGED, State.UNKNOWN, *((State.ABSENT, State.PARTLY) if asked else ()))
    return 2 if verify and any(state in wrong for state in states.values()) else 0


def _facts(model: "Model") -> dict[str, object]:
    files = {name: {"sha256": file.sha256, "bytes": file.bytes} for name, file in model.files.items()}
    facts = {name: getattr(model, name) for name in ("kind", "about", "repository", "revision", "license", "threshold")}
    return {**facts, "files": files}


def _print(shown: list["Model"], states: Mapping[str, str]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from evalharness.console import console

    table = Table(box=SIMPLE)
    for heading in ("model", "for", "MB", "licence", "state"):
        table.add_column(heading, justify="right" if heading == "MB" else "left")
    for model in shown:
        sizes = [file.bytes for file in model.files.values()]
        size = "?" if None in sizes else f"{sum(one for one in sizes if one) / 1e6:.0f}"
        table.add_row(Text(model.name), Text(model.about), size, model.license, states[model.name])
    console().print(table if shown else "no model is here; fetch those of perception=anime: evalharness models fetch")
