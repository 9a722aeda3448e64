"""Draw a look: anime busts whose every fact is known."""

from evalharness.demo.drawing.compose import Drawing, draw
from evalharness.demo.drawing.sample import sample_disharmonious_look, sample_fault_look, sample_look
from evalharness.demo.drawing.truth import Parts, Truth

__all__ = ["Drawing", "Parts", "Truth", "draw", "sample_disharmonious_look", "sample_fault_look", "sample_look"]
