"""Facts about the machine and the code, for the record of a run; nothing heavy is imported to know them."""

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evalharness import __version__

PACKAGES = ("torch", "diffusers", "transformers", "peft", "pillow", "numpy", "animeface")
GIT_SECONDS = 10


def environment(folder: Path | None = None) -> Mapping[str, str | int | bool | dict[str, str | None] | None]:
    """Versions (None = not installed), platform, processors, UTC time, and the git state of `folder`.

    `git_commit` and `git_dirty` are None outside a repository or without git; `folder` is the current one if None.
    """
    commit, dirty = git_state(folder or Path.cwd())
    return {
        "evalharness": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": {name: installed_version(name) for name in PACKAGES},
        "git_commit": commit,
        "git_dirty": dirty,
        "date": now(),
    }


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """The commit checked out around a folder and whether anything tracked differs from it; None where unknown."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no") if commit else None
    return commit, None if changes is None else changes != ""


def _git(folder: Path, *arguments: str) -> str | None:
    # without the lock, watching a repository never disturbs a commit that runs beside us
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@cache
def installed_version(package: str) -> str | None:
    """A package's version, None where it is not installed; read once a process, which takes 10 ms."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
