"""Anima: a modular pipeline, guided by a component instead of an argument; its index names each part's origin."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalharness.backends.families.base import Embeddings, Family, padded
from evalharness.errors import BackendError

if TYPE_CHECKING:
    import torch

_LONGEST = 512


class Anima(Family):
    """Prompts become a Qwen text's states and T5 token ids, eight tensors with their masks and the negative's."""

    def load(self, path: Path, options: Mapping[str, object]) -> Any:
        """All parts from the folder itself, wherever its index says they were saved; prompts are encoded apart."""
        import diffusers

        # made from our own blocks, not the folder's: a repository may carry code of its own
        pipe = diffusers.AnimaAutoBlocks().init_pipeline(str(path))
        names = [name for name, part in pipe.components.items() if part is None]
        pipe.load_components(names, pretrained_model_name_or_path=str(path), **options)
        # diffusers only warns of a part that cannot be loaded
        if missing := [name for name in names if getattr(pipe, name) is None]:
            raise BackendError(f"its component '{missing[0]}' could not be loaded")
        pipe._blocks.sub_blocks.pop("text_encoder")
        _hide_bars(pipe._blocks)
        return pipe

    def encode(self, pipe: Any, text: str, negative: str, device: "torch.device") -> Embeddings:
        """The eight tensors of one prompt and its negative."""
        from diffusers.modular_pipelines.anima.encoders import AnimaTextEncoderStep

        tensors: Embeddings = AnimaTextEncoderStep.encode_prompt(
            pipe, [text], [negative], max_sequence_length=_LONGEST, device=device
        )
        return tensors

    def join(self, encoded: Sequence[Embeddings]) -> dict[str, object]:
        """Padded to the longest with zeros, which are T5's padding token and masked."""
        import torch

        found = {name: [t for one in encoded if isinstance(t := one[name], torch.Tensor)] for name in encoded[0]}
        return {name: padded(tensors) for name, tensors in found.items()}

    def guide(self, pipe: Any, scale: float) -> dict[str, object]:
        """Set the guider: the call accepts guidance_scale and ignores it. Less than 1 is no guidance, as elsewhere."""
        pipe.update_components(guider=pipe.guider.new(guidance_scale=max(scale, 1.0)))
        return {}


def _hide_bars(block: Any) -> None:
    """Progress bars belong to the loops deep inside; they would break our own."""
    if hasattr(block, "set_progress_bar_config"):
        block.set_progress_bar_config(disable=True)
    for inner in getattr(block, "sub_blocks", {}).values():
        _hide_bars(inner)


ANIMA = Anima(
    name="anima",
    pipeline="AnimaModularPipeline",
    size=(1024, 1024),
    lora_components=("transformer", "text_conditioner", "text_encoder"),
    no_file_reason="its text conditioner is in the file under names that diffusers cannot read, so convert it with "
    "diffusers' scripts/convert_anima_to_diffusers.py and give that folder",
)
