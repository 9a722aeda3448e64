"""What a suite needs beside the machine: names that are known, the model, LoRA files, references."""

import re
from collections.abc import Iterator
from typing import Any

from evalharness.backends.base import Maker
from evalharness.backends.folder import read_image
from evalharness.config import RunConfig
from evalharness.doctor.line import Line, State
from evalharness.errors import HarnessError
from evalharness.paths import IMAGE_SUFFIXES, resolve
from evalharness.perception.base import Perceiver
from evalharness.registry import find, table
from evalharness.subject import read_subjects
from evalharness.suite import Suite
from evalharness.types import Failure

FETCH = re.compile(r"hf download .+")
KINDS = {"scorer": "scorers", "backend": "makers", "perception": "perceivers"}


def names_lines() -> Iterator[Line]:
    """Scorers, makers and perceivers, ours and installed ones; each that cannot be imported has a line of its own."""
    for kind, words in KINDS.items():
        try:
            names = sorted(table(kind))
        except HarnessError as error:
            yield Line(topic=words, state=State.MISSING, says=str(error), do="uninstall one of the two packages")
            continue
        problems = [line for name in names if (line := _unusable(kind, name)) is not None]
        yield from problems
        yield Line(topic=words, says=f"{len(names) - len(problems)} known: {', '.join(names)}")


def _unusable(kind: str, name: str) -> Line | None:
    try:
        find(kind, name)
    except Exception as error:  # another package's code may raise anything when it is imported
        says = f"{name} cannot be imported ({type(error).__name__}: {error})"
        return Line(topic=KINDS[kind], state=State.WARNING, says=says, do="repair or uninstall the package it is from")
    return None


def maker_of(config: RunConfig) -> tuple[Maker | None, Line | None]:
    """The maker that the configuration names, or why there is none; constructing one loads nothing."""
    return _constructed("backend", config.backend.name, config.backend.arguments)


def perceiver_of(config: RunConfig) -> tuple[Perceiver | None, Line | None]:
    """The perceiver that the configuration names, or why there is none."""
    return _constructed("perception", config.perception.name, dict(config.perception.options))


def _constructed(kind: str, name: str, arguments: dict[str, Any]) -> tuple[Any, Line | None]:
    try:
        return find(kind, name)(**arguments), None
    except (HarnessError, TypeError) as error:
        return None, Line(topic=kind, state=State.MISSING, says=str(error), do=f"repair {kind}.* in the configuration")


def model_line(config: RunConfig, maker: Maker) -> tuple[Line, int]:
    """Whether the maker's model is there and its files begin as they should, and their size in bytes."""
    try:
        look = getattr(maker, "files", None)
        files = look() if look else ()
        width, height = maker.native_size()
    except HarnessError as error:
        command = FETCH.search(str(error))
        do = command.group() if command else "give backend.model=PATH of a model that is there"
        return Line(topic="model", state=State.MISSING, says=str(error), do=do), 0
    size = sum(path.stat().st_size for path in files if path.suffix not in (".json", ".txt", ".model"))
    if not files:
        return Line(topic="model", says=f"maker {config.backend.name} needs no files"), 0
    cached = ", in the Hugging Face cache" if any("models--" in part for part in files[0].parts) else ""
    says = f"{config.backend.model}{cached}: {len(files)} files, {size / 1e9:.2f} GB, for {width} x {height} pixels"
    return Line(topic="model", says=says), size


def subjects_line(config: RunConfig) -> tuple[Line, int]:
    """Whether every LoRA file is there and whole, and how many there are."""
    if not config.subjects:
        return Line(topic="subjects", says="none: the model without LoRA alone"), 0
    try:
        found = read_subjects(config.subjects)
    except HarnessError as error:
        line = Line(topic="subjects", state=State.MISSING, says=str(error), do="give subjects='[/loras/*.safetensors]'")
        return line, 0
    epochs = sum(subject.epoch is not None for subject in found)
    names = found[0].name if len(found) == 1 else f"{found[0].name} to {found[-1].name}"
    return Line(topic="subjects", says=f"{len(found)} whole: {names}; of {epochs} the epoch is known"), len(found)


def references_line(suite: Suite) -> Line:
    """Whether the folder of the character's images is there and each of them can be read."""
    if suite.references is None:
        return Line(topic="references", says="none asked for; what is measured against them stays unscored")
    folder = resolve(suite.references)
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    read = [read_image(path) for path in files]
    broken = [image.reason for image in read if isinstance(image, Failure)]
    if not files:
        says = f"{folder} holds no image" if folder.is_dir() else f"{folder} is not a folder"
        do = "give suite.references=FOLDER with PNG, JPEG or WebP files"
        return Line(topic="references", state=State.MISSING, says=says, do=do)
    if broken:
        return Line(topic="references", state=State.MISSING, says=broken[0], do="remove or replace the file")
    return Line(topic="references", says=f"{len(files)} images in {folder}")
