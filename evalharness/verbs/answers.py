"""How several verbs answer: as a table for people, or as JSON for programs and then as nothing else."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evalharness.codec import encode_readably
from evalharness.types import FinishedRun

if TYPE_CHECKING:
    from evalharness.one_image import OneImage


def print_json(value: object) -> None:
    """One JSON document on the standard output."""
    sys.stdout.write(encode_readably(value).decode() + "\n")


def print_run(finished: FinishedRun, folder: Path, *, as_json: bool) -> None:
    """What a run concluded."""
    from evalharness import console
    from evalharness.conclusion import conclude

    found = conclude(finished, folder)
    if as_json:
        print_json(found)
    else:
        console.print_finished(finished, found.report or f"none yet; evalharness report {folder} writes it")
        print_facts(finished, "warnings")


def print_facts(finished: FinishedRun, *headings: str) -> None:
    """Groups of the run's facts, a line for each: what the LoRA files say of their base, stacks and training."""
    from rich.text import Text

    from evalharness.console import console

    for heading in headings:
        group = finished.record.get(heading)
        for name, said in group.items() if isinstance(group, Mapping) else ():
            words = ", ".join(f"{key} {value}" for key, value in said.items()) if isinstance(said, Mapping) else said
            console().print(Text(f"{heading.removesuffix('s'):<11}{name}: {words}"))


def print_image(found: "OneImage") -> None:
    """One image: what was asked, and every score with its reason."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from evalharness.console import console

    cell, output = found.cell, console()
    setting = cell.setting
    facts = {
        "cell": cell.key,
        "image": str(found.path or f"none: {found.failure}"),
        "subject": f"{cell.subject} @ {cell.strength:g}",
        "prompt": f"{cell.prompt.id}: {cell.prompt.text}",
        "negative": cell.prompt.negative,
        "setting": f"{setting.sampler}, {setting.steps} steps, guidance {setting.guidance_scale:g}, "
        f"{setting.width} x {setting.height}",
        "seed": str(cell.seed),
    }
    for name, value in facts.items():
        if value:
            output.print(Text(f"{name:<11}{value}"))
    table = Table(box=SIMPLE)
    for heading in ("score", "value", "reason"):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for score in found.scores:
        value = "unscored" if score.value is None else f"{score.value:.2f}"
        table.add_row(score.metric.replace("_", " "), value, Text(score.reason))
    output.print(table)
