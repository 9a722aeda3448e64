"""The model families that the diffusers maker knows: one row of facts each, so that no other file branches on one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evalharness.errors import BackendError, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What differs between families.

    `embeddings` names the call's arguments in the order in which encode_prompt returns them. `backbone` is the
    component whose config holds the size in latents. `marker` starts a key that only this family's single-file
    checkpoints have; `single_file_size` is their native size in pixels, `single_file_config` the hub id of a pipeline
    of their architecture. `load_options` go to from_pretrained.
    """

    name: str
    pipeline: str
    embeddings: tuple[str, ...]
    marker: str
    single_file_size: int
    single_file_config: str
    backbone: str = "unet"
    lora_components: tuple[str, ...] = ("unet", "text_encoder")
    load_options: Mapping[str, object] = field(default_factory=dict)


FAMILIES: tuple[Family, ...] = (
    Family(
        name="sd",
        pipeline="StableDiffusionPipeline",
        embeddings=("prompt_embeds", "negative_prompt_embeds"),
        marker="cond_stage_model.",
        single_file_size=512,
        single_file_config="stable-diffusion-v1-5/stable-diffusion-v1-5",
        load_options={"safety_checker": None, "requires_safety_checker": False},
    ),
    Family(
        name="sdxl",
        pipeline="StableDiffusionXLPipeline",
        embeddings=(
            "prompt_embeds",
            "negative_prompt_embeds",
            "pooled_prompt_embeds",
            "negative_pooled_prompt_embeds",
        ),
        marker="conditioner.embedders.1.",
        single_file_size=1024,
        single_file_config="stabilityai/stable-diffusion-xl-base-1.0",
        lora_components=("unet", "text_encoder", "text_encoder_2"),
    ),
)


def of_pipeline(name: str) -> Family:
    """The family of a pipeline class, as model_index.json names it; raises BackendError for one we do not know."""
    table = {family.pipeline: family for family in FAMILIES}
    if name not in table:
        raise BackendError(unknown("pipeline", name, table))
    return table[name]


def of_keys(keys: Iterable[str], source: str) -> Family:
    """The family of a single-file checkpoint, by the names of its tensors; raises BackendError where none fits."""
    names = tuple(keys)
    for family in FAMILIES:
        if any(name.startswith(family.marker) for name in names):
            return family
    known = ", ".join(family.pipeline for family in FAMILIES)
    example = f" (its first tensor is '{names[0]}')" if names else ""
    raise BackendError(f"{source} is no full checkpoint of a known family{example}; give a {known} checkpoint.")
