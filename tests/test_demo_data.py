"""The weights and drawings that ship with the package."""

import json
from pathlib import Path

import pytest
from PIL import Image
from safetensors import safe_open

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.demo.reference import reference_caption, sakichan_looks

DATA = Path(__file__).parent.parent / "evalharness" / "demo" / "data"
EPOCHS = [f"sakichan-{number:06}" for number in range(1, 13)]
FAULTY = ["flipped", "orange", "rope"]


def test_all_weights_together_stay_under_20_megabytes() -> None:
    weights = [*(DATA / "checkpoint").rglob("*.safetensors"), *(DATA / "loras").rglob("*.safetensors")]
    assert len(weights) == 3 + len(EPOCHS) + len(FAULTY)
    assert sum(path.stat().st_size for path in weights) <= 20_000_000


def test_clip_of_the_demo_stays_under_3_megabytes() -> None:
    assert sum(path.stat().st_size for path in (DATA / "clip").iterdir()) <= 3_000_000


def test_the_checkpoint_loads_and_has_less_than_nine_million_parameters() -> None:
    ensure_torchvision()
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(DATA / "checkpoint")
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert sum(parameter.numel() for part in parts for parameter in part.parameters()) < 9_000_000
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert pipeline.scheduler.config.rescale_betas_zero_snr


@pytest.mark.parametrize("name", [*EPOCHS, *FAULTY])
def test_each_lora_says_how_it_was_trained(name: str) -> None:
    with safe_open(DATA / "loras" / f"{name}.safetensors", "pt") as opened:
        metadata, keys = opened.metadata(), list(opened.keys())
    assert keys
    assert all(key.startswith("unet.") for key in keys)
    wanted = {"ss_epoch", "ss_steps", "ss_learning_rate", "ss_network_dim", "ss_network_alpha", "ss_flip_aug"}
    assert wanted <= set(metadata)
    if name in EPOCHS:
        assert int(metadata["ss_epoch"]) == int(name[-6:])


def test_the_reference_set_is_the_one_the_code_draws() -> None:
    for number, look in enumerate(sakichan_looks(), 1):
        stem = DATA / "sakichan" / f"{number:02}"
        assert stem.with_suffix(".txt").read_text(encoding="utf-8").strip() == reference_caption(look)
        with Image.open(stem.with_suffix(".png")) as image:
            assert image.size == (128, 128)


def test_the_truth_covers_every_lora_and_names_a_middle_epoch() -> None:
    truth = json.loads((DATA / "truth.json").read_text(encoding="utf-8"))
    overall = {name: shares["overall"] for name, shares in truth["subjects"].items()}
    assert set(overall) == {"base", *EPOCHS, *FAULTY}
    assert 4 <= int(truth["best"][-6:]) <= 10
    assert all(overall[truth["best"]] > overall[other] for other in ("base", EPOCHS[0], EPOCHS[-1]))
