"""Qwen-Image: CFG is `true_cfg_scale`, and embeddings come with masks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evalharness.backends.families.base import Embeddings, Family, padded

if TYPE_CHECKING:
    import torch

NO_NEGATIVE = " "
"""What stands for no negative prompt: the pipeline does not guide without one, and its makers use a single space."""


class QwenImage(Family):
    """A prompt alone has no padding and so no mask; a batch of several lengths has both."""

    def encode(self, pipe: Any, text: str, negative: str, device: "torch.device") -> Embeddings:
        """Prompt and negative; without one a single space, or the CFG scale would be ignored."""
        prompts = {"prompt_embeds": text, "negative_prompt_embeds": negative or NO_NEGATIVE}
        return {name: pipe.encode_prompt(prompt=[words], device=device)[0] for name, words in prompts.items()}

    def join(self, encoded: Sequence[Embeddings]) -> dict[str, object]:
        """Padded to the longest; the mask is left out where all are equally long, as the pipeline does."""
        import torch

        joined: dict[str, object] = {}
        for name in encoded[0]:
            tensors = [tensor for one in encoded if isinstance(tensor := one[name], torch.Tensor)]
            lengths = {tensor.shape[1] for tensor in tensors}
            joined[name] = padded(tensors)
            mask = padded([torch.ones(tensor.shape[:2], dtype=torch.long, device=tensor.device) for tensor in tensors])
            joined[f"{name}_mask"] = mask if len(lengths) > 1 else None
        return joined


QWENIMAGE = QwenImage(
    name="qwenimage",
    pipeline="QwenImagePipeline",
    size=(1024, 1024),
    guidance="true_cfg_scale",
    transformer_file="QwenImageTransformer2DModel",
)
