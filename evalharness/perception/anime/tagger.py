"""Tags of a drawn picture by a WD tagger (v3): what is to be seen, in Danbooru's words, each with a probability."""

import numpy as np
from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.models.cache import checked
from evalharness.models.table import Model
from evalharness.models.vocabulary import GENERAL, read_tags
from evalharness.perception.anime.picture import numbers_of
from evalharness.perception.anime.session import Numbers, Runtime, answers

FLOOR = 0.01
"""Less likely tags are not stored: of ten thousand, some hundred remain."""


def tags_of(image: Image.Image, model: Model, runtime: Runtime) -> dict[str, float]:
    """The general tags of at least `FLOOR`, the likeliest first; names of characters and ratings are left out.

    Raises PerceptionError for missing files, and for a model whose output is no probability for each line of its table.
    """
    network, table = checked(model)
    tags = read_tags(table)
    found = answers(network, runtime, numbers_of(image, model.input))
    _check(model, found, len(tags))
    shown = {
        name: round(float(probability), 4)
        for (name, category), probability in zip(tags, found[0], strict=True)
        if category == GENERAL and probability >= FLOOR
    }
    return dict(sorted(shown.items(), key=lambda pair: -pair[1]))


def _check(model: Model, found: Numbers, count: int) -> None:
    if found.shape != (1, count):
        raise PerceptionError(
            f"model {model.name} answers {found.shape} to one picture, but its table has {count} tags; "
            "model.onnx and selected_tags.csv must be of one revision."
        )
    if not (np.min(found) >= 0.0 and np.max(found) <= 1.0):
        raise PerceptionError(
            f"model {model.name} answers {np.min(found):.2f} to {np.max(found):.2f}, not probabilities."
        )
