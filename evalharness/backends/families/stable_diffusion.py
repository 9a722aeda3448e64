"""Stable Diffusion 1.5 and SDXL (with Illustrious, NoobAI and Pony), the families of UNets."""

from evalharness.backends.families.base import Family
from evalharness.backends.samplers import SAMPLERS

SD = Family(
    name="sd",
    pipeline="StableDiffusionPipeline",
    size=(512, 512),
    encode_options={"num_images_per_prompt": 1},
    backbone="unet",
    lora_components=("unet", "text_encoder"),
    cuda_dtype="float16",
    size_factor=1,
    samplers=tuple(SAMPLERS),
    marker="cond_stage_model.",
    single_file_config="stable-diffusion-v1-5/stable-diffusion-v1-5",
    load_options={"safety_checker": None, "requires_safety_checker": False},
)

SDXL = Family(
    name="sdxl",
    pipeline="StableDiffusionXLPipeline",
    size=(1024, 1024),
    embeddings=("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds"),
    encode_options={"num_images_per_prompt": 1},
    backbone="unet",
    text_encoders=("text_encoder", "text_encoder_2"),
    lora_components=("unet", "text_encoder", "text_encoder_2"),
    cuda_dtype="float16",
    size_factor=1,
    samplers=tuple(SAMPLERS),
    marker="conditioner.embedders.1.",
    single_file_config="stabilityai/stable-diffusion-xl-base-1.0",
    # v-prediction checkpoints (NoobAI's and their merges) say so by empty tensors of these names
    file_marks={
        "v_pred": {"prediction_type": "v_prediction"},
        "ztsnr": {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"},
    },
)
