"""Bringing a model into the Hugging Face cache: its pinned revision, with progress, and only the bytes it must be."""

from pathlib import Path

from evalharness.errors import PerceptionError
from evalharness.models.cache import changed, digest_of, hub_cache, pinned, record
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
