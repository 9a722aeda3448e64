"""LoRA files as subjects: read without running anything, checked to be whole, named, and dated by their epoch."""

import json
import math
import re
import struct
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from evalharness.digest import digest, file_digest
from evalharness.errors import SubjectError
from evalharness.moment import find_epoch, find_step, save_name
from evalharness.paths import expand, resolve
from evalharness.types import BASELINE, LoraFile, Stack, StackedLora, Subject

PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl")
HEADER_LIMIT = 100_000_000
"""Bytes; the safetensors format's own limit of its header."""

Drawn = tuple[tuple[Path, float, float], ...]
"""What tells asked-for subjects apart before they are read: paths and strengths."""

ALIAS = re.compile(r"(?P<name>[\w .+-]+)=(?P<pattern>.+)")


def read_subjects(asked: Sequence[str | Stack]) -> tuple[Subject, ...]:
    """One subject per file of the paths and patterns and one per stack, in order; `name=path` gives a name.

    Only headers are parsed; the identity is the SHA-256 of the file, or of the stack's files and strengths. Raises
    InputError where nothing matches, and SubjectError for pickles, damaged files, and the same weights given twice.
    """
    aliases: dict[Drawn, str | None] = {}
    subjects: dict[Drawn, Subject] = {}
    for one in asked:
        for files, alias in [(_stacked(one), one.name)] if isinstance(one, Stack) else _files(one):
            key = tuple((lora.path, lora.model, lora.clip) for lora in files)
            aliases[key] = alias or aliases.get(key)
            subjects[key] = _subject(files)
    _refuse_twins(list(subjects.values()))
    names = _names([subject.loras[0] for subject in subjects.values()], list(aliases.values()))
    return tuple(replace(subject, name=name) for name, subject in zip(names, subjects.values(), strict=True))


def _files(pattern: str) -> Iterator[tuple[tuple[LoraFile], str | None]]:
    """Each file of a path or pattern, with its name of one's own."""
    alias, path = _split(pattern)
    files = expand((path,))
    if alias is not None and len(files) > 1:
        raise SubjectError(f"'{pattern}' names {len(files)} files '{alias}'; a name belongs to one file.")
    yield from (((read_lora(file),), alias) for file in files)


def _stacked(stack: Stack) -> tuple[LoraFile, ...]:
    """The files of a stack with their strengths, in an order that does not depend on how it was written."""
    if not stack.loras:
        raise SubjectError(f"the stack '{stack.name}' has no files; give loras=[{{path: a.safetensors}}, ...].")
    return tuple(sorted((_layer(stack.name, one) for one in stack.loras), key=lambda lora: lora.digest))


def _layer(name: str, one: StackedLora) -> LoraFile:
    files = expand((one.path,))
    if len(files) > 1:
        raise SubjectError(f"'{one.path}' in the stack '{name}' is {len(files)} files; give each with its own path.")
    if not (math.isfinite(one.model) and math.isfinite(one.clip)):
        raise SubjectError(f"'{one.path}' in the stack '{name}' has no finite strength; give numbers such as 0.8.")
    return replace(read_lora(files[0]), model=float(one.model), clip=float(one.clip))


def _subject(files: tuple[LoraFile, ...]) -> Subject:
    """A file, or a stack, which has no epoch of its own."""
    single = subject_of("", files[0], files[0].path)
    if single.is_one_file and len(files) == 1:
        return single
    identity = digest([(lora.digest, lora.model, lora.clip) for lora in files])
    epoch, step = (single.epoch, single.step) if len(files) == 1 else (None, None)
    return Subject(name="", identity=identity, loras=files, epoch=epoch, step=step)


def subject_of(name: str, lora: LoraFile, saved: Path) -> Subject:
    """One file as a subject, dated by its metadata or by the name under which the trainer saved it."""
    epoch, step = (find(lora.metadata, save_name(saved)) for find in (find_epoch, find_step))
    return Subject(name=name, identity=lora.digest, loras=(lora,), epoch=epoch, step=step)


def read_lora(path: Path) -> LoraFile:
    """A whole safetensors file with its metadata; raises SubjectError for anything else."""
    if path.is_dir():
        raise SubjectError(f"'{path}' is a folder; give its files as '{path}/*.safetensors'.")
    if path.suffix.lower() in PICKLES:
        raise SubjectError(
            f"'{path}' is a pickle, which can run code when it is read, and no flag allows that for LoRAs; "
            "convert it to safetensors."
        )
    if path.suffix.lower() != ".safetensors":
        raise SubjectError(f"'{path}' is not a .safetensors file; a subject is a LoRA in safetensors.")
    metadata = _checked_header(path).get("__metadata__", {})
    if not isinstance(metadata, dict):
        raise SubjectError(f"'{path}' has metadata that is no mapping; it is damaged, save it again.")
    return LoraFile(
        path=path.resolve(), digest=file_digest(path), metadata={key: str(value) for key, value in metadata.items()}
    )


def _split(pattern: str) -> tuple[str | None, str]:
    """A name of one's own and the path; what exists as it is written is a path, even with an = in it."""
    found = ALIAS.fullmatch(pattern)
    if found is None or resolve(pattern).exists():
        return None, pattern
    return found["name"].strip(), found["pattern"]


def _refuse_twins(subjects: Sequence[Subject]) -> None:
    seen: dict[str, Path] = {}
    for subject in subjects:
        path = subject.loras[0].path
        twin = seen.setdefault(subject.identity, path)
        if twin != path:
            raise SubjectError(f"'{twin}' and '{path}' hold the same weights; give each subject once.")


def _names(loras: Sequence[LoraFile], aliases: Sequence[str | None]) -> list[str]:
    """The aliases and stems; where two are equal, with the folder, and if that is not enough, with the digest."""
    stems = [alias or lora.path.stem for lora, alias in zip(loras, aliases, strict=True)]
    with_folder = [
        alias or f"{lora.path.parent.name}/{lora.path.stem}" for lora, alias in zip(loras, aliases, strict=True)
    ]
    taken, longer = Counter([*stems, BASELINE]), Counter(with_folder)
    names = [
        stem if taken[stem] == 1 else long if longer[long] == 1 else f"{long} ({lora.digest[:8]})"
        for stem, long, lora in zip(stems, with_folder, loras, strict=True)
    ]
    if BASELINE in names:
        raise SubjectError(f"'{BASELINE}' is the name of the no-LoRA baseline; give the file another name.")
    return names


# The safetensors format: 8 bytes with the header's length, the header as JSON, the tensors' bytes without gaps


def _checked_header(path: Path) -> Mapping[str, object]:
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= HEADER_LIMIT:
            raise SubjectError(f"'{path}' ({size:,} bytes) does not begin like a safetensors file; it is damaged.")
        body = file.read(length)
    if len(body) < length:
        raise SubjectError(_truncated(path, size, f"its header alone has {8 + length:,}"))
    header = _header(path, body)
    promised = 8 + length + _end_of_tensors(path, header)
    if size < promised:
        raise SubjectError(_truncated(path, size, f"its header promises {promised:,}"))
    if size > promised:
        raise SubjectError(f"'{path}' has {size:,} bytes, its header promises {promised:,}; it is damaged.")
    return header


def _truncated(path: Path, size: int, promise: str) -> str:
    return f"'{path}' is truncated: it has {size:,} bytes and {promise}; copy or save it again."


def _header(path: Path, body: bytes) -> Mapping[str, object]:
    try:
        header = json.loads(body)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise SubjectError(f"'{path}' has a header that is no JSON object; it is damaged, save it again.")
    return header


def _end_of_tensors(path: Path, header: Mapping[str, object]) -> int:
    """Where the last tensor ends, in bytes after the header."""
    tensors = [value for key, value in header.items() if key != "__metadata__"]
    if not tensors:
        raise SubjectError(f"'{path}' holds no tensors; a subject is a LoRA with weights.")
    try:
        return max(int(tensor["data_offsets"][1]) for tensor in tensors)  # type: ignore[index]
    except (KeyError, IndexError, TypeError, ValueError):
        raise SubjectError(f"'{path}' has a tensor without data offsets; it is damaged, save it again.") from None
