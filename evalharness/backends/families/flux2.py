"""Flux 2 and Flux 2 Klein: prompts are encoded one by one, and there is no negative prompt, or one but not as text."""

from typing import TYPE_CHECKING, Any

from evalharness.backends.families.base import Embeddings, Family

if TYPE_CHECKING:
    import torch


class Flux2(Family):
    """Guidance is an input of the model itself, so nothing is drawn without it and no negative can be given."""

    def encode(self, pipe: Any, text: str, negative: str, device: "torch.device") -> Embeddings:
        """The prompt alone."""
        return {"prompt_embeds": pipe.encode_prompt(prompt=[text], device=device)[0]}

    def takes_negative(self, pipe: Any) -> bool:
        """Never."""
        return False


class Klein(Family):
    """Guided as usual, but the pipeline takes a negative only as embeddings; distilled checkpoints take none."""

    def encode(self, pipe: Any, text: str, negative: str, device: "torch.device") -> Embeddings:
        """Prompt and negative; without one the empty text, as the pipeline does."""
        prompts = {"prompt_embeds": text, "negative_prompt_embeds": negative}
        return {name: pipe.encode_prompt(prompt=[words], device=device)[0] for name, words in prompts.items()}

    def takes_negative(self, pipe: Any) -> bool:
        """Unless the checkpoint is distilled: that one draws in one pass and ignores guidance too."""
        return not pipe.config.is_distilled


_SAMPLERS = ("dpmpp_2m", "euler", "euler_karras", "lcm", "unipc")

FLUX2 = Flux2(
    name="flux2",
    pipeline="Flux2Pipeline",
    size=(1024, 1024),
    transformer_file="Flux2Transformer2DModel",
    samplers=_SAMPLERS,
)

FLUX2_KLEIN = Klein(
    name="flux2_klein",
    pipeline="Flux2KleinPipeline",
    size=(1024, 1024),
    transformer_file="Flux2Transformer2DModel",
    samplers=_SAMPLERS,
)
