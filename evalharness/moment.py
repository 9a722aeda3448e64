"""When in a training a LoRA was saved: its epoch and step by the trainer's metadata, else by the trainer's names.

name-000008, name-step00002000    kohya sd-scripts and musubi-tuner, also for Anima
name_000002000                    ai-toolkit
2026-01-31_10-00-00-save-1200-8-0 OneTrainer: step, epoch, step within the epoch
checkpoint-2000/pytorch_lora_weights   SimpleTuner and the diffusers examples
epoch8/adapter_model, step2000/adapter_model   diffusion-pipe
name_epoch8, name_step2000        AnimaLoraToolkit
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

SAME_NAMES = ("pytorch_lora_weights", "adapter_model")
"""Stems that a trainer gives to every save; what tells them apart is their folder's name."""

EPOCH_KEYS = ("ss_epoch", "epoch", "modelspec.epoch")
STEP_KEYS = ("ss_steps", "step", "modelspec.step")
TRAINING_INFO = "training_info"
"""ai-toolkit's key: a JSON object with step and epoch."""

EPOCH_NAMES = (
    re.compile(r"-save-\d+-(\d+)-\d+$"),
    re.compile(r"(?:^|[-_. ])e(?:p|poch)?[-_ ]?0*(\d{1,6})(?=$|[-_. ])", re.IGNORECASE),
    re.compile(r"(?<!^checkpoint)-(\d{6})$"),
)
STEP_NAMES = (
    re.compile(r"-save-(\d+)-\d+-\d+$"),
    re.compile(r"(?:^|[-_. ])step[-_ ]?0*(\d{1,9})(?=$|[-_. ])", re.IGNORECASE),
    re.compile(r"^checkpoint-(\d{1,9})$"),
    re.compile(r"_(\d{9})$"),
)


def save_name(path: Path) -> str:
    """What tells a save from the others of its training: the file's stem, or its folder's name where stems are equal.

    >>> save_name(Path("out/checkpoint-2000/pytorch_lora_weights.safetensors"))
    'checkpoint-2000'
    """
    return path.resolve().parent.name if path.stem in SAME_NAMES else path.stem


def find_epoch(metadata: Mapping[str, str], name: str) -> int | None:
    """The epoch by the trainer's metadata, else by the name (`x-000008`, `x_e8`, `x-epoch8`), else None."""
    return _find(metadata, name, EPOCH_KEYS, EPOCH_NAMES)


def find_step(metadata: Mapping[str, str], name: str) -> int | None:
    """The optimizer step by the trainer's metadata, else by the name, else None."""
    return _find(metadata, name, STEP_KEYS, STEP_NAMES)


def _find(
    metadata: Mapping[str, str], name: str, keys: tuple[str, ...], patterns: tuple[re.Pattern[str], ...]
) -> int | None:
    for key in keys:
        if metadata.get(key, "").isdecimal():
            return int(metadata[key])
    told = _training_info(metadata).get(keys[1])
    if isinstance(told, int) and not isinstance(told, bool) and told >= 0:
        return told
    for pattern in patterns:
        if found := pattern.search(name):
            return int(found[1])
    return None


def _training_info(metadata: Mapping[str, str]) -> Mapping[str, object]:
    try:
        info = json.loads(metadata.get(TRAINING_INFO, "{}"))
    except ValueError:
        return {}
    return info if isinstance(info, dict) else {}
