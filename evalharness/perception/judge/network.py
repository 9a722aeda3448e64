"""A vision-language model by transformers, from pinned files; nothing is fetched, and no code of theirs is run."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.errors import PerceptionError, unknown
from evalharness.models.cache import checked
from evalharness.models.table import Model

CONFIG, INDEX = "config.json", "model.safetensors.index.json"
DEVICES = ("cpu", "cuda")
DTYPES = ("auto", "float32", "bfloat16", "float16")
YES, NO = ("Yes", "yes", "YES"), ("No", "no", "NO")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Where a model runs and in which numbers; `auto` is float32 on the CPU and bfloat16 on a GPU."""

    device: str = "cpu"
    dtype: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what nobody knows."""
        if self.device not in DEVICES:
            raise PerceptionError(unknown("device of perception", self.device, DEVICES))
        if self.dtype not in DTYPES:
            raise PerceptionError(unknown("dtype of perception", self.dtype, DTYPES))

    @property
    def numbers(self) -> str:
        """The type of numbers, with `auto` resolved."""
        return self.dtype if self.dtype != "auto" else "float32" if self.device == "cpu" else "bfloat16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model that is ready, what prepares its pictures and texts, and its tokens that mean yes and no."""

    network: Any
    processor: Any
    yes: tuple[int, ...]
    no: tuple[int, ...]


def opened_judge(model: Model, runtime: Runtime) -> Opened:
    """The model; raises PerceptionError for files that are missing, changed, or no vision-language model."""
    files = dict(zip(model.files, checked(model), strict=True))
    if INDEX in files:
        _check_shards(files[INDEX], model)
    return _open(files[CONFIG].parent, runtime)


def _check_shards(index: Path, model: Model) -> None:
    """Refuse an index that names weights which the table does not pin."""
    shards = set(json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values())
    if stray := sorted(shards - set(model.files)):
        raise PerceptionError(f"{index} names {', '.join(stray)}, which model {model.name} of the table does not list.")


@lru_cache(maxsize=1)
def _open(folder: Path, runtime: Runtime) -> Opened:
    """Kept for the process: opening takes seconds to minutes; a perceiver does not hold it, as it may be pickled."""
    ensure_torchvision()
    import torch
    import transformers

    if runtime.device == "cuda" and not torch.cuda.is_available():
        raise PerceptionError("no CUDA device is here; use perception.options.device=cpu")
    transformers.utils.logging.disable_progress_bar()
    here = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor: Any = transformers.AutoProcessor.from_pretrained(folder, **here)
        network, loaded = transformers.AutoModelForImageTextToText.from_pretrained(
            folder, dtype=getattr(torch, runtime.numbers), use_safetensors=True, output_loading_info=True, **here
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        raise PerceptionError(f"{folder} is no vision-language model that can be opened: {_short(error)}") from None
    if missing := sorted(loaded["missing_keys"]):
        raise PerceptionError(f"{folder} lacks weights of its own model: {', '.join(missing[:3])} and others.")
    return Opened(
        network=network.eval().to(runtime.device),
        processor=processor,
        yes=_tokens(processor.tokenizer, YES, folder),
        no=_tokens(processor.tokenizer, NO, folder),
    )


def _tokens(tokenizer: Any, words: tuple[str, ...], folder: Path) -> tuple[int, ...]:
    """The tokens that are one of the words alone, with a blank before it or without."""
    spelt = [*words, *(f" {word}" for word in words)]
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in spelt]
    found = tuple(dict.fromkeys(one[0] for one in ids if len(one) == 1))
    if not found:
        raise PerceptionError(f"the tokenizer of {folder} has no token for {words[0]!r}; it cannot answer in one.")
    return found


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
