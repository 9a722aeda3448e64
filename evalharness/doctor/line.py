"""One answer of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """`missing` is what the suite cannot do without; a warning is worth knowing."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was looked at, how it is, in words, and what to do about it ('' = nothing)."""

    topic: str
    state: State = State.OK
    says: str
    do: str = ""
