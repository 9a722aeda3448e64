"""Wan 2.2: a video model with two experts, one for strong and one for weak noise; one frame makes a still."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evalharness.backends.families.base import Family
from evalharness.errors import BackendError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from evalharness.backends.diffusers_options import DiffusersOptions


class Wan(Family):
    """Both experts are guided with the same scale unless `guidance_scale_2` is given."""

    def arguments(self, pipe: Any, frames: int, options: "DiffusersOptions") -> dict[str, object]:
        """The number of frames, and the second expert's guidance where it is another."""
        found: dict[str, object] = {"num_frames": frames}
        if options.guidance_scale_2 is None:
            return found
        if pipe.config.boundary_ratio is None:
            raise BackendError("backend.options.guidance_scale_2 is for two experts; this model has one.")
        return {**found, "guidance_scale_2": options.guidance_scale_2}

    def clips(self, output: Any) -> "Sequence[npt.NDArray[np.floating]]":
        """All frames of each clip."""
        found: Sequence[npt.NDArray[np.floating]] = output.frames
        return found

    def size_step(self, pipe: Any) -> int:
        """The VAE's scale in space times the transformer's patch."""
        backbone = pipe.transformer if pipe.transformer is not None else pipe.transformer_2
        # the pipeline itself insists on 16
        return max(16, int(pipe.vae_scale_factor_spatial) * int(backbone.config.patch_size[1]))


WAN = Wan(
    name="wan",
    pipeline="WanPipeline",
    size=(832, 480),
    # the call's own default; encode_prompt's is another
    encode_options={"max_sequence_length": 512},
    lora_components=("transformer", "transformer_2"),
    full_precision=("vae",),
    no_file_reason="it has two experts, so give a pipeline folder",
    samplers=("dpmpp_2m", "euler", "euler_karras", "heun", "lcm", "unipc"),
    options=("guidance_scale_2",),
    # the VAE makes 4 frames of each latent after the first
    frame_step=4,
)
