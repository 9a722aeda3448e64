"""Who may import whom (the picture in README): each layer sees only those below it, and heavy parts stay lazy."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "evalharness"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "types", "__init__"),
    ("codec", "infotext", "comfy_graph"),
    (
        "registry",
        "paths",
        "digest",
        "environment",
        "moment",
        "replacing",
        "csv_rows",
        "captioning",
        "embedded",
    ),
    ("subject", "languages", "training", "models"),
    (
        "suite",
        "watched",
        "config",
        "store",
        "backends",
        "perception",
        "scorers",
        "labels",
        "trackers",
        "courtesy",
        "character",
    ),
    ("reference_images", "lookers"),
    ("gate", "plan", "stats", "generate", "observe", "adopt", "appearance", "arrivals"),
    ("prepare", "report"),
    ("record", "forecast", "ledger", "measure"),
    ("sides",),
    (
        "run",
        "shard",
        "merge",
        "calibrate",
        "rated",
        "compare",
        "pick",
        "promote",
        "regate",
        "conclusion",
        "one_image",
        "listing",
        "doctor",
        "init",
        "keep",
    ),
    ("growing", "shootout"),
    ("watch",),
    ("console", "answer", "bars", "interrupt"),
    ("verbs",),
    ("cli",),
    ("demo",),
)
"""From the bottom to the top; names in one row are siblings."""

SIBLINGS = {("gate", "stats"), ("types", "errors"), ("perception", "backends")}
"""Siblings that may meet: a gate is made of statistics; open_clip imports torchvision, as diffusers does."""

ONLY_IN = {
    "torch": ("backends", "perception", "demo"),
    "diffusers": ("backends", "perception", "demo"),
    "hydra": ("config",),
    "omegaconf": ("config",),
    "jinja2": ("report",),
    "onnxruntime": ("perception",),
    "open_clip": ("perception",),
    "mediapipe": ("perception",),
}
FILES = sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The layer's name for a file: its sub-package, or the module itself."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports(path: Path) -> set[str]:
    """Full names of all modules a file imports, at its top or inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} if node.module != "evalharness" else {f"evalharness.{a.name}" for a in node.names}
    return names


def layer(name: str) -> int:
    return next(height for height, row in enumerate(LAYERS) if name in row)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_file_imports_only_from_layers_below(path: Path) -> None:
    own = part(path)
    for name in imports(path):
        if not name.startswith("evalharness."):
            continue
        other = name.split(".")[1]
        if other in (own, "__version__"):
            continue
        allowed = layer(other) < layer(own) or (own, other) in SIBLINGS
        assert allowed, f"{own} imports {other}, which is not below it"


def test_layers_are_told_as_they_are() -> None:
    told = re.search(
        r"^```\n(cli\n.*?)```", (PACKAGE.parent / "docs" / "code.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert told is not None
    assert [line.split(", ") for line in told[1].splitlines()] == [sorted(row) for row in written()]


def written() -> list[list[str]]:
    """The layers from the top, without what stands beside them: the demo, which may use all, and the package itself."""
    return [[name for name in row if name != "__init__"] for row in reversed(LAYERS) if row != ("demo",)]


@pytest.mark.parametrize("library", ONLY_IN)
def test_library_is_imported_only_where_the_design_says(library: str) -> None:
    users = {part(path) for path in FILES if any(name.split(".")[0] == library for name in imports(path))}
    assert users <= set(ONLY_IN[library])


def test_command_line_starts_without_heavy_imports() -> None:
    code = (
        "import sys; from evalharness.cli import parser; parser().format_help();"
        "heavy = 'torch diffusers hydra scipy skimage numpy rich onnxruntime huggingface_hub'.split();"
        "heavy += ['open_clip', 'mediapipe', 'torchvision'];"
        "print([m for m in heavy if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
