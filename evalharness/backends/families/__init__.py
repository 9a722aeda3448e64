"""The model families that the diffusers maker knows: a table of them, so that no other file branches on one."""

from collections.abc import Iterable

from evalharness.backends.families.anima import ANIMA
from evalharness.backends.families.base import Embeddings, Family, Tensors
from evalharness.backends.families.flux2 import FLUX2, FLUX2_KLEIN
from evalharness.backends.families.qwenimage import QWENIMAGE
from evalharness.backends.families.stable_diffusion import SD, SDXL
from evalharness.backends.families.wan import WAN
from evalharness.backends.families.zimage import ZIMAGE
from evalharness.errors import BackendError, unknown

__all__ = ["FAMILIES", "Embeddings", "Family", "Tensors", "of_keys", "of_pipeline"]

FAMILIES: tuple[Family, ...] = (SD, SDXL, ANIMA, FLUX2, FLUX2_KLEIN, ZIMAGE, QWENIMAGE, WAN)


def of_pipeline(name: str) -> Family:
    """The family of a pipeline class, as model_index.json names it; raises BackendError for one we do not know."""
    table = {family.pipeline: family for family in FAMILIES}
    if name not in table:
        raise BackendError(unknown("pipeline", name, table))
    return table[name]


def of_keys(keys: Iterable[str], source: str) -> Family:
    """The family of a single-file checkpoint, by the names of its tensors; raises BackendError where none fits."""
    names = tuple(keys)
    checkpoints = [family for family in FAMILIES if family.marker]
    for family in checkpoints:
        if any(name.startswith(family.marker) for name in names):
            return family
    known = ", ".join(family.pipeline for family in checkpoints)
    example = f" (its first tensor is '{names[0]}')" if names else ""
    raise BackendError(
        f"{source} is no full checkpoint of a known family{example}; give a {known} checkpoint, or for a file that "
        "holds another family's transformer its pipeline folder with backend.options.config=FOLDER."
    )
