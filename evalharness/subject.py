"""LoRA files as subjects: read without running anything, checked to be whole, named, and dated by their epoch."""

import json
import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from evalharness.digest import file_digest
from evalharness.errors import SubjectError
from evalharness.moment import find_epoch, find_step, save_name
from evalharness.paths import expand, resolve
from evalharness.types import BASELINE, LoraFile, Subject

PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl")
HEADER_LIMIT = 100_000_000
"""Bytes; the safetensors format's own limit of its header."""

ALIAS = re.compile(r"(?P<name>[\w .+-]+)=(?P<pattern>.+)")


def read_subjects(patterns: Sequence[str]) -> tuple[Subject, ...]:
    """One subject per file of the paths and patterns, in their order; `name=path` gives a name of one's own.

    Only headers are parsed; the identity is the SHA-256 of the file. Raises InputError where nothing matches, and
    SubjectError for pickles, damaged files, and the same weights given twice.
    """
    named: dict[Path, str | None] = {}
    for pattern in patterns:
        alias, path = _split(pattern)
        files = expand((path,))
        if alias is not None and len(files) > 1:
            raise SubjectError(f"'{pattern}' names {len(files)} files '{alias}'; a name belongs to one file.")
        for file in files:
            named[file] = alias or named.get(file)
    loras = [read_lora(path) for path in named]
    _refuse_twins(loras)
    names = _names(loras, list(named.values()))
    return tuple(subject_of(name, lora, lora.path) for name, lora in zip(names, loras, strict=True))


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


def _refuse_twins(loras: Sequence[LoraFile]) -> None:
    seen: dict[str, Path] = {}
    for lora in loras:
        twin = seen.setdefault(lora.digest, lora.path)
        if twin != lora.path:
            raise SubjectError(f"'{twin}' and '{lora.path}' hold the same weights; give each subject once.")


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
