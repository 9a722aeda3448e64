"""The tables of names: what can be chosen by a word in a config, and where its code is. Nothing is imported early.

Third parties add entries through the entry points `evalharness.scorers`, `evalharness.backends`,
`evalharness.perception` and `evalharness.trackers`; a name that is taken twice is an error.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evalharness.errors import ConfigError, unknown

SCORERS: Mapping[str, str] = {
    "artifacts": "evalharness.scorers.artifacts:Artifacts",
    "base_drift": "evalharness.scorers.overtraining:BaseDrift",
    "color_drift": "evalharness.scorers.color_drift:HairColorDrift",
    "copy_risk": "evalharness.scorers.likeness:CopyRisk",
    "diversity": "evalharness.scorers.overtraining:Diversity",
    "embedding_diversity": "evalharness.scorers.embedding_drift:EmbeddingDiversity",
    "embedding_drift": "evalharness.scorers.embedding_drift:EmbeddingDrift",
    "eye_color_drift": "evalharness.scorers.color_drift:EyeColorDrift",
    "faces": "evalharness.scorers.faces:Faces",
    "hair_side": "evalharness.scorers.hair_side:HairSide",
    "hairstyle": "evalharness.scorers.hairstyle:Hairstyle",
    "harmony": "evalharness.scorers.harmony:Harmony",
    "identity": "evalharness.scorers.identity:Identity",
    "judged": "evalharness.scorers.judged:Judged",
    "parts": "evalharness.scorers.parts:Parts",
    "prompt_similarity": "evalharness.scorers.prompt_similarity:PromptSimilarity",
    "prompt_tag_precision": "evalharness.scorers.prompt_tags:PromptTagPrecision",
    "prompt_tags": "evalharness.scorers.prompt_tags:PromptTags",
    "reference_similarity": "evalharness.scorers.likeness:ReferenceSimilarity",
    "skin_color_drift": "evalharness.scorers.color_drift:SkinColorDrift",
    "skin_texture": "evalharness.scorers.skin_texture:SkinTexture",
    "stars": "evalharness.scorers.stars:Stars",
    "view": "evalharness.scorers.view:View",
}

ON_REQUEST = frozenset(
    {
        "copy_risk",
        "embedding_diversity",
        "embedding_drift",
        "identity",
        "judged",
        "prompt_similarity",
        "prompt_tag_precision",
        "prompt_tags",
        "reference_similarity",
        "skin_texture",
        "view",
    }
)
"""Scorers that a suite must name: they can judge nothing without models that are downloaded."""

BACKENDS: Mapping[str, str] = {
    "comfyui": "evalharness.backends.comfyui:ComfyMaker",
    "diffusers": "evalharness.backends.diffusers:DiffusersMaker",
    "fake": "evalharness.backends.fake:FakeMaker",
    "folder": "evalharness.backends.folder:FolderMaker",
}

PERCEPTION: Mapping[str, str] = {
    "anime": "evalharness.perception.anime.perceiver:AnimePerceiver",
    "clip": "evalharness.perception.clip.perceiver:ClipPerceiver",
    "dino": "evalharness.perception.dino.perceiver:DinoPerceiver",
    "judge": "evalharness.perception.judge.perceiver:JudgePerceiver",
    "offline": "evalharness.perception.offline:OfflinePerceiver",
    "photo": "evalharness.perception.photo.perceiver:PhotoPerceiver",
}

TRACKERS: Mapping[str, str] = {
    "jsonl": "evalharness.trackers.jsonl:JsonLines",
    "mlflow": "evalharness.trackers.mlflow:MLflow",
    "tensorboard": "evalharness.trackers.tensorboard:TensorBoard",
    "wandb": "evalharness.trackers.wandb:WeightsAndBiases",
}

TABLES: Mapping[str, Mapping[str, str]] = {
    "scorer": SCORERS,
    "backend": BACKENDS,
    "perception": PERCEPTION,
    "tracker": TRACKERS,
}
GROUPS: Mapping[str, str] = {
    "scorer": "evalharness.scorers",
    "backend": "evalharness.backends",
    "perception": "evalharness.perception",
    "tracker": "evalharness.trackers",
}


def table(kind: str) -> dict[str, str]:
    """All names of a kind (scorer, backend, ...), ours and installed ones; raises ConfigError on collision."""
    names = dict(TABLES[kind])
    for entry in _installed(GROUPS[kind]):
        if entry.name in names and names[entry.name] != entry.value:
            raise ConfigError(f"{kind} '{entry.name}' is both {names[entry.name]} and {entry.value}; names are unique.")
        names[entry.name] = entry.value
    return names


@cache
def _installed(group: str) -> tuple[EntryPoint, ...]:
    """What other packages offer; asked once a process, because the metadata of every package is read for it."""
    return tuple(entry_points(group=group))


def find(kind: str, name: str) -> Any:
    """The class behind a name; raises ConfigError that names the nearest known one."""
    names = table(kind)
    if name not in names:
        raise ConfigError(unknown(kind, name, names))
    module, _, attribute = names[name].partition(":")
    return getattr(import_module(module), attribute)
