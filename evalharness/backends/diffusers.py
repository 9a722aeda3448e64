"""The maker that runs diffusers pipelines: the base is loaded once, LoRAs are switched on it, prompts encoded once."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PIL.Image import Image

from evalharness.backends import loading, lora, placing, weights
from evalharness.backends.base import Fact
from evalharness.backends.batches import AUTO, BatchSize
from evalharness.backends.diffusers_options import read_options
from evalharness.backends.encoding import Prompts
from evalharness.backends.families import Family
from evalharness.backends.pixels import frames_of
from evalharness.backends.samplers import DEFAULT, check_sampler, diffusers_noise_off, make_scheduler
from evalharness.errors import BackendError
from evalharness.types import BASELINE, Cell, Failure, Subject

if TYPE_CHECKING:
    import torch

Clip = tuple[Cell, ...]
"""The cells that are frames of one clip; of a still the one cell."""


class DiffusersMaker:
    """Draws with a pipeline of a family in families/, from a folder, a single file or the hub's local cache.

    `options` are those of DiffusersOptions, as conf/backend/diffusers.yaml documents them.
    """

    draws_clips = True

    def __init__(
        self,
        model: str,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int | Literal["auto"] = AUTO,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._model, self._device_name, self._dtype_name = model, device, dtype
        self._options = read_options(options or {})
        self._batch = BatchSize(batch_size, device)
        self.batch_size = self._batch.largest
        self._loaded = Subject(name=BASELINE, identity=BASELINE)
        self._adapted_text = self._placed = False
        self._schedulers: dict[str, Any] = {}

    def fingerprint(self) -> Mapping[str, Fact]:
        """Digest of the model's files, family, dtype, device type and versions; the pipeline need not be loaded."""
        replaces = "" if self._family.marker else self._family.backbone
        return {
            "maker": "diffusers",
            "family": self._family.name,
            "weights": weights.model_digest(self._path, self._config, self._options.allow_pickle, replaces),
            "dtype": str(self._dtype).removeprefix("torch."),
            "device": self._device.type,
            **self._options.facts(),
            **loading.versions(),
        }

    def native_size(self) -> tuple[int, int]:
        """Width and height in pixels that the model was trained for, from its configs or else its family's."""
        return loading.native_size(self._path, self._family)

    def files(self) -> tuple[Path, ...]:
        """The model's files, all there and with readable headers, but not loaded; raises BackendError otherwise."""
        weights.check_whole(self._path)
        weights.check_safetensors(self._path)
        found = weights.model_files(self._path, self._options.allow_pickle)
        return (*found, *([] if self._config is None else [self._config]))

    def prove(self, subject: Subject) -> None:
        """Load the subject's LoRA files in place of the last subject's; SubjectError unless every key found a layer."""
        if subject.loras and subject.identity != self._loaded.identity:
            self._switch(subject)

    def expect(self, cells: Sequence[Cell]) -> None:
        """Encode all prompts, so that the text encoders have left the device before the denoiser comes to it."""
        if cells:
            for cell in cells:
                self._check(cell)
            self._apply(self._loaded, 0.0)
            self._prompts.prepare(((cell.prompt.text, cell.prompt.negative) for cell in cells), BASELINE)

    def generate(self, subject: Subject, cells: Sequence[Cell]) -> list[Image | Failure]:
        """One image per cell, in order, in batches of equal settings; NaN and one-colour images are failures."""
        strength = cells[0].strength if cells and subject.loras else 0.0
        self._apply(subject, strength)
        for cell in cells:
            self._check(cell)
        self._place()
        images: dict[int, Image | Failure] = {}
        for setting in dict.fromkeys(cell.setting.clip for cell in cells):
            indices = [index for index, cell in enumerate(cells) if cell.setting.clip == setting]
            clips = [tuple(frames) for _, frames in groupby(indices, lambda index: cells[index].clip)]
            made = self._draw_all([tuple(cells[index] for index in frames) for frames in clips], strength)
            images.update(zip(chain(*clips), chain(*made), strict=True))
        self._prompts.rest()
        return [images[index] for index in range(len(cells))]

    @cached_property
    def _path(self) -> Path:
        return weights.locate(self._model, self._options.allow_pickle)

    @cached_property
    def _config(self) -> Path | None:
        return loading.config_folder(self._path, self._options.config)

    @cached_property
    def _family(self) -> Family:
        family = loading.family_of(self._path, self._options.config)
        self._options.check_family(family)
        return family

    @cached_property
    def _device(self) -> "torch.device":
        device = loading.pick_device(self._device_name)
        placing.check_offload(self._options, device)
        return device

    @cached_property
    def _dtype(self) -> "torch.dtype":
        return loading.pick_dtype(self._dtype_name, self._device, self._family.cuda_dtype)

    @cached_property
    def _pipe(self) -> Any:
        device = self._device  # before the model: it may not be there
        pipe = loading.load_pipeline(self._path, self._config, self._family, self._dtype, self._options.allow_pickle)
        placing.tune(pipe, self._family, self._options)
        if self._options.offload != "none":
            placing.place(pipe, self._family, self._options, device)
        return pipe

    def _place(self) -> None:
        """Put the pipeline on the device before the first image; parked text encoders stay where they are."""
        if not self._placed and self._options.offload == "none":
            with self._prompts.out_of_sight():
                placing.place(self._pipe, self._family, self._options, self._device)
        self._placed = True

    @cached_property
    def _own_scheduler(self) -> Any:
        return self._pipe.scheduler

    @cached_property
    def _prompts(self) -> Prompts:
        parks = self._device.type != "cpu" and self._options.offload == "none"
        return Prompts(self._pipe, self._family, self._device, parks=parks)

    def _switch(self, subject: Subject) -> None:
        """Take the last adapters off and put the subject's on; after a refusal the base is what is loaded."""
        lora.require_families(self._family, subject)
        if self._loaded.loras:
            lora.unload(self._pipe)
        self._loaded, self._adapted_text = Subject(name=BASELINE, identity=BASELINE), False
        lora.load(self._pipe, self._family, subject, self._options.accept_unmatched)
        self._loaded, self._adapted_text = subject, lora.touches_text(self._pipe)

    def _apply(self, subject: Subject, strength: float) -> None:
        """Scale the subject's adapters; strength 0 only silences what is loaded, whoever's it is."""
        if strength != 0:
            self.prove(subject)
        if self._loaded.loras:
            lora.set_strength(self._pipe, self._loaded, strength)

    def _check(self, cell: Cell) -> None:
        """Refuse what the pipeline cannot draw, or would leave out without a word, before anything is drawn."""
        setting, family = cell.setting, self._family
        check_sampler(self._sampler(setting.sampler), family.samplers, family.pipeline)
        scale = family.size_step(self._pipe)
        if setting.width % scale or setting.height % scale or setting.steps < 1:
            given = f"{setting.width} x {setting.height} pixels with {setting.steps} steps"
            raise BackendError(f"{given} cannot be drawn; sizes must be multiples of {scale} and steps at least 1.")
        step = family.frame_step
        if setting.frames > 1 and (not step or setting.frames % step != 1):
            rule = f"it must be {step} n + 1 ({step + 1}, {2 * step + 1}, ...)" if step else "it draws stills only"
            raise BackendError(f"settings.frames is {setting.frames} for {family.pipeline}; {rule}.")
        if cell.prompt.negative and not family.takes_negative(self._pipe):
            raise BackendError(
                f"{family.pipeline} takes no negative prompt, and prompt '{cell.prompt.id}' has one; "
                "take the negatives out of the suite for this model."
            )

    def _draw_all(self, clips: Sequence[Clip], strength: float) -> list[list[Image | Failure]]:
        """Images of cells with one setting; when CUDA runs out of memory, half the batch is tried from there on."""
        import torch

        images: list[list[Image | Failure]] = []
        while len(images) < len(clips):
            batch = clips[len(images) : len(images) + self._batch.now]
            fits = True
            try:
                images += self._draw(batch, strength)
            except torch.cuda.OutOfMemoryError:
                fits = False
            # only after the except block is the traceback gone, and with it the tensors of the failed call
            if fits:
                self._batch.fitted(len(batch))
            else:
                self._batch.burst(len(batch), batch[0][0].setting)
                self.batch_size = self._batch.largest
        return images

    def _draw(self, clips: Sequence[Clip], strength: float) -> list[list[Image | Failure]]:
        """One call of the pipeline. Each clip has its own CPU generator, so no image depends on its neighbours."""
        import torch

        cells = [frames[0] for frames in clips]
        setting, family = cells[0].setting, self._family
        state = f"{self._loaded.identity} {strength}" if self._adapted_text and strength != 0 else BASELINE
        encoded = [self._prompts.encode(cell.prompt.text, cell.prompt.negative, state) for cell in cells]
        self._pipe.scheduler = self._scheduler(setting.sampler)
        with diffusers_noise_off(), self._prompts.out_of_sight():
            output = self._pipe(
                **family.join(encoded),
                **family.guide(self._pipe, setting.guidance_scale),
                **family.arguments(self._pipe, setting.frames, self._options),
                generator=[torch.Generator("cpu").manual_seed(cell.seed) for cell in cells],
                num_inference_steps=setting.steps,
                width=setting.width,
                height=setting.height,
                output_type="np",
            )
        found = zip(clips, family.clips(output), strict=True)
        return [frames_of(values, [cell.setting.frame for cell in frames]) for frames, values in found]

    def _sampler(self, name: str) -> str:
        return self._options.sampler if name == DEFAULT else name

    def _scheduler(self, name: str) -> Any:
        if name not in self._schedulers:
            chosen = self._sampler(name)
            self._schedulers[name] = make_scheduler(chosen, self._own_scheduler, self._options.scheduler_arguments)
        return self._schedulers[name]
