"""Where a model's files are in the Hugging Face cache, and whether they are the bytes that were pinned; never loads."""

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from evalharness.codec import DecodeError, decode, encode_readably
from evalharness.digest import file_digest
from evalharness.errors import PerceptionError
from evalharness.models.table import Model
from evalharness.paths import resolve

LOCK = "evalharness-models.lock.json"


def hub_cache() -> Path:
    """The Hugging Face cache, as HF_HUB_CACHE or HF_HOME says."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def lock_file() -> Path:
    """The digests that were found at the first fetch: beside the cache whose files they are, for all projects."""
    return hub_cache().parent / LOCK


def own_folder(model: Model) -> Path | None:
    """Where the files of a model are that does not come from the hub: its folder, or beside the cache."""
    if model.folder is not None:
        return resolve(model.folder)
    return None if model.url is None else hub_cache().parent / "evalharness-models" / model.name


def located(model: Model) -> dict[str, Path | None]:
    """The model's files in the cache, None for what is not there; works without a network."""
    if folder := own_folder(model):
        return {name: folder / name if (folder / name).is_file() else None for name in model.files}
    from huggingface_hub import try_to_load_from_cache

    found = {
        name: try_to_load_from_cache(model.repository, name, cache_dir=hub_cache(), revision=model.revision)
        for name in model.files
    }
    return {name: Path(path) if isinstance(path, str) else None for name, path in found.items()}


def pinned(model: Model) -> dict[str, str | None]:
    """The SHA-256 that each file must have: the table's, else the one recorded at its first fetch, else None."""
    recorded = _recorded() if any(file.sha256 is None for file in model.files.values()) else {}
    return {name: file.sha256 or recorded.get(_key(model, name)) for name, file in model.files.items()}


def digests(model: Model) -> tuple[str, ...]:
    """What the model's files must be, without reading them; raises PerceptionError where nobody knows yet."""
    found = tuple(pinned(model).values())
    if None in found:
        raise PerceptionError(f"no digest of model {model.name} is known yet; fetch it: {fetch_command(model)}")
    return tuple(digest for digest in found if digest)


def checked(model: Model) -> tuple[Path, ...]:
    """The model's files in the table's order; raises PerceptionError for what is missing or is not what was pinned."""
    if missing := [name for name, path in located(model).items() if path is None]:
        raise PerceptionError(absent(model, missing))
    return tuple(checked_file(model, name) for name in model.files)


def present(model: Model) -> None:
    """Raise PerceptionError for a model whose files are not all here, or are not pinned yet; reads none of them."""
    if missing := [name for name, path in located(model).items() if path is None]:
        raise PerceptionError(absent(model, missing))
    digests(model)


def checked_file(model: Model, name: str) -> Path:
    """One of the model's files, as `checked`; the others may be missing."""
    path, wanted = located(model)[name], pinned(model)[name]
    if path is None:
        raise PerceptionError(absent(model, [name]))
    if wanted is None:
        digests(model)
    if (found := digest_of(path)) != wanted:
        raise PerceptionError(changed(model, name, found, wanted))
    return path


def absent(model: Model, missing: Sequence[str]) -> str:
    """The sentence about files that are not in the cache."""
    if model.folder is not None:
        return f"model {model.name} is not in {resolve(model.folder)} ({', '.join(missing)}); put it there"
    return (
        f"model {model.name} is not in {own_folder(model) or 'the Hugging Face cache'} "
        f"({', '.join(missing)} of {model.repository}); "
        f"fetch it: {fetch_command(model)}"
    )


def changed(model: Model, name: str, found: str, wanted: str | None) -> str:
    """The sentence about a file that is not what was pinned."""
    return (
        f"{name} of model {model.name} is not the file that was pinned: its SHA-256 is {found[:12]}..., "
        f"not {str(wanted)[:12]}...; remove it from {own_folder(model) or 'the Hugging Face cache'} "
        f"and fetch it: {fetch_command(model)}"
    )


def fetch_command(model: Model) -> str:
    """What brings a model here."""
    return f"evalharness models fetch {model.name}"


def digest_of(path: Path) -> str:
    """SHA-256 of a file, computed once a process as long as the file does not change."""
    facts = path.stat()
    return _digest(path, facts.st_size, facts.st_mtime_ns)


@lru_cache
def _digest(path: Path, _size: int, _changed: int) -> str:
    return file_digest(path)


def record(model: Model, found: Mapping[str, str]) -> None:
    """Keep the digests of files for which the table has none."""
    new = {_key(model, name): digest for name, digest in found.items() if model.files[name].sha256 is None}
    if not new:
        return
    path = lock_file()
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(encode_readably(_recorded() | new) + b"\n")
        beside.replace(path)
    except OSError as error:
        raise PerceptionError(f"the digests of model {model.name} cannot be kept in {path}: {error}.") from None


def _key(model: Model, name: str) -> str:
    return f"{model.repository}@{model.revision}/{name}"


def _recorded() -> dict[str, str]:
    path = lock_file()
    if not path.exists():
        return {}
    try:
        return decode(path.read_bytes(), dict[str, str])
    except (OSError, DecodeError) as error:
        raise PerceptionError(f"{path} does not hold digests of models: {error}; repair or remove it.") from None
