"""The machine: versions, device, memory, disk, and whether the run's folder can be written."""

import platform
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil
from packaging.requirements import Requirement

from evalharness import __version__
from evalharness.backends.base import Maker
from evalharness.backends.devices import device
from evalharness.config import RunConfig
from evalharness.doctor.line import Line, State
from evalharness.errors import HarnessError
from evalharness.suite import Suite

GIGA = 1e9


def python_line() -> Line:
    """Versions of evalharness and Python."""
    return Line(topic="evalharness", says=f"{__version__}, Python {platform.python_version()}, {platform.platform()}")


def version_lines() -> Iterator[Line]:
    """The packages that evalharness needs: one line for all that fit, and one for each that does not."""
    try:
        needed = [Requirement(text) for text in requires("evalharness") or ()]
    except PackageNotFoundError:
        yield Line(topic="packages", state=State.WARNING, says="evalharness is not installed", do="pip install -e .")
        return
    fitting = []
    for one in needed:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        have = _version(one.name)
        if have is None or not one.specifier.contains(have, prereleases=True):
            says = f"{one.name} {have or 'is not installed'}; {one.specifier} is needed"
            yield Line(topic="packages", state=State.MISSING, says=says, do=f"pip install '{one.name}{one.specifier}'")
        else:
            fitting.append(f"{one.name} {have}")
    yield Line(topic="packages", says=", ".join(fitting))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def device_line(config: RunConfig) -> Line:
    """The device that `backend.device` means here."""
    try:
        found = device(config.backend.device or "auto")
    except HarnessError as error:
        return Line(topic="device", state=State.MISSING, says=str(error), do="choose backend.device=auto")
    return Line(topic="device", says=found.name if found.kind == "cpu" else f"{found.kind}: {found.name}")


def memory_line(config: RunConfig, model_bytes: int) -> Line:
    """Free memory of the processor and the device; a warning where the model's files are larger."""
    main = psutil.virtual_memory()
    says, least = f"{_gigabytes(main.available)} of {_gigabytes(main.total)} free", main.available
    try:
        found = device(config.backend.device or "auto")
    except HarnessError:
        return Line(topic="memory", says=says)
    if found.free is not None and found.total is not None:
        says += f"; on the device {_gigabytes(found.free)} of {_gigabytes(found.total)}"
        least = min(least, found.free)
    if model_bytes <= least:
        return Line(topic="memory", says=says)
    says += f"; the model's files have {_gigabytes(model_bytes)}"
    return Line(
        topic="memory", state=State.WARNING, says=says, do="close other programs, or take backend.dtype=float16"
    )


def write_line(folder: Path) -> Line:
    """Whether the run's folder can be written, tried in the nearest folder that is there; nothing stays."""
    place = existing(folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            return Line(topic="run folder", says=f"{folder} can be written")
    except OSError as error:
        says = f"{place} cannot be written ({error.strerror})"
        return Line(topic="run folder", state=State.MISSING, says=says, do="choose another with folder=PATH")


def disk_line(folder: Path, suite: Suite, subjects: int, maker: Maker | None) -> Line:
    """Free disk beside what the images take at most, which is three bytes a pixel."""
    free = shutil.disk_usage(existing(folder)).free
    needed = _pixels(suite, subjects, maker) * 3
    says = f"{_gigabytes(free)} free; the images take {_gigabytes(needed)} at most"
    if needed < free:
        return Line(topic="disk", says=says)
    return Line(topic="disk", state=State.WARNING, says=says, do="make room, or choose another disk with folder=PATH")


def _pixels(suite: Suite, subjects: int, maker: Maker | None) -> int:
    """Of all images of the plan."""
    try:
        native = maker.native_size() if maker else (0, 0)
    except HarnessError:
        native = (0, 0)
    settings = {setting for template in suite.settings for setting in template.settings(native)}
    area = sum(setting.width * setting.height for setting in settings)
    return area * len(suite.prompts) * len(suite.seeds) * (1 + subjects * len(suite.strengths))


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    place = folder.expanduser().absolute()
    return next(path for path in (place, *place.parents) if path.is_dir())


def _gigabytes(size: float) -> str:
    return f"{size / GIGA:.1f} GB"
