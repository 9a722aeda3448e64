"""What `calibrate --fit` writes and prints: a scoring file of one's own, and how well it grades unseen images."""

from collections.abc import Mapping
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from evalharness.console import console
from evalharness.replacing import write_whole
from evalharness.stats.fitting import TUNABLES, Fit

NAME = "fitted"
HEAD = """# Fitted to {images} labelled images: {labels}
# Kappa of the stars: {before:.2f} before, {fitted:.2f} on the fitted images, {left_out:.2f} on images left out.
# Copy it to conf/scoring/ beside your suites/ and choose it with scoring={name}.
defaults:
  - default
  - _self_
"""


def write_fit(folder: Path, labels: Path, fit: Fit) -> Path:
    """Write `folder/conf/scoring/fitted.yaml`, which changes what was fitted and keeps all else; returns its path."""
    target = folder / "conf" / "scoring" / f"{NAME}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    place = " ".join(str(labels).split())
    head = HEAD.format(
        images=fit.images,
        labels=place,
        name=NAME,
        before=fit.before.kappa,
        fitted=fit.fitted.kappa,
        left_out=fit.left_out.kappa,
    )
    return write_whole(target, head + _body(fit.thresholds))


def print_fit(fit: Fit, written: Path) -> None:
    """The thresholds, how they grade, and how to use them."""
    table = Table(title=f"stars of {fit.images} images, by the thresholds", box=SIMPLE)
    for heading in ("thresholds", "kappa", "mean error in stars"):
        table.add_column(heading, justify="left" if heading == "thresholds" else "right")
    for name, one in (("as given", fit.before), ("fitted, same images", fit.fitted), ("leave one out", fit.left_out)):
        table.add_row(name, f"{one.kappa:.2f}", f"{one.error:.2f}")
    output = console()
    output.print(table)
    said = ", ".join(f"{key} {value:g}" for key, value in fit.thresholds.items())
    output.print(Text(f"fitted     {said}\nwritten    {written}"))
    output.print(Text(f"use it     --config-dir {written.parents[1]} scoring={NAME}"))
    if fit.left_out.kappa <= fit.before.kappa:
        output.print(Text("note       on images left out it grades no better than before: keep what you have"))


def _body(thresholds: Mapping[str, float]) -> str:
    lines = []
    for scorer in dict.fromkeys(tunable.scorer for tunable in TUNABLES):
        lines.append(f"{scorer}:")
        lines += [f"  {t.key}: {thresholds[t.key]:g}" for t in TUNABLES if t.scorer == scorer]
    return "\n".join(lines) + "\n"
