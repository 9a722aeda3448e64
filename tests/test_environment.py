"""A run's record says which code, packages and machine made it."""

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from evalharness import __version__
from evalharness.environment import environment, git_state


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_record_names_versions_and_is_json(tmp_path: Path) -> None:
    facts = json.loads(json.dumps(environment(tmp_path)))
    assert facts["evalharness"] == __version__
    assert int(facts["packages"]["pillow"].split(".")[0]) >= 11
    assert set(facts["packages"]) == {"torch", "diffusers", "transformers", "peft", "pillow", "numpy", "animeface"}
    assert datetime.fromisoformat(facts["date"]).utcoffset() == timedelta(0)


def test_package_that_is_not_installed_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("evalharness.environment.PACKAGES", ("no-such-package",))
    assert environment(tmp_path)["packages"] == {"no-such-package": None}


def test_folder_outside_any_repository_has_no_git_state(tmp_path: Path) -> None:
    assert git_state(tmp_path) == (None, None)


def test_git_that_is_missing_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) == (None, None)


def test_changed_file_makes_the_repository_dirty(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    git(tmp_path, "init")
    git(tmp_path, "add", "a.txt")
    git(tmp_path, "commit", "-m", "one")
    commit, dirty = git_state(tmp_path)
    assert commit is not None and len(commit) == 40
    assert dirty is False
    (tmp_path / "a.txt").write_text("two")
    assert git_state(tmp_path) == (commit, True)


def test_nothing_heavy_is_imported_to_know_the_versions() -> None:
    code = "import sys; from evalharness.environment import environment; environment(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
