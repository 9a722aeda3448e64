"""LoRA files are proven applied, tensor by tensor, or refused with counts and examples."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tiny_pipelines import Format, base_subject, cell, lora_subject, lora_tensors, subject_of, tiny_sd, tiny_sdxl

from evalharness.backends.diffusers import DiffusersMaker
from evalharness.backends.lora.differ import differs
from evalharness.errors import SubjectError
from evalharness.types import Failure, Subject


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and lose seconds where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sd(tmp_path_factory.mktemp("lora") / "tiny-sd")


@pytest.fixture
def maker(model: Path) -> DiffusersMaker:
    return DiffusersMaker(str(model), device="cpu")


def image(maker: DiffusersMaker, subject: Subject, strength: float = 1.0) -> Image.Image:
    (made,) = maker.generate(subject, [cell(strength=strength)])
    assert not isinstance(made, Failure)
    return made


@pytest.mark.parametrize(
    ("form", "components"),
    [
        ("diffusers", ("unet",)),
        ("peft", ("unet",)),
        ("peft", ("text_encoder",)),
        ("peft", ("unet", "text_encoder")),
        ("kohya", ("unet",)),
        ("kohya", ("text_encoder",)),
        ("kohya", ("unet", "text_encoder")),
    ],
)
def test_a_lora_in_each_format_is_proven_and_changes_the_image(
    maker: DiffusersMaker, model: Path, tmp_path: Path, form: Format, components: tuple[str, ...]
) -> None:
    subject = lora_subject(tmp_path / "x.safetensors", lora_tensors(model, form, components=components))

    maker.prove(subject)

    assert differs(image(maker, subject), image(maker, base_subject(), 0.0))


def test_formats_of_the_same_weights_draw_the_same_image(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    images = [
        image(maker, lora_subject(tmp_path / f"{form}.safetensors", lora_tensors(model, form, alpha=alpha)))
        for form, alpha in (("peft", None), ("diffusers", None), ("kohya", 4.0))
    ]

    assert not differs(images[0], images[1])
    assert not differs(images[0], images[2])


def test_kohyas_alpha_scales_the_weights(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    subject = lora_subject(tmp_path / "half.safetensors", lora_tensors(model, "kohya", alpha=2.0))
    plain = lora_subject(tmp_path / "plain.safetensors", lora_tensors(model, "peft"))

    assert not differs(image(maker, subject, 1.0), image(maker, plain, 0.5))
    assert differs(image(maker, subject, 1.0), image(maker, plain, 1.0))


def test_a_lora_for_sdxl_is_proven_on_sdxl(tmp_path: Path) -> None:
    folder = tiny_sdxl(tmp_path / "tiny-sdxl")
    maker = DiffusersMaker(str(folder), device="cpu")
    subject = lora_subject(tmp_path / "x.safetensors", lora_tensors(folder, "peft"))

    maker.prove(subject)

    assert differs(image(maker, subject), image(maker, base_subject(), 0.0))


def test_half_precision_files_are_proven_too(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    tensors = {key: tensor.half() for key, tensor in lora_tensors(model).items()}

    maker.prove(lora_subject(tmp_path / "half.safetensors", tensors))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_full_precision_files_are_proven_on_a_half_precision_model(model: Path, tmp_path: Path, dtype: str) -> None:
    maker = DiffusersMaker(str(model), device="cpu", dtype=dtype)
    tensors = lora_tensors(model)

    maker.prove(lora_subject(tmp_path / "full.safetensors", tensors))
    with pytest.raises(SubjectError, match="1 of 65 keys found no layer"):
        maker.prove(lora_subject(tmp_path / "bogus.safetensors", tensors | {BOGUS: torch.full((4, 16), 0.5)}))


def test_two_files_in_one_subject_are_both_applied(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    unet = lora_subject(tmp_path / "unet.safetensors", lora_tensors(model))
    text = lora_subject(tmp_path / "text.safetensors", lora_tensors(model, components=("text_encoder",)))
    both = Subject(name="both", identity="both", loras=unet.loras + text.loras)

    stacked = image(maker, both)

    assert differs(stacked, image(maker, unet))
    assert differs(stacked, image(maker, text))


FOREIGN = {
    "lora names of another family": "transformer.blocks.{}.attn.to_q.lora_A.weight",
    "kohya names of another family": "lora_unet_double_blocks_{}_img_attn_qkv.lora_down.weight",
    "no lora at all": "blocks.{}.weight",
}


@pytest.mark.parametrize("pattern", FOREIGN.values(), ids=FOREIGN.keys())
def test_foreign_keys_are_refused_and_the_base_stays_usable(
    maker: DiffusersMaker, tmp_path: Path, pattern: str
) -> None:
    before = image(maker, base_subject(), 0.0)
    tensors = {pattern.format(index): torch.ones(4, 16) for index in range(5)}
    tensors |= {key.replace("lora_down", "lora_up"): value.T.contiguous() for key, value in tensors.items()}

    with pytest.raises(SubjectError) as caught:
        maker.prove(lora_subject(tmp_path / "foreign.safetensors", tensors))

    assert "foreign.safetensors" in str(caught.value)
    assert "StableDiffusionPipeline" in str(caught.value)
    assert "another model family?" in str(caught.value)
    assert not differs(before, image(maker, base_subject(), 0.0))


def test_zero_matches_are_counted_with_examples(maker: DiffusersMaker, tmp_path: Path) -> None:
    tensors = {f"transformer.blocks.{index}.attn.to_q.lora_A.weight": torch.ones(4, 16) for index in range(5)}

    with pytest.raises(SubjectError, match=r"0 of 5 keys match StableDiffusionPipeline \(e\.g\. 'transformer"):
        maker.prove(lora_subject(tmp_path / "foreign.safetensors", tensors))


BOGUS = "unet.mid_block.attentions.9.to_q.lora_A.weight"


@pytest.mark.parametrize("key", [BOGUS, "text_encoder_7.layers.0.lora_A.weight"])
def test_one_key_without_a_layer_is_refused_by_name(
    maker: DiffusersMaker, model: Path, tmp_path: Path, key: str
) -> None:
    before = image(maker, base_subject(), 0.0)
    tensors = lora_tensors(model) | {key: torch.full((4, 16), 0.5)}

    with pytest.raises(SubjectError, match=f"1 of 65 keys found no layer .*{key}"):
        maker.prove(lora_subject(tmp_path / "bogus.safetensors", tensors))
    assert not differs(before, image(maker, base_subject(), 0.0))


def test_a_bogus_key_is_not_excused_by_a_layer_of_equal_values(
    maker: DiffusersMaker, model: Path, tmp_path: Path
) -> None:
    tensors = lora_tensors(model)
    twin = next(tensor for tensor in tensors.values()).clone()

    with pytest.raises(SubjectError, match="1 of 65 keys found no layer"):
        maker.prove(lora_subject(tmp_path / "twin.safetensors", tensors | {BOGUS: twin}))


def test_the_loaders_remarks_about_keys_are_not_printed(maker: DiffusersMaker, tmp_path: Path) -> None:
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("diffusers").addHandler(handler)
    try:
        with pytest.raises(SubjectError):
            maker.prove(lora_subject(tmp_path / "x.safetensors", {"transformer.x.lora_A.weight": torch.ones(4, 16)}))
    finally:
        logging.getLogger("diffusers").removeHandler(handler)

    assert said == []


def test_an_accepted_prefix_may_stay_unmatched(model: Path, tmp_path: Path) -> None:
    options = {"accept_unmatched": ["text_encoder_7."]}
    tensors = lora_tensors(model) | {"text_encoder_7.layers.0.lora_A.weight": torch.full((4, 16), 0.5)}

    DiffusersMaker(str(model), device="cpu", options=options).prove(lora_subject(tmp_path / "x.safetensors", tensors))


def test_dora_scales_that_do_not_fit_are_refused(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    tensors = lora_tensors(model, "kohya")
    first = next(iter(tensors)).split(".", maxsplit=1)[0]

    with pytest.raises(SubjectError, match=r"3 of 65 keys found no layer .*62 did.*dora_scale.*16 DoRA scales"):
        maker.prove(lora_subject(tmp_path / "x.safetensors", tensors | {f"{first}.dora_scale": torch.ones(16, 1)}))


def test_a_lora_of_another_width_is_refused(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    before = image(maker, base_subject(), 0.0)
    tensors = {key: torch.cat([tensor, tensor], dim=1) for key, tensor in lora_tensors(model).items()}

    with pytest.raises(SubjectError, match=r"0 of 64 keys match .*factors .* where the layer has .*another model"):
        maker.prove(lora_subject(tmp_path / "wide.safetensors", tensors))
    assert not differs(before, image(maker, base_subject(), 0.0))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(
    maker: DiffusersMaker, model: Path, tmp_path: Path, value: float
) -> None:
    tensors = lora_tensors(model)
    next(iter(tensors.values()))[0, 0] = value

    with pytest.raises(SubjectError, match="1 of 64 keys hold NaN or infinity"):
        maker.prove(lora_subject(tmp_path / "diverged.safetensors", tensors))


def test_a_truncated_file_is_refused(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    save_file(lora_tensors(model), path)
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(SubjectError, match=r"cut\.safetensors is damaged or truncated"):
        maker.prove(subject_of(path))


def test_a_pickled_lora_is_refused(maker: DiffusersMaker, tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save({}, path)

    with pytest.raises(SubjectError, match=r"is not a \.safetensors file"):
        maker.prove(subject_of(path))


def test_a_file_that_changed_since_planning_is_refused(maker: DiffusersMaker, model: Path, tmp_path: Path) -> None:
    subject = lora_subject(tmp_path / "x.safetensors", lora_tensors(model))
    other = lora_subject(tmp_path / "y.safetensors", lora_tensors(model, rank=2))
    shutil.copy(other.loras[0].path, subject.loras[0].path)

    with pytest.raises(SubjectError, match="changed after the run was planned"):
        maker.prove(subject)


def test_rounding_is_no_difference_and_two_steps_are_one() -> None:
    black = Image.fromarray(np.zeros((4, 4, 3), np.uint8))

    assert not differs(black, Image.new("RGB", (4, 4), (1, 1, 1)))
    assert differs(black, Image.new("RGB", (4, 4), (0, 2, 0)))
    assert differs(black, Image.new("RGB", (4, 5)))


def test_another_familys_file_is_refused_before_the_model_is_loaded(
    maker: DiffusersMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalharness.backends.loading.load_pipeline", None)
    key = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
    tensors = {f"{key}.lora_down.weight": torch.ones(4, 2048), f"{key}.lora_up.weight": torch.ones(640, 4)}

    with pytest.raises(
        SubjectError, match=r"x\.safetensors is a LoRA for SDXL by its keys .* 0 of 2 keys match Stable"
    ):
        maker.prove(lora_subject(tmp_path / "x.safetensors", tensors))
