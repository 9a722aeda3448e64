"""Our types as JSON and back: canonical (sorted keys), strict about fields' types, with paths as text."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
DecodeError = msgspec.DecodeError


def encode(value: object) -> bytes:
    """A value as canonical JSON; raises TypeError for what JSON cannot hold."""
    return msgspec.json.encode(value, order="deterministic", enc_hook=_to_text)


def encode_readably(value: object) -> bytes:
    """As `encode`, a field a line, for files that people open."""
    return msgspec.json.format(encode(value), indent=1)


def decode(body: bytes | str, kind: type[T]) -> T:
    """JSON as a value of this type; raises DecodeError, which names the field, where it is not one."""
    return msgspec.json.decode(body, type=kind, dec_hook=_from_text)


def _to_text(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON.")


def _from_text(kind: type[Any], value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"{kind.__name__} cannot be read from JSON.")
