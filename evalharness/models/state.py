"""What is known of a model on this machine, in a word."""

from enum import StrEnum

from evalharness.models.cache import digest_of, located, pinned
from evalharness.models.table import Model


class State(StrEnum):
    """Of a model's files; `here` was not compared with what was pinned, `verified` was."""

    ABSENT = "not here"
    PARTLY = "partly here"
    HERE = "here"
    VERIFIED = "verified"
    UNKNOWN = "no digest is known"
    CHANGED = "NOT AS PINNED"


def state_of(model: Model, *, verify: bool) -> State:
    """Where the files are, and with `verify` whether every byte is as pinned (reads them all)."""
    files = located(model)
    there = {name: path for name, path in files.items() if path is not None}
    if not there:
        return State.ABSENT
    if len(there) < len(files):
        return State.PARTLY
    if not verify:
        return State.HERE
    wanted = pinned(model)
    if any(wanted[name] not in (None, digest_of(path)) for name, path in there.items()):
        return State.CHANGED
    return State.UNKNOWN if None in wanted.values() else State.VERIFIED
