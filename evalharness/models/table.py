"""The table of models: table.toml, and one of the user's own beside it."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from evalharness.errors import ConfigError, unknown

TABLE = Path(__file__).with_name("table.toml")
OWN = "EVALHARNESS_MODELS"
"""The environment variable that names a table of the user's own, read by every process of a run."""
PLAUSIBLE = 0.35
"""Where a model's threshold is not known."""

Kind = Literal["tagger", "identity", "corruption", "faces", "heads", "eyes", "clip", "pictures", "landmarks", "judge"]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """How a picture becomes numbers; see the head of table.toml."""

    size: int
    fit: Literal["pad", "stretch", "longest", "crop"]
    resample: Literal["bicubic", "bilinear"]
    order: Literal["RGB", "BGR"]
    layout: Literal["NHWC", "NCHW"]
    divide: float
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    shortest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A file of a repository: its SHA-256 and size, None where they are not certain."""

    sha256: str | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model: where it comes from, which bytes it is, what goes in and what comes out.

    `files` are in the order in which its kind needs them: tagger: graph, tags; identity: features, metric; clip:
    config, weights, and its own vocabulary and questions where it has them; pictures: config, weights; judge: all that
    transformers reads, in any order. They come from `repository` of the Hugging Face hub, or from below `url`, or they
    are in `folder` already (`demo:` is the embedded demo's).
    """

    name: str
    kind: Kind
    about: str
    repository: str
    revision: str
    license: str
    output: str
    input: Input
    files: Mapping[str, ModelFile]
    threshold: float | None = None
    folder: str | None = None
    url: str | None = None
    default: bool = field(default=False)


def models() -> Mapping[str, Model]:
    """All models by name, ours and those of the user's own table; raises ConfigError for a table that is wrong."""
    own = os.environ.get(OWN)
    return _read(TABLE) | (_read(Path(own).expanduser()) if own else {})


def find_model(name: str, kind: Kind | None = None) -> Model:
    """The model of this name (and kind); raises ConfigError that names the nearest known one."""
    known = {key: model for key, model in models().items() if kind in (None, model.kind)}
    if name not in known:
        raise ConfigError(unknown("model" if kind is None else f"{kind} model", name, known))
    return known[name]


def threshold_of(name: str) -> float:
    """The threshold of a model's table entry; a plausible one for a model that is no longer in the table."""
    model = models().get(name)
    return PLAUSIBLE if model is None or model.threshold is None else model.threshold


@lru_cache
def _read(path: Path) -> dict[str, Model]:
    try:
        with path.open("rb") as file:
            raw: dict[str, Any] = tomllib.load(file)
        return {name: msgspec.convert({"name": name, **entry}, Model) for name, entry in raw.items()}
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError, TypeError) as error:
        raise ConfigError(f"the table of models {path} cannot be read: {str(error).rstrip('.')}.") from None
