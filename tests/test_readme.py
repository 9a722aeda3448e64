"""What README promises is so: its suite is read, its scorer scores, its file tree is the real one."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from evalharness.suite import read_suite
from evalharness.types import Box, Cell, Face, Observation, Prompt, Setting

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, number: int = 0) -> str:
    """The text of README's n-th fenced block of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)[number]


def test_suite_of_the_readme_is_a_suite() -> None:
    suite = read_suite(yaml.safe_load(block("yaml")))

    assert suite.name == "mine"
    assert [rule.metric for rule in suite.gates] == ["hair_side", "color_drift"]


@pytest.mark.parametrize(("left", "value"), [(40.0, 1.0), (0.0, 0.0)])
def test_scorer_of_the_readme_scores(left: float, value: float) -> None:
    names: dict[str, Any] = {}
    exec(compile(block("python"), "README.md", "exec"), names)
    cell = Cell(
        key="k",
        pair_key="p",
        subject="base",
        strength=0.0,
        prompt=Prompt(id="x", text="x"),
        setting=Setting(),
        seed=1,
    )
    face = Face(box=Box(x=left, y=0.0, width=20.0, height=20.0), confidence=1.0)
    scorer = names["Centered"]()

    assert scorer.score(cell, Observation(width=100, height=100, faces=(face,)), None).value == value
    assert scorer.score(cell, Observation(width=100, height=100), None).value is None


def test_every_module_is_named_in_the_list_of_files_and_nothing_else() -> None:
    package = ROOT / "evalharness"
    real = {str(path.relative_to(package)) for path in package.rglob("*.py") if path.name != "__init__.py"}
    # one line stands for the renderer
    real = {"demo/drawing/" if name.startswith("demo/drawing/") else name for name in real}

    assert sorted(name for name in named() if name.endswith((".py", "/"))) == sorted(real)


def named() -> Iterator[str]:
    """The modules that docs/code.md names, as paths inside the package."""
    text = (ROOT / "docs" / "code.md").read_text(encoding="utf-8")
    for folder, files in re.findall(r"^## (\S+)$.*?```\n(.*?)```", text, flags=re.MULTILINE | re.DOTALL):
        for name in re.findall(r"^(\S+)", files, flags=re.MULTILINE):
            yield name if folder == "evalharness/" else folder + name


def test_file_tree_of_the_readme_names_what_is_there() -> None:
    top, package = tree().split("evalharness/\n")
    names = [*re.findall(r"^(\S+)", top, re.MULTILINE), *re.findall(r"^  (\S+)", package, re.MULTILINE)]

    assert [name for name in names if not (ROOT / name).exists() and not (ROOT / "evalharness" / name).exists()] == []


def tree() -> str:
    """The block that holds the file tree."""
    return next(text for text in README.split("```")[1::2] if "evalharness/\n" in text)


def test_links_of_the_readme_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if not link.startswith("http")]

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^\$ make (\w+)", README, flags=re.MULTILINE):
        assert f"\n{target}:" in makefile
    assert (ROOT / "docs" / "report.png").is_file()
