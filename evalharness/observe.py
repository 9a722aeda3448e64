"""Observations for the images that have none yet; perceived once per perceiver, then kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evalharness.backends.folder import read_reference, reference_files
from evalharness.digest import digest, file_digest
from evalharness.lookers import Lookers
from evalharness.perception.base import Perceiver, TextReader
from evalharness.reference_images import remember
from evalharness.scorers.prompt_text import plain
from evalharness.store import Store, StoredImage
from evalharness.types import Cell, Observation, Progress, Reference


def observe(cells: Sequence[Cell], lookers: Lookers, store: Store, progress: Progress) -> dict[str, Observation]:
    """What perception sees in every stored image of the cells, by key; looks only at what it has not seen before."""
    known = lookers.pending
    unseen = _images(store.unobserved(cells, lookers.name), store)
    lookers.give([image for image in unseen if image.key not in known])
    with progress("observations", len(unseen)) as advance:
        for seen in lookers.rest():
            store.save_observations(lookers.name, seen)
            advance(len(seen))
    return store.observations((image.key for image in _images(cells, store)), lookers.name)


def look_meanwhile(cells: Sequence[Cell], lookers: Lookers, store: Store) -> None:
    """Keep what was seen by now, and give images that were just made to the processes beside.

    What they have no room for is found by `observe` later: drawing never waits for perception.
    """
    for seen in lookers.finished():
        store.save_observations(lookers.name, seen)
    if not lookers.busy:
        lookers.give(_images(cells, store))


def _images(cells: Sequence[Cell], store: Store) -> list[StoredImage]:
    return [image for image in map(store.stored, cells) if image is not None]


def observe_references(folder: Path | None, perceiver: Perceiver, store: Store) -> Reference | None:
    """What perception sees in the reference images of a folder, in name order; None where no folder is given.

    Raises InputError for a folder without images and for an image that cannot be read.
    """
    if folder is None:
        remember(store, {}, {})
        return None
    files = reference_files(folder)
    name = digest(perceiver.fingerprint())
    keys = [f"reference:{file_digest(path)}" for path in files]
    seen = store.observations(keys, name)
    new = {
        key: perceiver.observe([read_reference(path)])[0]
        for key, path in zip(keys, files, strict=True)
        if key not in seen
    }
    store.save_observations(name, new)
    known: Mapping[str, Observation] = seen | new
    remember(store, dict(zip(keys, files, strict=True)), known)
    return Reference(names=tuple(path.name for path in files), observations=tuple(known[key] for key in keys))


def observe_prompts(cells: Sequence[Cell], perceiver: Perceiver, store: Store) -> dict[str, Observation]:
    """What perception reads in the cells' prompts, by their plain text; nothing where it reads no texts."""
    if not isinstance(perceiver, TextReader):
        return {}
    name = digest(perceiver.fingerprint())
    texts = {f"text:{digest(text)}": text for text in dict.fromkeys(plain(cell.prompt.text) for cell in cells)}
    seen = store.observations(texts, name)
    new = [key for key in texts if key not in seen]
    read = dict(zip(new, perceiver.observe_texts([texts[key] for key in new]), strict=True))
    store.save_observations(name, read)
    return {texts[key]: one for key, one in (seen | read).items()}
