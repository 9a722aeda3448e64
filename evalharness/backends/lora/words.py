"""How refusals speak of keys: counts and three examples."""

from collections.abc import Mapping, Sequence

_EXAMPLES = 3


def of(some: Sequence[str], every: Mapping[str, object]) -> str:
    """How many of how many keys."""
    return f"{len(some)} of {len(every)} keys"


def examples(keys: Sequence[str], why: Mapping[str, str] | None = None) -> str:
    """Three of the keys, with what is wrong with the first where that is known."""
    if not keys:
        return "(the file is empty)"
    shown = ", ".join(f"'{key}'" for key in keys[:_EXAMPLES])
    reason = (why or {}).get(keys[0])
    return f"(e.g. {shown}{', ...' if len(keys) > _EXAMPLES else ''}{f'; the first {reason}' if reason else ''})"
