"""Whether two images differ: the last proof that a LoRA is applied."""

import numpy as np
from PIL.Image import Image


def differs(first: Image, second: Image) -> bool:
    """Whether two images differ in any pixel by more than one 8-bit step, which is what rounding alone can do."""
    if first.size != second.size:
        return True
    one, two = (np.asarray(image.convert("RGB"), dtype=np.int16) for image in (first, second))
    return bool(np.abs(one - two).max() > 1)
