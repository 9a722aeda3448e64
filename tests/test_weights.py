"""Model files: found or refused in one sentence, and known by their bytes, not by their path."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_pipelines import base_subject, cell, tiny_sd

from evalharness.backends import loading, weights
from evalharness.backends.diffusers import DiffusersMaker
from evalharness.errors import BackendError


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sd(tmp_path_factory.mktemp("weights") / "tiny-sd")


@pytest.fixture
def model(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "models" / "tiny-sd"))


def test_the_fingerprint_does_not_depend_on_the_path(pristine: Path, model: Path) -> None:
    assert DiffusersMaker(str(pristine)).fingerprint() == DiffusersMaker(str(model)).fingerprint()


def test_the_fingerprint_changes_with_one_byte_of_a_weight(model: Path) -> None:
    before = DiffusersMaker(str(model)).fingerprint()
    file = model / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    after = DiffusersMaker(str(model)).fingerprint()

    assert {name for name in before if before[name] != after[name]} == {"weights"}


def test_the_fingerprint_changes_with_the_scheduler(model: Path) -> None:
    before = weights.model_digest(model)
    file = model / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "prediction_type": "v_prediction"}))

    assert weights.model_digest(model) != before


def test_a_missing_folder_names_the_nearest_one(model: Path) -> None:
    with pytest.raises(BackendError, match=r"model '.*tiny-ds' does not exist. Did you mean '.*tiny-sd'\?"):
        weights.locate(str(model.with_name("tiny-ds")))


def test_a_hub_id_that_is_not_cached_names_the_command_that_fetches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))

    with pytest.raises(BackendError, match=r"nor in the Hugging Face cache.* hf download someone/some-model"):
        weights.locate("someone/some-model")


def test_a_folder_without_an_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"has no model_index\.json"):
        weights.locate(str(tmp_path))


def test_a_pipeline_of_another_kind_is_refused_with_the_known_ones(model: Path) -> None:
    index = model / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "_class_name": "StableDiffusionPipelin"}))

    with pytest.raises(BackendError, match=r"unknown pipeline .* Did you mean 'StableDiffusionPipeline'"):
        DiffusersMaker(str(model)).fingerprint()


def test_pickled_weights_are_refused_and_the_flag_named(model: Path) -> None:
    for file in model.glob("*/*.safetensors"):
        file.rename(file.with_suffix(".bin"))

    with pytest.raises(BackendError, match=r"backend\.options\.allow_pickle=true"):
        weights.locate(str(model))
    assert weights.locate(str(model), allow_pickle=True) == model


def test_a_pickled_checkpoint_is_refused_and_opened_when_allowed(tmp_path: Path) -> None:
    file = tmp_path / "old.ckpt"
    torch.save({"state_dict": {"cond_stage_model.x": torch.zeros(1)}}, file)

    with pytest.raises(BackendError, match=r"backend\.options\.allow_pickle=true"):
        weights.locate(str(file))
    assert loading.family_of(weights.locate(str(file), allow_pickle=True)).name == "sd"


def test_a_pickle_that_runs_code_is_refused_even_when_pickles_are_allowed(tmp_path: Path) -> None:
    import pickle

    file = tmp_path / "evil.ckpt"
    file.write_bytes(pickle.dumps({"state_dict": print}))

    with pytest.raises(BackendError, match="cannot be read as a checkpoint"):
        loading.family_of(file)


def test_a_truncated_weight_is_named(model: Path) -> None:
    file = model / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])

    with pytest.raises(BackendError, match=r"unet/diffusion_pytorch_model\.safetensors is damaged or truncated"):
        DiffusersMaker(str(model), device="cpu").generate(base_subject(), [cell()])


def test_a_folder_with_a_missing_part_is_one_sentence(model: Path) -> None:
    shutil.rmtree(model / "vae")

    with pytest.raises(BackendError, match="cannot be loaded as StableDiffusionPipeline"):
        DiffusersMaker(str(model), device="cpu").generate(base_subject(), [cell()])


@pytest.mark.parametrize(
    ("key", "name", "size"),
    [("cond_stage_model.transformer.x", "sd", 512), ("conditioner.embedders.1.model.x", "sdxl", 1024)],
)
def test_the_family_of_a_single_file_is_read_from_its_keys(tmp_path: Path, key: str, name: str, size: int) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"first_stage_model.x": torch.zeros(1), key: torch.zeros(1)}, file)

    assert loading.family_of(file).name == name
    assert DiffusersMaker(str(file)).native_size() == (size, size)


def test_a_single_file_without_configs_names_the_command_that_fetches_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "model.safetensors"
    save_file({"cond_stage_model.x": torch.zeros(1)}, file)

    with pytest.raises(
        BackendError, match=r"options\.config=FOLDER, or fetch them first: hf download stable-diffusion"
    ):
        DiffusersMaker(str(file)).fingerprint()


def test_a_single_files_fingerprint_changes_with_its_configs(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    save_file({"cond_stage_model.x": torch.zeros(1)}, file)
    maker = DiffusersMaker(str(file), options={"config": str(model)})
    before = maker.fingerprint()
    (model / "scheduler" / "scheduler_config.json").write_text("{}")

    assert maker.fingerprint() != before


def test_a_lora_given_as_the_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lora.safetensors"
    save_file({"lora_unet_x.lora_down.weight": torch.zeros(1)}, file)

    with pytest.raises(BackendError, match="no full checkpoint of a known family"):
        DiffusersMaker(str(file)).fingerprint()


def test_a_text_file_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")

    with pytest.raises(BackendError, match="is not a model"):
        weights.locate(str(file))
