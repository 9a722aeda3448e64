"""`evalharness doctor`: is all there that a suite needs? Each part is one file; every answer is a Line."""

from evalharness.doctor.examine import examine
from evalharness.doctor.line import Line, State

__all__ = ["Line", "State", "examine"]
