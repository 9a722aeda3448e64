"""Every model family, drawn by the diffusers maker from a saved folder of a tiny pipeline with random weights."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL.Image import Image
from safetensors.torch import save_file
from tiny_families import FAMILIES, SIZES, save_pipeline
from tiny_pipelines import base_subject, subject_of
from tiny_pipelines import cell as any_cell

from evalharness.backends import placing
from evalharness.backends.diffusers import DiffusersMaker
from evalharness.errors import BackendError
from evalharness.types import Cell, Failure, Subject

TEXTS = ("a girl, happy", "a boy, sad, at night in the rain", "a cat")
NEGATIVE = "blur, text"
WITHOUT_NEGATIVE = ("flux2",)
GUIDANCE = {"qwenimage": "true_cfg_scale"}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {name: save_pipeline(name, root / name) for name in FAMILIES}


@pytest.fixture(scope="module")
def makers(folders: dict[str, Path]) -> dict[str, DiffusersMaker]:
    return {name: DiffusersMaker(str(folder), device="cpu") for name, folder in folders.items()}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def maker(family: str, makers: dict[str, DiffusersMaker]) -> DiffusersMaker:
    return makers[family]


def cell(family: str, text: str = TEXTS[0], *, negative: str = "", **values: Any) -> Cell:
    made = any_cell(text, **{"width": SIZES[family], "height": SIZES[family], **values})
    return dataclasses.replace(made, prompt=dataclasses.replace(made.prompt, negative=negative))


def pixels(image: Image | Failure) -> npt.NDArray[np.int16]:
    assert not isinstance(image, Failure), image
    return np.asarray(image, dtype=np.int16)


def one(maker: DiffusersMaker, wanted: Cell, subject: Subject | None = None) -> npt.NDArray[np.int16]:
    return pixels(maker.generate(subject or base_subject(), [wanted])[0])


def far(first: npt.NDArray[np.int16], second: npt.NDArray[np.int16]) -> int:
    return int(np.abs(first - second).max())


def test_a_saved_folder_draws_an_image_of_the_wanted_size(family: str, maker: DiffusersMaker) -> None:
    assert maker.fingerprint()["family"] == family
    assert one(maker, cell(family)).shape == (SIZES[family], SIZES[family], 3)


def test_a_batch_of_prompts_of_three_lengths_equals_each_alone(family: str, maker: DiffusersMaker) -> None:
    negatives = ("", "", "") if family in WITHOUT_NEGATIVE else ("", NEGATIVE, "rope")
    cells = [
        cell(family, text, negative=negative, seed=seed)
        for seed, (text, negative) in enumerate(zip(TEXTS, negatives, strict=True))
    ]

    together = [pixels(image) for image in maker.generate(base_subject(), cells)]

    assert max(far(image, one(maker, wanted)) for image, wanted in zip(together, cells, strict=True)) <= 1
    assert far(together[0], together[2]) > 1


def test_prompts_encoded_beforehand_draw_what_the_call_makes_of_texts(family: str, folders: dict[str, Path]) -> None:
    negative = "" if family in (*WITHOUT_NEGATIVE, "flux2_klein") else NEGATIVE
    wanted = cell(family, negative=negative, guidance_scale=3.0)

    image = one(DiffusersMaker(str(folders[family]), device="cpu"), wanted)

    assert np.array_equal(image, bare(family, folders[family], wanted))


def bare(family: str, folder: Path, wanted: Cell) -> npt.NDArray[np.int16]:
    """What a user's own call of the pipeline draws, the prompt given as text."""
    import diffusers

    arguments: dict[str, Any] = {GUIDANCE.get(family, "guidance_scale"): wanted.setting.guidance_scale}
    if family == "anima":
        pipe = diffusers.ModularPipeline.from_pretrained(str(folder))
        pipe.load_components()
        pipe.update_components(guider=pipe.guider.new(guidance_scale=arguments.pop("guidance_scale")))
    else:
        pipe = diffusers.DiffusionPipeline.from_pretrained(folder)
    if wanted.prompt.negative:
        arguments["negative_prompt"] = [wanted.prompt.negative]
    output = pipe(
        prompt=[wanted.prompt.text],
        generator=[torch.Generator("cpu").manual_seed(wanted.seed)],
        num_inference_steps=wanted.setting.steps,
        width=wanted.setting.width,
        height=wanted.setting.height,
        output_type="np",
        **arguments,
        **({"num_frames": 1} if family == "wan" else {}),
    )
    values = output.frames[0] if family == "wan" else output.images
    return (np.asarray(values[0]) * 255).round().astype(np.int16)


def test_guidance_changes_the_picture(family: str, maker: DiffusersMaker) -> None:
    assert far(one(maker, cell(family, guidance_scale=2.0)), one(maker, cell(family, guidance_scale=7.0))) > 1


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in WITHOUT_NEGATIVE], indirect=True)
def test_a_negative_prompt_changes_the_picture(family: str, maker: DiffusersMaker) -> None:
    assert far(one(maker, cell(family)), one(maker, cell(family, negative=NEGATIVE))) > 1


@pytest.mark.parametrize("family", WITHOUT_NEGATIVE, indirect=True)
def test_a_negative_prompt_is_refused_where_the_pipeline_has_none(family: str, maker: DiffusersMaker) -> None:
    with pytest.raises(BackendError, match="Flux2Pipeline takes no negative prompt, and prompt 'a girl, happy' has on"):
        one(maker, cell(family, negative=NEGATIVE))


def test_a_distilled_klein_refuses_a_negative_prompt(folders: dict[str, Path], tmp_path: Path) -> None:
    import json

    folder = Path(shutil.copytree(folders["flux2_klein"], tmp_path / "distilled"))
    index = folder / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "is_distilled": True}))

    with pytest.raises(BackendError, match="takes no negative prompt"):
        one(DiffusersMaker(str(folder), device="cpu"), cell("flux2_klein", negative=NEGATIVE))


def test_the_texts_reach_the_pipeline_in_lists_of_their_own(family: str, maker: DiffusersMaker) -> None:
    """Z-Image writes its chat template into the list it is given: one used twice would be templated twice."""
    first = one(maker, cell(family, "a girl with a list", seed=4))
    maker._prompts._kept.clear()

    assert np.array_equal(first, one(maker, cell(family, "a girl with a list", seed=4)))


def test_a_prompt_is_encoded_once(family: str, maker: DiffusersMaker) -> None:
    calls: list[None] = []
    one(maker, cell(family, "once", seed=1))
    hook = maker._pipe.text_encoder.register_forward_hook(lambda *_: calls.append(None))

    one(maker, cell(family, "once", seed=2, guidance_scale=2.5))
    hook.remove()

    assert not calls


def lora_file(maker: DiffusersMaker, path: Path) -> Subject:
    """A LoRA in diffusers' own format over the attention of every denoiser that the family trains."""
    generator = torch.Generator("cpu").manual_seed(7)
    tensors: dict[str, torch.Tensor] = {}
    for name in maker._family.denoisers:
        for layer, module in getattr(maker._pipe, name).named_modules():
            if layer.endswith((".to_q", ".to_v", ".q_proj", ".v_proj")) and hasattr(module, "in_features"):
                tensors[f"{name}.{layer}.lora_A.weight"] = torch.randn(2, module.in_features, generator=generator)
                tensors[f"{name}.{layer}.lora_B.weight"] = torch.randn(module.out_features, 2, generator=generator)
    if "transformer_2" in maker._family.denoisers:
        tensors = {key: value for key, value in tensors.items() if not key.startswith("transformer_2.")}
    save_file(tensors, path)
    return subject_of(path)


def test_strength_0_after_a_lora_is_the_base_bit_for_bit(family: str, folders: dict[str, Path], tmp_path: Path) -> None:
    maker = DiffusersMaker(str(folders[family]), device="cpu")
    base = one(maker, cell(family))
    subject = lora_file(maker, tmp_path / "style.safetensors")

    changed = one(maker, cell(family, strength=1.0), subject)

    assert far(base, changed) > 1
    assert np.array_equal(base, one(maker, cell(family, strength=0.0), subject))
    assert np.array_equal(base, one(maker, cell(family)))


def test_a_second_maker_of_the_same_folder_draws_the_same(
    family: str, maker: DiffusersMaker, folders: dict[str, Path]
) -> None:
    again = DiffusersMaker(str(folders[family]), device="cpu")

    assert np.array_equal(one(maker, cell(family, seed=9)), one(again, cell(family, seed=9)))
    assert maker.fingerprint() == again.fingerprint()


@pytest.mark.parametrize("family", ["anima"], indirect=True)
def test_a_moved_modular_folder_loads_its_own_parts_and_keeps_its_fingerprint(
    family: str, maker: DiffusersMaker, tmp_path: Path
) -> None:
    """Its index holds the absolute path that it was saved to."""
    first = save_pipeline("anima", tmp_path / "first")
    moved = Path(shutil.move(first, tmp_path / "second"))

    again = DiffusersMaker(str(moved), device="cpu")

    assert np.array_equal(one(maker, cell(family)), one(again, cell(family)))
    assert maker.fingerprint() == again.fingerprint()


def test_parked_text_encoders_change_no_pixel_and_come_back_for_a_new_prompt(
    family: str, folders: dict[str, Path]
) -> None:
    maker = DiffusersMaker(str(folders[family]), device="cpu")
    expected = one(maker, cell(family))
    maker._prompts._parks = True

    one(maker, cell(family))
    assert maker._prompts._parked
    seen: list[object] = []
    denoiser = getattr(maker._pipe, maker._family.backbone)
    hook = denoiser.register_forward_pre_hook(lambda *_: seen.append(maker._pipe.text_encoder))
    assert np.array_equal(expected, one(maker, cell(family)))
    hook.remove()
    assert seen
    assert set(seen) == {None}
    assert maker._pipe.text_encoder is not None
    one(maker, cell(family, "a new prompt"))
    assert not maker._prompts._parked


def test_prompts_told_beforehand_are_encoded_before_the_denoiser_is_placed_and_draw_the_same(
    family: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [cell(family, text, seed=seed) for seed, text in enumerate(TEXTS[:2])]
    plain = DiffusersMaker(str(folders[family]), device="cpu")
    expected = [one(plain, wanted) for wanted in cells]
    maker = DiffusersMaker(str(folders[family]), device="cpu")
    maker._prompts._parks = True
    placed: list[tuple[int, object]] = []
    place = placing.place

    def seen(pipe: Any, *more: Any) -> None:
        placed.append((len(maker._prompts._kept), pipe.text_encoder))
        place(pipe, *more)

    monkeypatch.setattr(placing, "place", seen)
    maker.expect(cells)
    assert not placed and maker._prompts._parked
    hook = maker._pipe.text_encoder.register_forward_hook(lambda *_: pytest.fail("a prompt was encoded twice"))

    again = [one(maker, wanted) for wanted in cells]

    hook.remove()
    assert placed == [(2, None)], "once, with all prompts known and without the text encoder"
    assert all(np.array_equal(first, second) for first, second in zip(expected, again, strict=True))
    assert maker._prompts._parked and maker._pipe.text_encoder is not None


@pytest.mark.parametrize("family", ["sd"])
def test_prompts_are_encoded_without_the_lora_that_is_loaded_already(
    family: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    """A run proves its subjects before it tells what is to come."""
    wanted, path = cell(family), tmp_path / "text.safetensors"
    expected = one(DiffusersMaker(str(folders[family]), device="cpu"), wanted)
    maker = DiffusersMaker(str(folders[family]), device="cpu")
    name = "lora_te_text_model_encoder_layers_0_self_attn_q_proj"
    save_file({f"{name}.diff_b": torch.full((16,), 5.0)}, path)
    subject = subject_of(path)
    maker.prove(subject)
    one(maker, cell(family, strength=1.0), subject)
    maker._prompts._kept.clear()

    maker.expect([wanted, cell(family, strength=1.0)])

    assert len(maker._prompts._kept) == 1
    assert np.array_equal(expected, one(maker, wanted))


@pytest.mark.parametrize("family", ["anima"], indirect=True)
def test_animas_text_encoder_takes_loras(family: str, maker: DiffusersMaker, tmp_path: Path) -> None:
    base = one(maker, cell(family))
    layer = maker._pipe.text_encoder.get_submodule("layers.0.self_attn.q_proj")
    path, name = tmp_path / "text.safetensors", "lora_te_layers_0_self_attn_q_proj"
    generator = torch.Generator("cpu").manual_seed(7)
    down, up = (torch.randn(*size, generator=generator) for size in ((2, layer.in_features), (layer.out_features, 2)))
    save_file({f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}, path)

    changed = one(maker, cell(family, strength=1.0), subject_of(path))

    assert far(base, changed) > 1
    assert np.array_equal(base, one(maker, cell(family)))


SINGLE = ("flux2", "flux2_klein", "zimage", "qwenimage")


@pytest.mark.parametrize("family", SINGLE, indirect=True)
def test_a_file_of_the_transformer_draws_with_the_rest_of_its_config_folder(
    family: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders[family], tmp_path / "rest"))
    file = tmp_path / "transformer.safetensors"
    shutil.move(folder / "transformer" / "diffusion_pytorch_model.safetensors", file)

    maker = DiffusersMaker(str(file), device="cpu", options={"config": str(folder)})

    assert np.array_equal(
        one(maker, cell(family)), one(DiffusersMaker(str(folders[family]), device="cpu"), cell(family))
    )


@pytest.mark.parametrize("family", ["anima", "wan"])
def test_a_single_file_that_says_too_little_is_refused_in_a_sentence(
    family: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    file = Path(
        shutil.copy(
            folders[family] / "transformer" / "diffusion_pytorch_model.safetensors", tmp_path / "one.safetensors"
        )
    )

    with pytest.raises(BackendError, match=r"cannot be made from the single file .*give"):
        one(DiffusersMaker(str(file), device="cpu", options={"config": str(folders[family])}), cell(family))


def test_a_single_transformers_fingerprint_changes_with_the_text_encoder(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(folders["zimage"], tmp_path / "rest"))
    file = shutil.move(folder / "transformer" / "diffusion_pytorch_model.safetensors", tmp_path / "t.safetensors")
    before = DiffusersMaker(str(file), options={"config": str(folder)}).fingerprint()
    weight = folder / "text_encoder" / "model.safetensors"
    weight.write_bytes(weight.read_bytes()[:-1] + b"\x01")

    assert DiffusersMaker(str(file), options={"config": str(folder)}).fingerprint() != before


def test_a_wide_image_is_wide_and_guidance_of_1_draws_too(family: str, maker: DiffusersMaker) -> None:
    wide = cell(family, width=2 * SIZES[family], guidance_scale=1.0)

    assert one(maker, wide).shape == (SIZES[family], 2 * SIZES[family], 3)


def test_half_precision_draws_and_is_in_the_fingerprint(family: str, folders: dict[str, Path]) -> None:
    half = DiffusersMaker(str(folders[family]), device="cpu", dtype="bfloat16")

    assert one(half, cell(family)).std() > 1
    assert half.fingerprint()["dtype"] == "bfloat16"
    for part in half._family.denoisers:
        assert getattr(half._pipe, part).dtype == torch.bfloat16
    for part in half._family.full_precision:
        assert getattr(half._pipe, part).dtype == torch.float32


@pytest.mark.parametrize("family", ["sd", "anima"], indirect=True)
def test_a_hub_id_draws_from_the_local_cache_without_the_network(
    family: str, maker: DiffusersMaker, folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "models--someone--tiny"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0123456789abcdef0123456789abcdef01234567")
    shutil.copytree(folders[family], cached / "snapshots" / "0123456789abcdef0123456789abcdef01234567")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    from_hub = DiffusersMaker("someone/tiny", device="cpu")

    assert from_hub.fingerprint() == maker.fingerprint()
    assert np.array_equal(one(from_hub, cell(family)), one(maker, cell(family)))


@pytest.mark.parametrize(
    ("family", "size"), [("sd", (64, 64)), ("sdxl", (64, 64)), ("anima", (1024, 1024)), ("wan", (832, 480))]
)
def test_the_native_size_is_the_configs_or_the_familys(
    family: str, size: tuple[int, int], makers: dict[str, DiffusersMaker]
) -> None:
    assert makers[family].native_size() == size


def test_a_size_between_two_steps_is_refused_with_the_step(family: str, maker: DiffusersMaker) -> None:
    with pytest.raises(BackendError, match=r"cannot be drawn; sizes must be multiples of (8|16) "):
        one(maker, cell(family, width=SIZES[family] + 4))
