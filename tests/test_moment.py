"""Epochs and steps by the names that trainers give, and by the metadata that goes before any name."""

from pathlib import Path

import pytest

from evalharness.arrivals import PATTERNS, training_folder
from evalharness.moment import find_epoch, find_step, save_name

TRAINERS = {
    "kohya epoch": ("girl-000008.safetensors", 8, None),
    "kohya step": ("girl-step00002000.safetensors", None, 2000),
    "kohya final": ("girl.safetensors", None, None),
    "ai-toolkit": ("girl_000002000.safetensors", None, 2000),
    "ai-toolkit final": ("girl/girl.safetensors", None, None),
    "OneTrainer": ("girl2026-01-31_10-00-00-save-1200-8-0.safetensors", 8, 1200),
    "SimpleTuner": ("checkpoint-2000/pytorch_lora_weights.safetensors", None, 2000),
    "SimpleTuner, six digits": ("checkpoint-200000/pytorch_lora_weights.safetensors", None, 200000),
    "diffusion-pipe epoch": ("20260131_10-00-00/epoch12/adapter_model.safetensors", 12, None),
    "diffusion-pipe step": ("20260131_10-00-00/step2000/adapter_model.safetensors", None, 2000),
    "AnimaLoraToolkit epoch": ("girl_epoch8.safetensors", 8, None),
    "AnimaLoraToolkit step": ("girl_step2000.safetensors", None, 2000),
    "AnimaLoraToolkit stopped": ("girl_interrupted_step70.safetensors", None, 70),
    "a year is no epoch": ("anime2026.safetensors", None, None),
    "a version is no epoch": ("girl_v2.safetensors", None, None),
}


@pytest.mark.parametrize(("path", "epoch", "step"), TRAINERS.values(), ids=TRAINERS)
def test_name_tells_epoch_and_step(path: str, epoch: int | None, step: int | None) -> None:
    name = save_name(Path("/out") / path)
    assert (find_epoch({}, name), find_step({}, name)) == (epoch, step)


@pytest.mark.parametrize("path", [path for path, _, _ in TRAINERS.values()], ids=TRAINERS)
def test_patterns_find_what_trainers_save(path: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    top = tmp_path / "girl" if path.startswith("girl/") else tmp_path
    assert [found for pattern in PATTERNS for found in top.glob(pattern)] == [tmp_path / path]


@pytest.mark.parametrize(
    ("metadata", "epoch", "step"),
    [
        ({"ss_epoch": "7", "ss_steps": "700"}, 7, 700),
        ({"ss_epoch": "None"}, 8, None),
        ({"training_info": '{"step": 2000, "epoch": 3}'}, 3, 2000),
        ({"training_info": '{"step": 2000}'}, 8, 2000),
        ({"training_info": '{"step": "many", "epoch": true}'}, 8, None),
        ({"training_info": "not JSON"}, 8, None),
        ({"training_info": "[1]"}, 8, None),
    ],
)
def test_metadata_goes_before_the_name(metadata: dict[str, str], epoch: int | None, step: int | None) -> None:
    assert (find_epoch(metadata, "girl-000008"), find_step(metadata, "girl-000008")) == (epoch, step)


def test_folder_of_the_training_is_one_up_where_every_save_has_its_own(tmp_path: Path) -> None:
    assert training_folder(tmp_path / "girl-000008.safetensors") == tmp_path
    assert training_folder(tmp_path / "checkpoint-5" / "pytorch_lora_weights.safetensors") == tmp_path
