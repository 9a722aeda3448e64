"""The free options of a maker, checked: a misspelt one is refused, never ignored."""

from collections.abc import Mapping, Sequence

from evalharness.errors import BackendError, unknown


def checked_options(given: Mapping[str, object], known: Mapping[str, object]) -> dict[str, object]:
    """The defaults `known`, overridden by `given`; raises BackendError for a name that is not known."""
    for name in given:
        if name not in known:
            raise BackendError(unknown("backend option", name, known))
    return {**known, **given}


def flag(options: Mapping[str, object], name: str) -> bool:
    """An option that is true or false; raises BackendError for anything else."""
    value = options[name]
    if not isinstance(value, bool):
        raise BackendError(f"backend.options.{name} is {value!r}; it must be true or false.")
    return value


def words(options: Mapping[str, object], name: str) -> tuple[str, ...]:
    """An option that is a list of words; raises BackendError for anything else."""
    value = options[name]
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(word, str) for word in value):
        raise BackendError(f"backend.options.{name} is {value!r}; it must be a list of words.")
    return tuple(value)


def number(options: Mapping[str, object], name: str) -> float:
    """An option that is a number of at least 0; raises BackendError for anything else."""
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise BackendError(f"backend.options.{name} is {value!r}; it must be a number of at least 0.")
    return float(value)
