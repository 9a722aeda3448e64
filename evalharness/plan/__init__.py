"""Which images a run consists of, in which order: to be made, or found in a folder."""

from evalharness.plan.cells import MakerFacts, Plan, make_plan
from evalharness.plan.existing import plan_existing
from evalharness.plan.files import ExistingFile, list_files
from evalharness.plan.grow import more, opening, settled

__all__ = [
    "ExistingFile",
    "MakerFacts",
    "Plan",
    "list_files",
    "make_plan",
    "more",
    "opening",
    "plan_existing",
    "settled",
]
