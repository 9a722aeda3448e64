"""When others compute is asked of nvidia-smi, or of the load where there is none."""

import os
import time
from pathlib import Path

import pytest

from evalharness import courtesy
from evalharness.courtesy import Courtesy, gpu_utilisation, is_idle
from evalharness.errors import InputError


def smi(folder: Path, monkeypatch: pytest.MonkeyPatch, *figures: str, code: int = 0) -> None:
    """A program of that name which prints a line for each GPU."""
    lines = "".join(f"echo '{index}, GPU-{'ab'[index]}123, {figure}'\n" for index, figure in enumerate(figures))
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{lines}exit {code}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.parametrize(
    ("figures", "visible", "busiest"),
    [
        (("3", "97"), "", 97.0),
        (("3", "97"), "0", 3.0),
        (("3", "97"), "GPU-b1", 97.0),
        (("[N/A]", "5"), "", 5.0),
        (("[N/A]",), "", None),
    ],
)
def test_busiest_visible_gpu_counts(
    figures: tuple[str, ...], visible: str, busiest: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi(tmp_path, monkeypatch, *figures)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_utilisation() == busiest


def test_failing_nvidia_smi_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(tmp_path, monkeypatch, "3", code=9)
    assert gpu_utilisation() is None


@pytest.mark.parametrize(("load", "idle"), [(0.1, True), (0.9, False)])
def test_without_a_gpu_the_load_per_core_counts(load: float, idle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courtesy, "gpu_utilisation", lambda: None)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "getloadavg", lambda: (load * 4, 0.0, 0.0))
    assert is_idle() is idle


def test_turn_comes_after_three_idle_looks_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([False, True, True, False, True, True, True])
    said: list[str] = []
    monkeypatch.setattr(courtesy, "is_idle", lambda: next(looks))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with Courtesy(when_idle=True, poll=1.0).turn(said.append):
        assert next(looks, "used up") == "used up"
    assert said == ["waiting until the machine is idle"]


def test_lock_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be used"), Courtesy(lock=tmp_path / "file" / "lock").turn(print):
        pass
