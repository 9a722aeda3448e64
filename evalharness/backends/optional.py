"""What an image maker may have beyond the protocol, and need not.

`draws_clips`, where it is true, says that settings may have several `frames`; each image then holds its clip as an
animated WebP in `info[CLIP]` of evalharness.embedded. `expect(cells)` is told what is to come before it is drawn.
"""

from collections.abc import Iterable, Sequence

from evalharness.backends.base import Maker
from evalharness.errors import BackendError
from evalharness.types import Cell, Setting


def require_clips(maker: Maker, settings: Iterable[Setting]) -> None:
    """Raise BackendError for settings with clips that the maker does not draw."""
    longest = max((setting.frames for setting in settings), default=1)
    if longest > 1 and not getattr(maker, "draws_clips", False):
        name = maker.fingerprint().get("maker", "this maker")
        raise BackendError(f"{name} draws no clips, and the suite's settings.frames is {longest}; set it to 1.")


def expect(maker: Maker, cells: Sequence[Cell]) -> None:
    """Tell a maker that wants to know it which cells are to come."""
    if hasattr(maker, "expect"):
        maker.expect(cells)
