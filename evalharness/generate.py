"""Images for the cells that have none: batch by batch, proven to differ from the base, stored as they come."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from PIL import Image

from evalharness.backends.base import Maker
from evalharness.backends.lora.differ import differs
from evalharness.errors import SubjectError
from evalharness.store import Store
from evalharness.types import Cell, Failure, Subject

Made = Sequence[tuple[Cell, Image.Image | Failure]]


def generate(
    batches: Iterable[tuple[Subject, Sequence[Cell]]],
    baseline: Mapping[str, Cell],
    maker: Maker,
    store: Store,
) -> Iterator[Sequence[Cell]]:
    """Make and store every batch, and give its cells; `baseline` maps a pair_key to its no-LoRA cell.

    Raises SubjectError, before anything of that batch is stored, for a LoRA whose images equal the base's.
    """
    facts = maker.fingerprint()
    proven: set[str] = set()
    for subject, cells in batches:
        made = list(zip(cells, maker.generate(subject, cells), strict=True))
        if subject.loras and subject.identity not in proven and changes_pixels(made, baseline, store):
            proven.add(subject.identity)
        elif subject.loras and subject.identity not in proven:
            raise not_applied(subject, cells[0].strength)
        store.save_images(made, facts)
        yield cells


def changes_pixels(made: Made, baseline: Mapping[str, Cell], store: Store) -> bool:
    """Whether any image differs from the base's by more than rounding; True where none can be compared."""
    pairs = [(image, baseline[cell.pair_key]) for cell, image in made if cell.pair_key in baseline]
    stored = store.images(cell for _, cell in pairs)
    comparable = [
        (image, cell) for image, cell in pairs if not isinstance(image, Failure) and isinstance(stored[cell.key], str)
    ]
    return not comparable or any(differs(image, store.load_image(cell)) for image, cell in comparable)


def not_applied(subject: Subject, strength: float) -> SubjectError:
    """What is said of a LoRA that makes the base's images."""
    return SubjectError(
        f"'{subject.name}' changes no pixel of the base's images at strength {strength:g}, "
        "so it is not applied; was it trained for this base model?"
    )
