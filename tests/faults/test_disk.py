"""A disk that is full or may only be read: one sentence, exit code 2, and the same command goes on afterwards."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty import FINISHED, Command, one_sentence
from test_kill import outcome


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own; `mount -o remount,...` changes it."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place))
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"only root may mount a small disk, and what stands in for one is no disk ({error})")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("kilobytes", [24, 96, 160, 224, 288, 352])
def test_full_disk_is_one_sentence_and_the_run_goes_on_when_there_is_room(
    kilobytes: int, disk: Path, command: Command, tmp_path: Path
) -> None:
    mount("-o", f"remount,size={kilobytes}k", str(disk))
    code, errors = command(disk / "run")

    assert code == 2
    assert one_sentence(errors), errors
    assert "No space left on device" in errors or "full" in errors
    assert not list(disk.rglob("*.part")) and not list(disk.rglob("*.tmp"))
    kept = {path: path.stat().st_mtime_ns for path in disk.rglob("*.png")}

    mount("-o", "remount,size=16m", str(disk))
    assert command(disk / "run")[0] in FINISHED
    assert command(tmp_path / "unbroken")[0] in FINISHED
    assert outcome(disk / "run") == outcome(tmp_path / "unbroken")
    again = sum(path.stat().st_mtime_ns != before for path, before in kept.items())
    assert again <= 2, "only the batch in flight may be made again"


def test_disk_that_becomes_read_only_is_one_sentence(disk: Path, command: Command) -> None:
    assert command(disk / "run")[0] in FINISHED
    mount("-o", "remount,ro", str(disk))
    code, errors = command(disk / "run")

    assert code == 2
    assert one_sentence(errors), errors
    assert f"cannot use run folder '{disk / 'run'}'" in errors
    assert "choose another with folder=PATH" in errors


def test_folder_that_cannot_be_made_is_one_sentence(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    code, errors = command(tmp_path / "file" / "run")

    assert code == 2
    assert one_sentence(errors), errors
    assert "choose another with folder=PATH" in errors
