"""Models and LoRAs that are damaged, foreign or broken: refused with one sentence before anything is stored."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from faulty import Command, one_sentence
from safetensors.numpy import load_file, save_file

from evalharness.paths import resolve

Broken = Callable[[Path], list[str]]
PROMPT = "suite.prompts=[{id: a, text: 'sakichan, 1girl', expect: {faces: 1}}]"
SMALL = [PROMPT, "suite.seeds=[1]", "suite.strengths=[1.0]", "suite.settings={steps: 1, size: [64, 64]}"]


def real(*more: str) -> list[str]:
    """Overrides that draw with the demo's pipeline."""
    return ["backend=diffusers", *SMALL, *more]


def checkpoint(place: Path) -> Path:
    return Path(shutil.copytree(resolve("demo:checkpoint"), place / "model"))


def weights(model: Path, component: str) -> Path:
    (file,) = (model / component).glob("*.safetensors")
    return file


def truncated_model(place: Path) -> list[str]:
    model = checkpoint(place)
    file = weights(model, "unet")
    file.write_bytes(file.read_bytes()[:-1000])
    return real(f"backend.model='{model}'")


def corrupt_model(place: Path) -> list[str]:
    model = checkpoint(place)
    weights(model, "vae").write_bytes(b"\x08\0\0\0\0\0\0\0not json and some more")
    return real(f"backend.model='{model}'")


def pickled_model(place: Path) -> list[str]:
    (place / "model.ckpt").write_bytes(b"\x80\x04.")
    return real(f"backend.model='{place / 'model.ckpt'}'")


def absent_model(place: Path) -> list[str]:
    return real("backend.model=someone/some-model")


def lora_of_nan(place: Path) -> list[str]:
    tensors = load_file(resolve("demo:loras/sakichan-000007.safetensors"))
    tensors[min(tensors)][:] = np.nan
    save_file(tensors, place / "diverged.safetensors")
    return real(f"subjects=['{place / 'diverged.safetensors'}']")


def foreign_lora(place: Path) -> list[str]:
    save_file({"somewhere.else.weight": np.ones((2, 2), np.float32)}, place / "foreign.safetensors")
    return real(f"subjects=['{place / 'foreign.safetensors'}']")


def damaged_lora(place: Path) -> list[str]:
    file = place / "damaged.safetensors"
    save_file({"lora_A.weight": np.ones((2, 2), np.float32)}, file)
    file.write_bytes(file.read_bytes()[:8] + b"\xff" * 40 + file.read_bytes()[48:])
    return [f"subjects=['{file}']"]


def pickled_lora(place: Path) -> list[str]:
    (place / "lora.pt").write_bytes(b"\x80\x04.")
    return [f"subjects=['{place / 'lora.pt'}']"]


CASES: dict[str, tuple[Broken, str]] = {
    "truncated model": (truncated_model, "is damaged or truncated"),
    "corrupt model": (corrupt_model, "is damaged or truncated"),
    "pickled model": (pickled_model, "allow it with backend.options.allow_pickle=true"),
    "model that was not fetched": (absent_model, "fetch it first: hf download someone/some-model"),
    "LoRA with NaN": (lora_of_nan, "hold NaN or infinity"),
    "LoRA for another model": (foreign_lora, "was it trained for another model family?"),
    "damaged LoRA": (damaged_lora, "it is damaged, save it again"),
    "pickled LoRA": (pickled_lora, "no flag allows that for LoRAs"),
}


@pytest.mark.parametrize(("broken", "sentence"), CASES.values(), ids=CASES)
def test_it_is_refused_with_one_sentence_before_any_image(
    broken: Broken, sentence: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "no-cache"))
    code, errors = command(tmp_path / "run", *broken(tmp_path))

    assert code == 2
    assert one_sentence(errors), errors
    assert sentence in errors
    assert not list((tmp_path / "run").rglob("*.png"))
