"""What a model family is: its facts, and the few steps of drawing in which one may differ from Stable Diffusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from evalharness.backends.samplers import DEFAULT, make_scheduler
from evalharness.backends.weights import tensor_names
from evalharness.errors import BackendError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    from evalharness.backends.diffusers_options import DiffusersOptions

Tensors = Union["torch.Tensor", "list[torch.Tensor]", None]
Embeddings = Mapping[str, Tensors]
"""One prompt and its negative, encoded: arguments of the pipeline's call. Tensors begin with a batch axis of 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The facts of a family; its methods are Stable Diffusion's, and other families override those that differ.

    `size` is the width and height in pixels where no config tells them. `embeddings` names the call's arguments in
    the order in which encode_prompt returns them; `encode_options` are that method's. `guidance` is the call's
    argument for the CFG scale. `backbone` is the component that denoises, `text_encoders` those that only prompts
    need, `lora_components` all that a LoRA file may change. `cuda_dtype` is what `auto` means on CUDA, `full_precision`
    the components that stay float32. `size_factor` times the VAE's scale divides every size.

    `marker` starts a key that only this family's full single-file checkpoints have, "" where there are none;
    `single_file_config` is the hub id of a pipeline of their architecture. `file_marks` maps a key of such a file to
    what it says of the scheduler. `transformer_file` is the class that reads a file of the denoiser alone, else
    `no_file_reason` says what to give. `load_options` go to from_pretrained, `samplers` are those found to work, and
    `options` are maker options that only some families have. A clip has `frame_step` n + 1 frames; 0 = stills only.
    """

    name: str
    pipeline: str
    size: tuple[int, int]
    embeddings: tuple[str, ...] = ("prompt_embeds", "negative_prompt_embeds")
    encode_options: Mapping[str, object] = field(default_factory=dict)
    guidance: str = "guidance_scale"
    backbone: str = "transformer"
    text_encoders: tuple[str, ...] = ("text_encoder",)
    lora_components: tuple[str, ...] = ("transformer",)
    cuda_dtype: str = "bfloat16"
    full_precision: tuple[str, ...] = ()
    size_factor: int = 2
    marker: str = ""
    single_file_config: str = ""
    file_marks: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    transformer_file: str = ""
    no_file_reason: str = ""
    load_options: Mapping[str, object] = field(default_factory=dict)
    samplers: tuple[str, ...] = ("euler", "euler_karras", "lcm", "unipc")
    options: tuple[str, ...] = ()
    frame_step: int = 0

    def load(self, path: Path, options: Mapping[str, object]) -> Any:
        """The pipeline of a folder, on the processor; `options` go to from_pretrained."""
        import diffusers

        pipe = getattr(diffusers, self.pipeline).from_pretrained(path, **self.load_options, **options)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def load_file(self, path: Path, config: Path, options: Mapping[str, object]) -> Any:
        """The pipeline of a single file and the folder of its `config`, on the processor.

        A full checkpoint takes only configs from the folder; a file of the denoiser alone takes all else from it.
        """
        import diffusers

        if self.marker:
            kind = getattr(diffusers, self.pipeline)
            pipe = kind.from_single_file(str(path), config=str(config), **self.load_options, **options)
            pipe.set_progress_bar_config(disable=True)
            pipe.scheduler = make_scheduler(DEFAULT, pipe.scheduler, self.marked(path))
            return pipe
        if not self.transformer_file:
            raise BackendError(f"{self.pipeline} cannot be made from the single file {path}; {self.no_file_reason}.")
        kind = getattr(diffusers, self.transformer_file)
        denoiser = kind.from_single_file(str(path), config=str(config), subfolder=self.backbone, **options)
        return self.load(config, {**options, self.backbone: denoiser})

    def marked(self, path: Path) -> dict[str, object]:
        """What a single file says of its scheduler by the tensors it holds."""
        names = tensor_names(path) if path.suffix == ".safetensors" else ()
        return {key: value for mark, said in self.file_marks.items() if mark in names for key, value in said.items()}

    def encode(self, pipe: Any, text: str, negative: str, device: "torch.device") -> Embeddings:
        """A prompt and its negative as arguments of the call, bit-equal to what the call would make of the texts.

        Fresh lists go in, because some pipelines edit theirs. No negative lets the checkpoint's config decide.
        """
        tensors = pipe.encode_prompt(
            prompt=[text],
            negative_prompt=[negative] if negative else None,
            device=device,
            do_classifier_free_guidance=True,
            **self.encode_options,
        )
        return dict(zip(self.embeddings, tensors, strict=True))

    def join(self, encoded: Sequence[Embeddings]) -> dict[str, object]:
        """The embeddings of several prompts as one batch."""
        import torch

        return {name: torch.cat([_tensor(one[name]) for one in encoded]) for name in encoded[0]}

    def guide(self, pipe: Any, scale: float) -> dict[str, object]:
        """The arguments that make the pipeline guide with a CFG scale; at 1 or less there is no guidance."""
        return {self.guidance: scale}

    def arguments(self, pipe: Any, frames: int, options: "DiffusersOptions") -> dict[str, object]:
        """Further arguments of the call: the length of a clip, and options that this family has a use for."""
        return {}

    def takes_negative(self, pipe: Any) -> bool:
        """Whether a negative prompt can change what the pipeline draws."""
        return True

    def size_step(self, pipe: Any) -> int:
        """Sizes in pixels must be multiples of this."""
        return int(pipe.vae_scale_factor) * self.size_factor

    @property
    def denoisers(self) -> tuple[str, ...]:
        """The components that run at every image."""
        return tuple(name for name in self.lora_components if name not in self.text_encoders)

    def clips(self, output: Any) -> "Sequence[npt.NDArray[np.floating]]":
        """The clips of a call's output: float arrays (frames, height, width, 3) in 0..1; an image is one of 1 frame."""
        return [image[None] for image in output.images]


def _tensor(value: Tensors) -> "torch.Tensor":
    assert value is not None and not isinstance(value, list)
    return value


def padded(tensors: "Sequence[torch.Tensor]") -> "torch.Tensor":
    """Tensors (1, length, ...) of several lengths as one batch, filled with zeros at the end of axis 1."""
    import torch

    longest = max(tensor.shape[1] for tensor in tensors)
    filled = [
        torch.cat([tensor, tensor.new_zeros((1, longest - tensor.shape[1], *tensor.shape[2:]))], dim=1)
        for tensor in tensors
    ]
    return torch.cat(filled)
