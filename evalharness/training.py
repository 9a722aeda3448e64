"""What a LoRA file says of its own training, in words, and what follows: a likely cause, or a doubt about the base.

kohya sd-scripts and those that follow it write `ss_*` keys, the Stability model spec `modelspec.*`, diffusers
`lora_adapter_metadata`; values are texts, and any may be missing or 'None'.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalharness.types import LoraFile, Subject

Metadata = Mapping[str, str]

_PLAIN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("rank", ("ss_network_dim",)),
    ("alpha", ("ss_network_alpha",)),
    ("learning rate", ("ss_learning_rate",)),
    ("denoiser's learning rate", ("ss_unet_lr",)),
    ("text encoder's learning rate", ("ss_text_encoder_lr",)),
    ("resolution", ("ss_resolution", "modelspec.resolution")),
    ("base model", ("ss_sd_model_name", "ss_base_model_version", "modelspec.architecture")),
    ("base model's hash", ("ss_new_sd_model_hash", "ss_sd_model_hash")),
)
_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The base model that is loaded: its name, and of a single file the SHA-256, in full and as kohya's old 8 digits.

    The old hash is of the 64 KiB that begin after the first MiB. A folder has neither.
    """

    name: str
    sha256: str | None = None
    old_hash: str | None = None


def training_facts(metadata: Metadata) -> dict[str, str]:
    """Rank, alpha, learning rates, resolution, flip_aug and base model, as far as the file says."""
    found = {name: _first(metadata, keys) for name, keys in _PLAIN}
    found |= {name: value for name, value in _adapter(metadata).items() if not found[name]}
    found["resolution"] = found["resolution"] or _dataset_resolution(metadata)
    found["base model's hash"] = found["base model's hash"][:_SHORT]
    flipped = flips(metadata)
    found["flip_aug"] = "" if flipped is None else str(flipped).lower()
    return {name: value for name, value in found.items() if value}


def flips(metadata: Metadata) -> bool | None:
    """Whether images were mirrored at random in training (flip_aug); None where the file does not say."""
    said = [subset.get("flip_aug") for dataset in _datasets(metadata) for subset in _subsets(dataset)]
    told = metadata.get("ss_flip_aug", "")
    said += [told == "True"] if told in ("True", "False") else []
    known = [one for one in said if isinstance(one, bool)]
    return any(known) if known else None


def likely_cause(metric: str, loras: Sequence[LoraFile]) -> str:
    """What in the training explains a failure of a metric, as the end of a sentence; '' where nothing does."""
    if metric == "hair_side" and any(flips(lora.metadata) for lora in loras):
        return "trained with flip_aug=true, which teaches both sides: the likely cause"
    return ""


def base_doubt(metadata: Metadata, base: Base) -> str:
    """Why the loaded base may not be the one that the file was trained on; '' where nothing says so."""
    name = _first(metadata, ("ss_sd_model_name",))
    full, old = _first(metadata, ("ss_new_sd_model_hash",)).lower(), _first(metadata, ("ss_sd_model_hash",)).lower()
    trained = f"trained on {name or 'a base'}"
    if full and base.sha256:
        return (
            ""
            if full == base.sha256
            else f"{trained} ({full[:_SHORT]}); loaded is {base.name} ({base.sha256[:_SHORT]})"
        )
    if old and base.old_hash:
        return "" if old == base.old_hash else f"{trained} (old hash {old}); loaded is {base.name} ({base.old_hash})"
    if not name or _stem(name) == _stem(base.name):
        return ""
    return f"{trained}; loaded is {base.name}, which has no hash to compare: nobody can tell whether they are the same"


def old_hash(file: Path) -> str:
    """The hash that kohya's and the web UI's first versions gave a checkpoint: 8 hex digits."""
    with file.open("rb") as stream:
        stream.seek(0x100000)
        return hashlib.sha256(stream.read(0x10000)).hexdigest()[:8]


def trainings(subjects: Sequence[Subject]) -> dict[str, dict[str, str]]:
    """Each file's facts under its subject's name; what all files share stands once, under 'all'."""
    files = [(subject, lora) for subject in subjects for lora in subject.loras]
    told = [training_facts(lora.metadata) for _, lora in files]
    shared = (
        {name: value for name, value in told[0].items() if all(one.get(name) == value for one in told)} if told else {}
    )
    own = {
        subject.name if len(subject.loras) == 1 else f"{subject.name}: {lora.path.name}": {
            name: value for name, value in facts.items() if name not in shared
        }
        for (subject, lora), facts in zip(files, told, strict=True)
    }
    return {name: facts for name, facts in {"all": shared, **own}.items() if facts}


def stacks(subjects: Sequence[Subject]) -> dict[str, str]:
    """The files of each stack with their strengths, in words."""
    return {
        subject.name: ", ".join(f"{one.path.name} (model {one.model:g}, clip {one.clip:g})" for one in subject.loras)
        for subject in subjects
        if subject.loras and not subject.is_one_file
    }


def doubts(subjects: Sequence[Subject], base: Base | None) -> dict[str, str]:
    """Why the loaded base may not be a subject's own, by the subject's name; nothing for those without a doubt."""
    if base is None:
        return {}
    found = {one.name: [base_doubt(lora.metadata, base) for lora in one.loras] for one in subjects}
    return {name: "; ".join(filter(None, said)) for name, said in found.items() if any(said)}


def _first(metadata: Metadata, keys: Sequence[str]) -> str:
    values = (metadata.get(key, "") for key in keys)
    return next((value for value in values if value not in ("", "None", "null")), "")


def _stem(name: str) -> str:
    """A model's name without folders and the ending, in lower case."""
    return (
        name.replace("\\", "/")
        .rstrip("/")
        .rpartition("/")[2]
        .lower()
        .removesuffix(".safetensors")
        .removesuffix(".ckpt")
    )


def _json(metadata: Metadata, key: str) -> Any:
    try:
        return json.loads(metadata.get(key, "null"))
    except ValueError:
        return None


def _datasets(metadata: Metadata) -> list[Mapping[str, Any]]:
    found = _json(metadata, "ss_datasets")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _subsets(dataset: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = dataset.get("subsets")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _dataset_resolution(metadata: Metadata) -> str:
    sizes = (dataset.get("resolution") for dataset in _datasets(metadata))
    return ", ".join(dict.fromkeys(" x ".join(map(str, size)) for size in sizes if isinstance(size, list)))


def _adapter(metadata: Metadata) -> dict[str, str]:
    """Rank and alpha as diffusers writes them, for one part of the pipeline or several equal ones."""
    told = _json(metadata, "lora_adapter_metadata")
    if not isinstance(told, dict):
        return {}
    ends = {"rank": ".r", "alpha": ".lora_alpha"}
    return {
        name: ", ".join(dict.fromkeys(str(value) for key, value in told.items() if key.endswith(end)))
        for name, end in ends.items()
    }
