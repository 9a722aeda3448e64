"""The maker that runs diffusers pipelines: the base is loaded once, LoRAs are switched on it, prompts encoded once."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL.Image import Image

from evalharness.backends import loading, lora, weights
from evalharness.backends.base import Fact
from evalharness.backends.families import Family
from evalharness.backends.options import checked_options, flag, words
from evalharness.backends.pixels import to_image
from evalharness.backends.samplers import check_sampler, diffusers_noise_off, make_scheduler
from evalharness.errors import BackendError
from evalharness.types import BASELINE, Cell, Failure, Setting, Subject

if TYPE_CHECKING:
    import torch

_DEFAULTS: Mapping[str, object] = {"allow_pickle": False, "config": None, "accept_unmatched": ()}
_LARGEST_CACHE = 512

Embeddings = Mapping[str, "torch.Tensor"]


class DiffusersMaker:
    """Draws with a pipeline of a family in families.py, from a folder, a single file or the hub's local cache.

    Options: `allow_pickle` (open .bin and .ckpt files), `config` (pipeline folder whose configs a single file takes),
    `accept_unmatched` (prefixes of LoRA keys that may stay unused).
    """

    def __init__(
        self,
        model: str,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 8,
        options: Mapping[str, object] | None = None,
    ) -> None:
        if batch_size < 1:
            raise BackendError(f"backend.batch_size is {batch_size}; it must be at least 1.")
        self.batch_size = batch_size
        self._model, self._device_name, self._dtype_name = model, device, dtype
        self._options = checked_options(options or {}, _DEFAULTS)
        self._allow_pickle = flag(self._options, "allow_pickle")
        self._accepted = words(self._options, "accept_unmatched")
        self._loaded = Subject(name=BASELINE, identity=BASELINE)
        self._adapted_text = False
        self._encoded: dict[tuple[str, ...], Embeddings] = {}
        self._schedulers: dict[str, Any] = {}

    def fingerprint(self) -> Mapping[str, Fact]:
        """Digest of the model's files, family, dtype, device type and versions; the pipeline need not be loaded."""
        return {
            "maker": "diffusers",
            "family": self._family.name,
            "weights": weights.model_digest(self._path, self._config, self._allow_pickle),
            "dtype": str(self._dtype).removeprefix("torch."),
            "device": self._device.type,
            **loading.versions(),
        }

    def native_size(self) -> tuple[int, int]:
        """Width and height in pixels that the model was trained for, from its configs."""
        return loading.native_size(self._path)

    def files(self) -> tuple[Path, ...]:
        """The model's files, all there and with readable headers, but not loaded; raises BackendError otherwise."""
        weights.check_whole(self._path)
        weights.check_safetensors(self._path)
        return (*weights.model_files(self._path, self._allow_pickle), *([] if self._config is None else [self._config]))

    def prove(self, subject: Subject) -> None:
        """Load the subject's LoRA files in place of the last subject's; SubjectError unless every key found a layer."""
        if subject.loras and subject.identity != self._loaded.identity:
            self._switch(subject)

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image | Failure]:
        """One image per cell, in order, in batches of equal settings; NaN and one-colour images are failures."""
        strength = cells[0].strength if cells and subject.loras else 0.0
        self._apply(subject, strength)
        images: dict[int, Image | Failure] = {}
        for setting in dict.fromkeys(cell.setting for cell in cells):
            self._check(setting)
            indices = [index for index, cell in enumerate(cells) if cell.setting == setting]
            made = self._draw_all([cells[index] for index in indices], strength)
            images.update(zip(indices, made, strict=True))
        return [images[index] for index in range(len(cells))]

    @cached_property
    def _path(self) -> Path:
        return weights.locate(self._model, self._allow_pickle)

    @cached_property
    def _config(self) -> Path | None:
        config = self._options["config"]
        return loading.config_folder(self._path, None if config is None else str(config))

    @cached_property
    def _family(self) -> Family:
        return loading.family_of(self._path)

    @cached_property
    def _device(self) -> "torch.device":
        return loading.pick_device(self._device_name)

    @cached_property
    def _dtype(self) -> "torch.dtype":
        return loading.pick_dtype(self._dtype_name, self._device)

    @cached_property
    def _pipe(self) -> Any:
        return loading.load_pipeline(self._path, self._config, self._device, self._dtype, self._allow_pickle)

    @cached_property
    def _own_scheduler(self) -> Any:
        return self._pipe.scheduler

    def _switch(self, subject: Subject) -> None:
        """Take the last adapters off and put the subject's on; after a refusal the base is what is loaded."""
        if self._loaded.loras:
            lora.unload(self._pipe)
        self._loaded, self._adapted_text = Subject(name=BASELINE, identity=BASELINE), False
        lora.load(self._pipe, self._family, subject, self._accepted)
        self._loaded, self._adapted_text = subject, lora.touches_text(self._pipe, self._family)

    def _apply(self, subject: Subject, strength: float) -> None:
        """Scale the subject's adapters; strength 0 only silences what is loaded, whoever's it is."""
        if strength != 0:
            self.prove(subject)
        if self._loaded.loras:
            lora.set_strength(self._pipe, self._loaded, strength)

    def _check(self, setting: Setting) -> None:
        """Refuse what the pipeline cannot draw before anything is drawn."""
        check_sampler(setting.sampler)
        scale = self._pipe.vae_scale_factor
        if setting.width % scale or setting.height % scale or setting.steps < 1:
            given = f"{setting.width} x {setting.height} pixels with {setting.steps} steps"
            raise BackendError(f"{given} cannot be drawn; sizes must be multiples of {scale} and steps at least 1.")

    def _draw_all(self, cells: Sequence[Cell], strength: float) -> list[Image | Failure]:
        """Images of cells with one setting; when CUDA runs out of memory, half the batch is tried from there on."""
        import torch

        images: list[Image | Failure] = []
        while len(images) < len(cells):
            batch = cells[len(images) : len(images) + self.batch_size]
            fits = True
            try:
                images += self._draw(batch, strength)
            except torch.cuda.OutOfMemoryError:
                fits = False
            # only after the except block is the traceback gone, and with it the tensors of the failed call
            if not fits:
                self._halve(len(batch), batch[0].setting)
        return images

    def _halve(self, tried: int, setting: Setting) -> None:
        """Make the next batch half of the one that did not fit; one image that does not fit ends the run."""
        import torch

        if tried == 1:
            raise BackendError(
                f"one image of {setting.width} x {setting.height} pixels does not fit in GPU memory; "
                "use a smaller size or backend.dtype=float16."
            )
        self.batch_size = tried // 2
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _draw(self, cells: Sequence[Cell], strength: float) -> list[Image | Failure]:
        """One call of the pipeline. Each cell has its own CPU generator, so no image depends on its neighbours."""
        import torch

        setting = cells[0].setting
        encoded = [self._encode(cell.prompt.text, cell.prompt.negative, strength) for cell in cells]
        self._pipe.scheduler = self._scheduler(setting.sampler)
        with diffusers_noise_off():
            output = self._pipe(
                **{name: torch.cat([one[name] for one in encoded]) for name in encoded[0]},
                generator=[torch.Generator("cpu").manual_seed(cell.seed) for cell in cells],
                num_inference_steps=setting.steps,
                guidance_scale=setting.guidance_scale,
                width=setting.width,
                height=setting.height,
                output_type="np",
            )
        return [to_image(values) for values in output.images]

    def _scheduler(self, name: str) -> Any:
        if name not in self._schedulers:
            self._schedulers[name] = make_scheduler(name, self._own_scheduler)
        return self._schedulers[name]

    def _encode(self, text: str, negative: str, strength: float) -> Embeddings:
        """A prompt's embeddings, encoded once for all subjects unless a LoRA changes the text encoder itself."""
        import torch

        state = (self._loaded.identity, f"{strength}") if self._adapted_text and strength != 0 else (BASELINE, "0")
        key = (text, negative, *state)
        if key not in self._encoded:
            if len(self._encoded) >= _LARGEST_CACHE:
                self._encoded.pop(next(iter(self._encoded)))
            with torch.no_grad():
                self._encoded[key] = self._encode_now(text, negative)
        return self._encoded[key]

    def _encode_now(self, text: str, negative: str) -> Embeddings:
        """Fresh lists go in, because some pipelines edit theirs; no negative lets the checkpoint's config decide."""
        tensors = self._pipe.encode_prompt(
            prompt=[text],
            negative_prompt=[negative] if negative else None,
            device=self._device,
            num_images_per_prompt=1,
            do_classifier_free_guidance=True,
        )
        return dict(zip(self._family.embeddings, tensors, strict=True))
