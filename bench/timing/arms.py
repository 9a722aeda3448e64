"""What is compared: a loop of diffusers as a person would write it, and a whole run of ours."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from evalharness.backends import loading, weights
from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.config import PerceptionConfig, RunConfig
from evalharness.plan import Plan
from evalharness.prepare import open_tools, plan_run, suite_of
from evalharness.run import run
from evalharness.store import Store
from evalharness.types import Advance

LORAS = ("sakichan-000007", "sakichan-000011")
DRAWN = [f"subjects=['demo:loras/{LORAS[0]}.safetensors']", "suite.seeds=[1]", "suite.references=null"]


@contextmanager
def silent(name: str, total: int) -> Iterator[Advance]:
    """No progress is shown."""
    yield lambda count: None


def bare(plan: Plan, batch_size: int, folder: Path) -> None:
    """What a person would write without us: the base, then the LoRA, prompts as text, images saved as PNG."""
    ensure_torchvision()
    import diffusers

    path = weights.locate("demo:checkpoint")
    pipe: Any = diffusers.StableDiffusionPipeline.from_pretrained(path, dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    folder.mkdir()
    for subject, cells in plan.batches(plan.cells, batch_size):
        if subject.loras and not pipe.get_active_adapters():
            pipe.load_lora_weights(str(subject.loras[0].path), adapter_name="lora")
        setting = cells[0].setting
        output = pipe(
            prompt=[cell.prompt.text for cell in cells],
            generator=[torch.Generator("cpu").manual_seed(cell.seed) for cell in cells],
            num_inference_steps=setting.steps,
            guidance_scale=setting.guidance_scale,
            width=setting.width,
            height=setting.height,
        )
        for cell, image in zip(cells, output.images, strict=True):
            image.save(folder / f"{cell.key}.png")


def ours(config: RunConfig, folder: Path) -> None:
    """A whole run, from the digest of the model's files to the verdict; its base must be loaded once."""
    weights._digest.cache_clear()
    loads, load = [], loading.load_pipeline

    def counted(*given: Any) -> Any:
        loads.append(1)
        return load(*given)

    loading.load_pipeline = counted
    try:
        run(replace(config, folder_path=str(folder)), silent)
    finally:
        loading.load_pipeline = load
    assert len(loads) == (config.backend.name == "diffusers"), f"the base was loaded {len(loads)} times"


def perceivers(config: RunConfig) -> dict[str, RunConfig]:
    """The same run without perception, with perception after the drawing, and beside it."""
    return {
        "blind": replace(config, perception=PerceptionConfig(name="blind")),
        "after": replace(config, perception=replace(config.perception, workers=0)),
        "beside": replace(config, perception=replace(config.perception, workers=1)),
    }


def same_images(plan: Plan, config: RunConfig) -> None:
    """Both sides of the ratio draw the same pictures, to within the rounding of one 8-bit step."""
    with tempfile.TemporaryDirectory() as place:
        bare(plan, 8, Path(place) / "bare")
        ours(config, Path(place) / "run")
        with Store(Path(place) / "run") as store:
            for cell in plan.cells:
                other = np.asarray(Image.open(Path(place) / "bare" / f"{cell.key}.png"), np.int16)
                far = int(np.abs(np.asarray(store.load_image(cell), np.int16) - other).max())
                assert far <= 1, f"{cell.prompt.id} of {cell.subject} differs by {far} steps"


def planned(config: RunConfig) -> Plan:
    """The plan of a config."""
    suite = suite_of(config)
    return plan_run(config, suite, open_tools(config, suite).maker)
