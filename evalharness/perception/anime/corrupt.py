"""Is a generated drawing broken (limbs, hands, smeared parts)? By a classifier made for that."""

import numpy as np
from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.models.cache import checked
from evalharness.models.table import Model
from evalharness.perception.anime.picture import numbers_of
from evalharness.perception.anime.session import Runtime, answers
from evalharness.types import Finding


def find_corruption(image: Image.Image, model: Model, runtime: Runtime) -> Finding:
    """The finding `corrupted`, whose strength is the classifier's probability; absence counts, by its authors' word."""
    (network,) = checked(model)
    found = answers(network, runtime, numbers_of(image, model.input))
    if found.shape != (1, 2) or abs(float(found.sum()) - 1.0) > 0.01 or float(np.min(found)) < 0.0:
        raise PerceptionError(
            f"model {model.name} answers {found.shape} to one picture, not probabilities of corrupted and normal."
        )
    strength = round(float(found[0, 0]), 4)
    return Finding(name="corrupted", strength=strength, absence_counts=True, note=f"{strength:.2f} by {model.name}")
