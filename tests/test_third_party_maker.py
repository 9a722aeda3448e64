"""A maker that somebody else installed, the one of docs/makers.md: found by its entry point, in a whole run."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_run

from evalharness import registry
from evalharness.cli import main

PAGE = (Path(__file__).parent.parent / "docs" / "makers.md").read_text()


def block(language: str, containing: str) -> str:
    """The one code block of the page that holds these words."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if containing in text]
    return str(found)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small run's inputs, and a folder of site-packages with the page's package as an installer leaves it."""
    site = tmp_path / "site-packages"
    info = site / "my_maker-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "my_maker.py").write_text(block("python", "class ColorMaker"))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-maker\nVersion: 1.0\n")
    entry = block("toml", "entry-points").replace(
        '[project.entry-points."evalharness.backends"]', "[evalharness.backends]"
    )
    (info / "entry_points.txt").write_text(entry.replace('"', ""))
    monkeypatch.syspath_prepend(str(site))
    registry._installed.cache_clear()
    small_run.write_inputs(tmp_path / "inputs")
    (tmp_path / "inputs" / "backend").mkdir()
    (tmp_path / "inputs" / "backend" / "colors.yaml").write_text(block("yaml", "name: colors"))
    perception = {**registry.PERCEPTION, "brightness": "small_run:Brightness"}
    monkeypatch.setitem(registry.TABLES, "perception", perception)  # type: ignore[index]
    yield tmp_path
    sys.modules.pop("my_maker", None)
    registry._installed.cache_clear()


def command(folder: Path, *more: str) -> list[str]:
    chosen = small_run.arguments(folder / "inputs", folder / "run", *more)
    return ["backend=colors" if text == "backend=fake" else text for text in chosen]


def test_installed_maker_makes_a_whole_run(installed: Path) -> None:
    assert main(command(installed)) in (0, 3, 4)
    record = json.loads((installed / "run" / "run.json").read_text())
    assert record["maker"] == {"maker": "colors", "salt": ""}
    assert len(list((installed / "run" / "images").rglob("*.png"))) == 45


def test_options_of_an_installed_maker_reach_it(installed: Path) -> None:
    assert main(command(installed, "backend.options.salt=pepper")) in (0, 3, 4)
    assert json.loads((installed / "run" / "run.json").read_text())["maker"]["salt"] == "pepper"


def test_installed_maker_is_listed_with_ours_and_may_not_take_their_names(
    installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {"colors", "comfyui", "diffusers"} <= registry.table("backend").keys()
    (installed / "site-packages" / "my_maker-1.0.dist-info" / "entry_points.txt").write_text(
        "[evalharness.backends]\nfake = my_maker:ColorMaker\n"
    )
    registry._installed.cache_clear()
    assert main(command(installed)) == 2
    assert "names are unique" in capsys.readouterr().err


def test_comfyui_example_of_the_page_is_a_configuration(tmp_path: Path) -> None:
    from evalharness.backends.comfy.settings import read_settings
    from evalharness.config import compose

    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "studio.yaml").write_text(block("yaml", "hires.json"))
    backend = compose(["backend=studio", "subjects=[]"], tmp_path).backend
    settings = read_settings(backend.options)
    assert backend.name == "comfyui" and settings.loras == ("10",)
    assert settings.nodes["seed"] == ["3.seed", "20.seed"] and settings.nodes["negative"] is None
