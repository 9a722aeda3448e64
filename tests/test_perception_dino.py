"""perception=dino on a tiny DINOv2 built from a config, in a Hugging Face cache faked on disk; hub off."""

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stand_ins
from judging import cell_of
from PIL import Image

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.cli import main
from evalharness.errors import ConfigError, PerceptionError
from evalharness.models import table
from evalharness.models.table import find_model, models
from evalharness.perception.anime.picture import numbers_of
from evalharness.perception.base import TextReader
from evalharness.perception.clip.perceiver import ClipPerceiver
from evalharness.perception.dino.network import opened_network
from evalharness.perception.dino.perceiver import DinoPerceiver
from evalharness.perception.photo.perceiver import PhotoPerceiver
from evalharness.record import load_run
from evalharness.scorers.identity import Identity
from evalharness.scorers.likeness import CopyRisk
from evalharness.scorers.vectors import compared_by
from evalharness.types import Observation, Reference

ensure_torchvision()

NAME = "dinov2-small"
WIDTH = 24


def noise(seed: int, size: tuple[int, int] = (75, 60)) -> Image.Image:
    """Coarse coloured squares, so that pictures differ after they are reduced."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.NEAREST)


def made(folder: Path, **more: Any) -> dict[str, bytes]:
    """The files of a tiny DINOv2 with random weights, as transformers saves them."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, image_size=224, patch_size=14, **more
    )
    Dinov2Model(config).eval().save_pretrained(folder, safe_serialization=True)
    return {name: (folder / name).read_bytes() for name in ("config.json", "model.safetensors")}


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Our own entry of the table with other bytes, which lie in the cache as the hub's client puts them there."""
    files = made(tmp_path / "made")
    install(tmp_path, monkeypatch, files)
    return tmp_path


def install(folder: Path, patch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    model = models()[NAME]
    stand_ins.use_cache(folder / "hub", patch)
    stand_ins.put(folder / "hub", model, files)
    stand_ins.write_table(folder / "models.toml", {NAME: model}, {NAME: files})
    table._read.cache_clear()
    patch.setenv("EVALHARNESS_MODELS", str(folder / "models.toml"))


def test_picture_gains_an_embedding_and_says_whose_it_is(tiny: Path) -> None:
    (seen,) = DinoPerceiver().observe([noise(1)])
    assert len(seen.embeddings[NAME]) == WIDTH
    assert np.linalg.norm(seen.embeddings[NAME]) == pytest.approx(1.0, abs=1e-3)
    assert seen.judges["pictures"] == compared_by(seen) == NAME
    assert seen.layout, "offline perception looked, too"


@pytest.mark.parametrize("size", [(75, 60), (224, 224), (90, 131)])
def test_embedding_is_that_of_transformers(tiny: Path, size: tuple[int, int]) -> None:
    """By the library's own steps, from the picture's preparation to the class token."""
    import torch
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor
    from transformers import Dinov2Model

    prepare = Compose(
        [
            Resize(256, InterpolationMode.BICUBIC),
            CenterCrop(224),
            ToTensor(),
            Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    picture = noise(2, size)
    pixels = prepare(picture)
    assert np.allclose(numbers_of(picture, find_model(NAME).input)[0], pixels.numpy(), atol=1e-5)
    with torch.no_grad():
        told = Dinov2Model.from_pretrained(tiny / "made")(pixel_values=pixels[None]).pooler_output[0]
    (seen,) = DinoPerceiver().observe([picture])
    assert seen.embeddings[NAME] == pytest.approx((told / told.norm()).tolist(), abs=1e-4)


def test_repeated_picture_is_alike_and_another_one_less(tiny: Path) -> None:
    pictures = [noise(1), noise(1), *(noise(seed) for seed in (2, 3, 4, 5))]
    seen = DinoPerceiver().observe(pictures)
    near = np.array([one.embeddings[NAME] for one in seen]) @ np.array(seen[0].embeddings[NAME])
    assert near[1] == pytest.approx(1.0, abs=1e-4)
    assert (near[2:] < 0.999).all()
    references = Reference(names=tuple("abcde"), observations=tuple(seen[1:]))
    copy = CopyRisk().score(cell_of("epoch", "p0", 1), seen[0], references)
    assert copy.value == 1.0 and f"to a, by {NAME}" in copy.reason


def test_identity_by_a_dino_takes_its_limit_from_the_references(tiny: Path) -> None:
    references = DinoPerceiver().observe([Image.new("RGB", (64, 64), (200 + n, 30, 40)) for n in range(6)])
    known = Reference(names=tuple("abcdef"), observations=tuple(references))
    (same, other) = DinoPerceiver().observe([Image.new("RGB", (64, 64), (203, 30, 40)), noise(9)])
    cell = cell_of("epoch", "p0", 1)
    score = Identity().score(cell, same, known)
    assert score.value == 1.0 and "style and outfit count, too" in score.reason
    assert Identity().score(cell, other, known).value == 0.0
    few = Identity().score(cell, same, Reference(names=("a",) * 4, observations=tuple(references[:4])))
    assert few.value is None and "at least 5 are needed" in few.reason


def test_files_of_the_cache_are_opened_without_a_network(tiny: Path) -> None:
    assert opened_network(find_model(NAME), "cpu").config.hidden_size == WIDTH


def test_missing_and_changed_files_are_one_sentence(tiny: Path) -> None:
    model = find_model(NAME)
    stand_ins.put(tiny / "hub", model, {"model.safetensors": b"other"})
    with pytest.raises(PerceptionError, match=r"model\.safetensors of model dinov2-small is not the file"):
        DinoPerceiver().observe([noise(1)])
    next((tiny / "hub").rglob("model.safetensors")).unlink()
    with pytest.raises(PerceptionError, match=r"evalharness models fetch dinov2-small$"):
        DinoPerceiver().observe([noise(1)])


def test_weights_of_another_network_are_refused_and_not_filled_with_noise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep, shallow = made(tmp_path / "deep"), made(tmp_path / "wide", mlp_ratio=2)
    install(tmp_path, monkeypatch, {**deep, "config.json": shallow["config.json"]})
    with pytest.raises(PerceptionError, match=r"is not the network that .*config\.json tells of"):
        DinoPerceiver().observe([noise(1)])
    from safetensors.numpy import load, save

    fewer = {name: value for name, value in load(deep["model.safetensors"]).items() if "layer.1" not in name}
    install(tmp_path, monkeypatch, {**deep, "model.safetensors": save(fewer, {"format": "pt"})})
    with pytest.raises(PerceptionError, match=r"it lacks encoder\.layer\.1"):
        DinoPerceiver().observe([noise(1)])


def test_fingerprint_names_the_weights_and_the_perceiver_beside(tiny: Path) -> None:
    found = DinoPerceiver(parts="rules").fingerprint()
    digest = hashlib.sha256((tiny / "made" / "model.safetensors").read_bytes()).hexdigest()
    assert digest[:12] in str(found["model"]) and found["offline parts"] == "rules"


def test_perceiver_goes_to_another_process_and_looks_alike_there(tiny: Path) -> None:
    there = pickle.loads(pickle.dumps(DinoPerceiver()))
    assert there.observe([noise(3)]) == DinoPerceiver().observe([noise(3)])


def test_dino_looks_beside_a_clip_or_a_clip_beside_it_and_prompts_are_read_in_both(tiny: Path) -> None:
    pytest.importorskip("open_clip", reason="needs evalharness[clip]")
    inner = ClipPerceiver(model="demo-clip", beside="dino")
    outer = DinoPerceiver(beside=["clip", "photo"], model="demo-clip")
    (one,), (other,) = inner.observe([noise(1)]), DinoPerceiver(beside="clip", model="demo-clip").observe([noise(1)])
    assert one == other
    assert (one.judges["likeness"], one.judges["pictures"]) == ("demo-clip", NAME)
    assert compared_by(one) == NAME, "a model that was taught by pictures alone comes first"
    assert isinstance(outer, TextReader) and inner.observe_texts(["hoodie"]) == outer.observe_texts(["hoodie"])
    first = outer.beside
    assert isinstance(first, ClipPerceiver) and isinstance(first.beside, PhotoPerceiver) and first.name == "photo"


def test_texts_are_nothing_where_nobody_reads_them(tiny: Path) -> None:
    assert DinoPerceiver().observe_texts(["a", "b"]) == [Observation(width=0, height=0)] * 2


def test_wrong_names_are_refused_with_the_nearest(tiny: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'dinov2-small'"):
        DinoPerceiver(dino="dinov2-smal")
    with pytest.raises(PerceptionError, match="beside another"):
        DinoPerceiver(beside=["photo", "dino"])
    with pytest.raises(PerceptionError, match="cpu"):
        DinoPerceiver(device="cpuu")


SUITE = """
name: compared
prompts:
  - {id: red, text: a red picture, axes: {what: red}}
seeds: [1]
references: '%s'
scorers: [copy_risk, embedding_diversity, embedding_drift, identity, prompt_similarity, reference_similarity]
files: {pattern: "{what}_{variant}.png"}
"""


def test_pictures_of_a_folder_are_compared_with_references(tiny: Path, tmp_path: Path) -> None:
    for folder in ("suites", "pictures", "references"):
        (tmp_path / folder).mkdir()
    for number in range(5):
        noise(number).save(tmp_path / "references" / f"{number}.png")
    for number in (1, 2):
        noise(number).save(tmp_path / "pictures" / f"red_{number}.png")
    (tmp_path / "suites" / "compared.yaml").write_text(SUITE % (tmp_path / "references"))
    command = ["score", str(tmp_path / "pictures"), "--config-dir", str(tmp_path), "suite=compared", "perception=dino"]
    assert main([*command, "perception.workers=0", f"folder='{tmp_path / 'run'}'"]) in (0, 3, 4)
    found = load_run(tmp_path / "run")
    scores = {one.metric: one for one in found.scores[found.cells[0].key]}
    assert scores["copy_risk"].value == 1.0 and NAME in scores["copy_risk"].reason
    assert scores["identity"].value is not None and scores["reference_similarity"].value is not None
    assert (scores["embedding_diversity"].value or 0.0) > 0.0
    assert scores["prompt_similarity"].value is None and "needs a CLIP" in scores["prompt_similarity"].reason
