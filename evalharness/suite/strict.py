"""Strict reading of plain values: every mistake is one sentence with its place, and a misspelt key is an error."""

import dataclasses
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from evalharness.errors import SuiteError, unknown

T = TypeVar("T")


def convert(raw: object, kind: type[T], place: str) -> T:
    """A mapping as the dataclass `kind`; raises SuiteError for an unknown key or a value of the wrong type."""
    only_known(raw, [item.name for item in dataclasses.fields(kind)], place)  # type: ignore[arg-type]
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        rule, _, inner = str(error).partition(" - at `$")
        where = (place + _dotted(place, inner.rstrip("`"))).rstrip(":")
        raise SuiteError(f"{where}: {rule[0].lower()}{rule[1:]}.") from None


def _dotted(place: str, inner: str) -> str:
    return inner.replace(".", " ", 1) if place.endswith(":") else inner


def only_known(raw: object, known: Collection[str], place: str) -> Mapping[str, Any]:
    """The mapping itself, if all its keys are known; raises SuiteError that names the nearest one otherwise."""
    if not isinstance(raw, Mapping):
        raise SuiteError(f"{place.rstrip(':')} must be a mapping, not {raw!r}.")
    for key in raw:
        if key not in known:
            raise SuiteError(f"{place.rstrip(':')} has an {unknown('key', str(key), known)}")
    return raw


def one_of(word: object, known: Collection[str], kind: str, place: str) -> None:
    """Refuse a word that is not among the known ones; what is no text is left to the check of types."""
    if isinstance(word, str) and word not in known:
        raise SuiteError(f"{place}: {unknown(kind, word, known)}")


def unique(values: Iterable[Hashable], place: str) -> None:
    """Refuse a value that is given twice."""
    seen = set()
    for value in values:
        if value in seen:
            raise SuiteError(f"{place} holds {value} twice; each is measured once.")
        seen.add(value)


def listed(value: object) -> list[Any]:
    """A list as it is, anything else as a list of one: how one value or an axis of values is written."""
    return list(value) if isinstance(value, list | tuple) else [value]
