"""Observations for the images that have none yet; perceived once per perceiver, then kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evalharness.backends.folder import read_reference, reference_files
from evalharness.digest import digest, file_digest
from evalharness.perception.base import Perceiver
from evalharness.reference_images import remember
from evalharness.store import Store
from evalharness.types import Cell, Observation, Progress, Reference

BATCH = 8


def observe(cells: Sequence[Cell], perceiver: Perceiver, store: Store, progress: Progress) -> dict[str, Observation]:
    """What perception sees in every stored image of the cells, by key; looks only at what it has not seen before."""
    name = digest(perceiver.fingerprint())
    images = store.images(cells)
    made = {cell.key: cell for cell in cells if isinstance(images[cell.key], str)}
    seen = store.observations(made, name)
    unseen = [cell for key, cell in made.items() if key not in seen]
    with progress("observations", len(unseen)) as advance:
        for start in range(0, len(unseen), BATCH):
            batch = unseen[start : start + BATCH]
            found = perceiver.observe([store.load_image(cell) for cell in batch])
            new = {cell.key: observation for cell, observation in zip(batch, found, strict=True)}
            store.save_observations(name, new)
            seen |= new
            advance(len(batch))
    return seen


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
