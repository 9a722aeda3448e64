"""The diffusers maker on a real, tiny Stable Diffusion pipeline with random weights: no hub, no GPU."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL.Image import Image
from tiny_pipelines import SIZE, base_subject, cell, lora_subject, lora_tensors, tiny_sd, tiny_sdxl

from evalharness.backends.diffusers import DiffusersMaker
from evalharness.errors import BackendError
from evalharness.types import Cell, Failure, Subject


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and lose seconds where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sd(tmp_path_factory.mktemp("models") / "tiny-sd")


@pytest.fixture(scope="module")
def xl_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sdxl(tmp_path_factory.mktemp("models") / "tiny-sdxl")


@pytest.fixture
def maker(model: Path) -> DiffusersMaker:
    return DiffusersMaker(str(model), device="cpu")


@pytest.fixture
def subject(model: Path, tmp_path: Path) -> Subject:
    return lora_subject(tmp_path / "style.safetensors", lora_tensors(model))


def pixels(image: Image | Failure) -> npt.NDArray[np.int16]:
    assert not isinstance(image, Failure), image
    return np.asarray(image, dtype=np.int16)


def one(maker: DiffusersMaker, wanted: Cell, subject: Subject | None = None) -> npt.NDArray[np.int16]:
    return pixels(maker.generate(subject or base_subject(), [wanted])[0])


CELLS = [cell("a girl, happy", 1), cell("a boy, sad, at night", 2), cell("a girl, angry", 3)]


@pytest.mark.parametrize("family", ["model", "xl_model"])
def test_a_batch_of_three_gives_the_images_made_alone(family: str, request: pytest.FixtureRequest) -> None:
    maker = DiffusersMaker(str(request.getfixturevalue(family)), device="cpu")

    together = [pixels(image) for image in maker.generate(base_subject(), CELLS)]
    alone = [one(maker, wanted) for wanted in CELLS]

    assert together[0].shape == (SIZE, SIZE, 3)
    assert max(np.abs(a - b).max() for a, b in zip(together, alone, strict=True)) <= 1
    assert np.abs(together[0] - together[2]).max() > 1


def test_the_seed_alone_changes_the_image(maker: DiffusersMaker) -> None:
    assert np.abs(one(maker, cell(seed=1)) - one(maker, cell(seed=2))).max() > 1
    assert np.array_equal(one(maker, cell(seed=1)), one(maker, cell(seed=1)))


def test_images_come_back_in_the_order_of_their_cells_when_settings_alternate(maker: DiffusersMaker) -> None:
    cells = [cell(seed=1, guidance_scale=2.0), cell(seed=2, guidance_scale=8.0), cell(seed=3, guidance_scale=2.0)]

    together = [pixels(image) for image in maker.generate(base_subject(), cells)]

    for image, wanted in zip(together, cells, strict=True):
        assert np.abs(image - one(maker, wanted)).max() <= 1


def test_a_prompt_is_encoded_once_and_equals_a_call_with_text(maker: DiffusersMaker) -> None:
    encodings: list[object] = []
    hook = maker._pipe.text_encoder.register_forward_hook(lambda *_: encodings.append(None))

    image = one(maker, cell(seed=5))
    one(maker, cell(seed=6))
    maker.generate(base_subject(), [cell(seed=7), cell(seed=8, guidance_scale=2.0)])
    assert len(encodings) == 2  # the text, and the empty negative

    hook.remove()
    bare = maker._pipe(
        "a girl, happy",
        generator=torch.Generator("cpu").manual_seed(5),
        num_inference_steps=2,
        guidance_scale=5.0,
        width=SIZE,
        height=SIZE,
    )
    assert np.array_equal(image, pixels(bare.images[0]))


def test_the_negative_prompt_changes_the_image(maker: DiffusersMaker) -> None:
    import dataclasses

    plain = cell()
    refused = dataclasses.replace(plain, prompt=dataclasses.replace(plain.prompt, negative="blur, text"))

    assert np.abs(one(maker, plain) - one(maker, refused)).max() > 1


@pytest.mark.parametrize("sampler", ["ddim", "euler", "euler_a", "dpmpp_2m", "dpmpp_2m_karras", "unipc", "lcm", "heun"])
def test_every_sampler_draws_and_a_batch_equals_alone(maker: DiffusersMaker, sampler: str) -> None:
    cells = [cell(seed=seed, sampler=sampler, steps=3) for seed in (1, 2)]

    together = [pixels(image) for image in maker.generate(base_subject(), cells)]

    assert np.abs(together[1] - one(maker, cells[1])).max() <= 1


def test_the_default_sampler_is_the_checkpoints_own_after_another_was_used(maker: DiffusersMaker) -> None:
    before = one(maker, cell(steps=4))
    other = one(maker, cell(steps=4, sampler="euler"))

    assert np.array_equal(before, one(maker, cell(steps=4)))
    assert np.array_equal(before, one(maker, cell(steps=4, sampler="ddim")))
    assert not np.array_equal(before, other)


def test_an_unknown_sampler_names_the_nearest(maker: DiffusersMaker) -> None:
    with pytest.raises(BackendError, match=r"unknown sampler 'eulr'. Did you mean 'euler'"):
        maker.generate(base_subject(), [cell(sampler="eulr")])


def test_a_size_the_vae_cannot_draw_is_refused(maker: DiffusersMaker) -> None:
    with pytest.raises(BackendError, match=r"60 x 64 pixels .* multiples of 8"):
        maker.generate(base_subject(), [cell(width=60)])


def test_strength_zero_and_unloading_are_bit_equal_to_the_base(maker: DiffusersMaker, subject: Subject) -> None:
    base = one(maker, cell())
    full = one(maker, cell(strength=1.0), subject)
    silent = one(maker, cell(strength=0.0), subject)
    unused = one(maker, cell())

    assert np.abs(full - base).max() > 1
    assert np.array_equal(base, silent)
    assert np.array_equal(base, unused)


def test_strengths_differ_and_switching_them_never_reloads(
    maker: DiffusersMaker, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker.prove(subject)
    monkeypatch.setattr("evalharness.backends.lora.load", None)

    half, full = one(maker, cell(strength=0.5), subject), one(maker, cell(strength=1.0), subject)

    assert np.abs(half - full).max() > 1
    assert np.array_equal(half, one(maker, cell(strength=0.5), subject))


def test_the_next_subject_replaces_the_last(maker: DiffusersMaker, model: Path, subject: Subject) -> None:
    weaker = {key: tensor * 0.5 for key, tensor in lora_tensors(model).items()}
    second = lora_subject(subject.loras[0].path.with_name("second.safetensors"), weaker)

    first_image = one(maker, cell(strength=1.0), subject)
    second_image = one(maker, cell(strength=1.0), second)

    assert np.abs(first_image - second_image).max() > 1
    assert np.array_equal(second_image, one(DiffusersMaker(str(model), device="cpu"), cell(strength=1.0), second))
    assert np.array_equal(first_image, one(maker, cell(strength=1.0), subject))


def test_a_lora_on_the_text_encoder_is_seen_though_prompts_are_cached(
    maker: DiffusersMaker, model: Path, tmp_path: Path
) -> None:
    subject = lora_subject(tmp_path / "words.safetensors", lora_tensors(model, components=("text_encoder",)))

    base = one(maker, cell())
    half, full = one(maker, cell(strength=0.5), subject), one(maker, cell(strength=1.0), subject)

    assert np.abs(full - base).max() > 1
    assert np.abs(full - half).max() > 1
    assert np.array_equal(base, one(maker, cell()))


@pytest.mark.parametrize("family", ["model", "xl_model"])
def test_native_size_comes_from_the_configs(family: str, request: pytest.FixtureRequest) -> None:
    assert DiffusersMaker(str(request.getfixturevalue(family))).native_size() == (SIZE, SIZE)


def test_out_of_memory_halves_the_batch_and_gives_the_same_pixels(
    maker: DiffusersMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [pixels(image) for image in maker.generate(base_subject(), CELLS)]
    draw, batches = maker._draw, []

    def crowded(cells: list[Cell], strength: float) -> list[Image | Failure]:
        batches.append(len(cells))
        if len(cells) > 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return draw(cells, strength)

    monkeypatch.setattr(maker, "_draw", crowded)
    images = [pixels(image) for image in maker.generate(base_subject(), CELLS)]

    assert batches == [3, 1, 1, 1]
    assert maker.batch_size == 1
    assert max(np.abs(a - b).max() for a, b in zip(expected, images, strict=True)) <= 1


def test_one_image_that_does_not_fit_is_an_error_and_no_endless_loop(
    maker: DiffusersMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(cells: list[Cell], strength: float) -> list[Image | Failure]:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(maker, "_draw", full)
    with pytest.raises(BackendError, match="one image of 64 x 64 pixels does not fit"):
        maker.generate(base_subject(), CELLS)


def test_an_image_with_nan_is_a_failure_and_its_neighbours_are_not(
    maker: DiffusersMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = maker._pipe.vae.decode

    def poisoned(latents: torch.Tensor, **kwargs: Any) -> Any:
        latents = latents.clone()
        latents[1, :, 0, 0] = float("nan")
        return decode(latents, **kwargs)

    monkeypatch.setattr(maker._pipe.vae, "decode", poisoned)
    first, second, third = maker.generate(base_subject(), CELLS)

    assert isinstance(second, Failure)
    assert "NaN" in second.reason
    assert not isinstance(first, Failure)
    assert not isinstance(third, Failure)


def test_constructing_loads_nothing(model: Path) -> None:
    maker = DiffusersMaker(str(model))

    assert maker.fingerprint()["family"] == "sd"
    assert "_pipe" not in vars(maker)


def test_an_unknown_option_is_refused(model: Path) -> None:
    with pytest.raises(BackendError, match=r"unknown backend option 'alow_pickle'. Did you mean 'allow_pickle'"):
        DiffusersMaker(str(model), options={"alow_pickle": True})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "cude"}, "unknown device 'cude'. Did you mean 'cuda'"),
        ({"device": "cpu", "dtype": "fp16"}, "unknown dtype 'fp16'"),
        ({"batch_size": 0}, "backend.batch_size is 0; it must be at least 1"),
    ],
)
def test_bad_device_dtype_and_batch_size_are_refused_in_words(
    model: Path, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        DiffusersMaker(str(model), **arguments).fingerprint()
