"""What a shell proposes for the word that is being typed; only file names are looked at, which is quick."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

KEYS = ("backend.batch_size", "backend.device", "backend.dtype", "backend.model", "folder", "subjects")
"""Overrides that runs are often given, beside the groups."""


def completed_by(action: argparse.Action, completer: Callable[..., Iterable[str]]) -> None:
    """Let a shell ask this function about the action; argcomplete looks for an attribute of this name."""
    action.completer = completer  # type: ignore[attr-defined]


def overrides(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Keys, and after `suite=`, `backend=`, `perception=` the names that can stand there."""
    from evalharness.config import GROUPS, choices

    group, equals, _rest = prefix.partition("=")
    if not equals:
        return [f"{key}=" for key in (*GROUPS, *KEYS)]
    if group == "folder":
        return [f"folder={run}" for run in runs(prefix.removeprefix("folder="), parsed_args)]
    if group not in GROUPS:
        return []
    return [f"{group}={name}" for name in sorted(choices(group, _folder(parsed_args)))]


def runs(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """Folders that hold a run: those in ./runs, and those in the folder that is being typed."""
    typed = Path(prefix) if prefix.endswith("/") else Path(prefix).parent
    folders = dict.fromkeys(path for place in (Path("runs"), typed) for path in sorted(place.expanduser().glob("*/")))
    found = [str(folder) for folder in folders if (folder / "run.json").is_file()]
    # a folder on the way to runs is worth typing, too
    return found or [f"{folder}/" for folder in folders]


def _folder(parsed_args: argparse.Namespace) -> Path | None:
    folder = getattr(parsed_args, "config_dir", None)
    return folder if isinstance(folder, Path) and folder.is_dir() else None
