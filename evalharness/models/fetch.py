"""Bringing a model into the Hugging Face cache: its pinned revision, with progress, and only the bytes it must be."""

import os
import urllib.request
from pathlib import Path

from evalharness.errors import PerceptionError
from evalharness.models.cache import absent, changed, digest_of, hub_cache, located, own_folder, pinned, record
from evalharness.models.table import Model


def fetch(model: Model) -> tuple[Path, ...]:
    """Download what the cache lacks, and check all of it; digests that nobody knew are recorded.

    Raises PerceptionError without a network (or with HF_HUB_OFFLINE) and for bytes that are not those that were pinned.
    """
    paths = {name: _download(model, name) for name in model.files}
    wanted = pinned(model)
    found = {name: digest_of(path) for name, path in paths.items()}
    for name, digest in found.items():
        if wanted[name] not in (None, digest):
            raise PerceptionError(changed(model, name, digest, wanted[name]))
    record(model, found)
    return tuple(paths.values())


def _download(model: Model, name: str) -> Path:
    if folder := own_folder(model):
        return located(model)[name] or _from_url(model, name, folder / name)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(model.repository, name, revision=model.revision, cache_dir=hub_cache()))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        from huggingface_hub import constants

        if constants.HF_HUB_OFFLINE:
            why = "HF_HUB_OFFLINE is set; unset it, or copy the cache of a machine that has the file"
        else:
            why = str(error).strip().partition("\n")[0].rstrip(".")
        raise PerceptionError(f"{name} of {model.repository} cannot be fetched: {why}.") from None


def _from_url(model: Model, name: str, to: Path) -> Path:
    """A file that no hub has, written under a temporary name until it is whole."""
    if model.url is None:
        raise PerceptionError(absent(model, [name]))
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise PerceptionError(f"{name} of {model.url} cannot be fetched: HF_HUB_OFFLINE is set; put the file at {to}.")
    part = to.with_name(f"{name}.{os.getpid()}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(f"{model.url}/{name}", timeout=60) as answer:
            part.write_bytes(answer.read())
    except OSError as error:
        raise PerceptionError(f"{name} of {model.url} cannot be fetched: {error}; put the file at {to}.") from None
    part.replace(to)
    return to
