"""Options of the diffusers maker: what they change, what they leave alone, and what is refused in a sentence."""

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from tiny_families import SIZES, save_pipeline
from tiny_pipelines import base_subject, cell, lora_subject, lora_tensors

from evalharness.backends import batches, placing
from evalharness.backends.batches import BatchSize
from evalharness.backends.diffusers import DiffusersMaker
from evalharness.backends.diffusers_options import read_options
from evalharness.backends.families import FAMILIES
from evalharness.errors import BackendError
from evalharness.types import Cell, Setting, Subject


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("options")
    return {family.name: save_pipeline(family.name, root / family.name) for family in FAMILIES}


def draw(
    folder: Path, options: dict[str, object] | None = None, subject: Subject | None = None, **values: Any
) -> npt.NDArray[np.int16]:
    size = SIZES[folder.name]
    wanted = cell(**{"width": size, "height": size, "strength": 1.0 if subject else 0.0, **values})
    image = DiffusersMaker(str(folder), device="cpu", options=options).generate(subject or base_subject(), [wanted])[0]
    assert isinstance(image, Image.Image), image
    return np.asarray(image, dtype=np.int16)


def far(first: npt.NDArray[np.int16], second: npt.NDArray[np.int16]) -> int:
    return int(np.abs(first - second).max())


def facts(folder: Path, options: dict[str, object]) -> set[str]:
    """The names of facts that options change in the fingerprint."""
    plain, changed = (DiffusersMaker(str(folder), options=given).fingerprint() for given in ({}, options))
    return {name for name in {*plain, *changed} if plain.get(name) != changed.get(name)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ofload": "model"}, "unknown backend option 'ofload'. Did you mean 'offload'"),
        ({"offload": "modell"}, "unknown backend.options.offload 'modell'. Did you mean 'model'"),
        ({"compile": "yes"}, "backend.options.compile is 'yes'; it must be true or false"),
        ({"scheduler": "euler"}, "it must map arguments of schedulers to values"),
        ({"scheduler": {"name": "eulr"}}, "unknown sampler 'eulr'. Did you mean 'euler'"),
        ({"guidance_scale_2": -1}, "it must be a number of at least 0"),
    ],
)
def test_a_wrong_option_is_refused_when_the_maker_is_made(options: dict[str, object], message: str) -> None:
    with pytest.raises(BackendError, match=message):
        DiffusersMaker("some/model", options=options)


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        ("sd", {"guidance_scale_2": 3.0}, "guidance_scale_2 means nothing to StableDiffusionPipeline"),
        ("sd", {"offload": "model"}, "offload=model needs a GPU"),
        ("zimage", {"attention_slicing": True}, "attention_slicing has no effect on ZImagePipeline"),
        ("sd", {"scheduler": {"shfit": 2.0}}, "unknown argument of DDIMScheduler 'shfit'"),
        ("flux2", {"scheduler": {"shfit": 2.0}}, "unknown argument of FlowMatchEuler.* 'shfit'. Did you mean 'shift'"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(
    folders: dict[str, Path], family: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        draw(folders[family], options)


def test_a_shipped_config_names_every_option_with_its_default() -> None:
    from evalharness.config import compose

    assert read_options(compose(["backend=diffusers"]).backend.options) == read_options({})


# The scheduler


def test_arguments_of_the_scheduler_change_the_picture_and_the_fingerprint(folders: dict[str, Path]) -> None:
    options: dict[str, object] = {"scheduler": {"shift": 6.0}}

    assert far(draw(folders["anima"]), draw(folders["anima"], options)) > 1
    assert facts(folders["anima"], options) == {"scheduler"}


def test_the_schedulers_name_is_what_the_default_sampler_stands_for(folders: dict[str, Path]) -> None:
    named = draw(folders["sd"], {"scheduler": {"name": "euler_a"}}, steps=4)

    assert np.array_equal(named, draw(folders["sd"], sampler="euler_a", steps=4))
    assert far(named, draw(folders["sd"], steps=4)) > 1


@pytest.mark.parametrize("sampler", ["ddim", "euler", "euler_a", "dpmpp_2m", "unipc", "heun", "lcm", "pndm", "ddpm"])
def test_a_chosen_sampler_keeps_v_prediction(folders: dict[str, Path], sampler: str) -> None:
    v_prediction = {"scheduler": {"prediction_type": "v_prediction"}}
    maker = DiffusersMaker(str(folders["sdxl"]), device="cpu", options=v_prediction)
    own = maker._scheduler("default")
    assert own.config.prediction_type == "v_prediction"
    maker = DiffusersMaker(str(folders["sdxl"]), device="cpu")
    maker._pipe.scheduler = own

    assert maker._scheduler(sampler).config.prediction_type == "v_prediction"
    assert far(draw(folders["sdxl"], v_prediction, sampler=sampler), draw(folders["sdxl"], sampler=sampler)) > 1


def test_a_v_prediction_file_says_so_by_its_tensors(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    sdxl = next(family for family in FAMILIES if family.name == "sdxl")
    save_file({"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0), "x": torch.zeros(1)}, tmp_path / "v.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "plain.safetensors")

    assert sdxl.marked(tmp_path / "plain.safetensors") == {}
    assert sdxl.marked(tmp_path / "v.safetensors") == {
        "prediction_type": "v_prediction",
        "rescale_betas_zero_snr": True,
        "timestep_spacing": "trailing",
    }


FLOW = [(family.name, name) for family in FAMILIES if family.backbone == "transformer" for name in family.samplers]


@pytest.mark.parametrize(("family", "sampler"), FLOW)
def test_a_sampler_for_flows_draws_with_the_models_own_shift(
    folders: dict[str, Path], family: str, sampler: str
) -> None:
    maker = DiffusersMaker(str(folders[family]), device="cpu")
    own, chosen = maker._own_scheduler, maker._scheduler(sampler)

    shifts = [each.config.get("shift", each.config.get("flow_shift")) for each in (own, chosen)]
    assert shifts[0] == shifts[1]
    size = SIZES[family]
    image = maker.generate(base_subject(), [cell(sampler=sampler, steps=3, width=size, height=size)])[0]
    assert np.asarray(image).std() > 5


@pytest.mark.parametrize("family", ["anima", "flux2", "zimage", "qwenimage", "wan"])
def test_a_sampler_that_predicts_noise_is_refused_for_flows(folders: dict[str, Path], family: str) -> None:
    with pytest.raises(BackendError, match=r"sampler 'ddim' does not work with \w+; take one of default, "):
        draw(folders[family], sampler="ddim")


# Memory


@pytest.mark.parametrize("options", [{"attention_slicing": True}, {"vae_slicing": True}, {"vae_tiling": True}])
def test_savings_of_memory_draw_the_same_at_this_size(folders: dict[str, Path], options: dict[str, object]) -> None:
    assert far(draw(folders["sd"]), draw(folders["sd"], options)) <= 1


def test_what_may_change_pixels_is_in_the_fingerprint_and_the_rest_is_not(folders: dict[str, Path]) -> None:
    for name in ("compile", "attention_slicing", "vae_tiling"):
        assert facts(folders["sd"], {name: True}) == {name}
    assert facts(folders["sd"], {"vae_slicing": True}) == set()
    assert facts(folders["wan"], {"guidance_scale_2": 3.0}) == {"guidance_scale_2"}


def test_tiles_and_slices_reach_the_decoder(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        options: dict[str, object] = {"vae_tiling": True, "vae_slicing": True}
        maker = DiffusersMaker(str(folder), device="cpu", options=options)
        assert maker._pipe.vae.use_tiling
        assert maker._pipe.vae.use_slicing


def test_all_parts_that_run_at_every_step_are_compiled(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(type(self).__name__))

    draw(folders["wan"], {"compile": True})

    assert compiled == ["WanTransformer3DModel", "WanTransformer3DModel"]


def test_offloaded_parts_draw_the_same_and_a_lora_is_still_proven(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the processor to itself: the weights are put away and brought back as from a GPU."""
    monkeypatch.setattr(placing, "check_offload", lambda *_: None)
    subject = lora_subject(tmp_path / "style.safetensors", lora_tensors(folders["sd"]))
    maker = DiffusersMaker(str(folders["sd"]), device="cpu", options={"offload": "model"})
    base, full = cell(), cell(strength=1.0)

    first, changed, silent = (
        np.asarray(maker.generate(who, [wanted])[0], dtype=np.int16)
        for who, wanted in ((base_subject(), base), (subject, full), (subject, base))
    )

    assert np.array_equal(first, draw(folders["sd"]))
    assert np.array_equal(changed, draw(folders["sd"], subject=subject))
    assert np.array_equal(first, silent)


def test_offloading_layer_by_layer_is_asked_for_with_the_device(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accelerate cannot run it from the processor to itself, so that it is asked for is all there is to see here."""
    import diffusers

    asked: list[object] = []
    monkeypatch.setattr(placing, "check_offload", lambda *_: None)
    monkeypatch.setattr(
        diffusers.StableDiffusionPipeline, "enable_sequential_cpu_offload", lambda _, device: asked.append(device)
    )

    draw(folders["sd"], {"offload": "sequential"})

    assert asked == [torch.device("cpu")]


def test_a_pipeline_that_cannot_be_offloaded_says_so(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "check_offload", lambda *_: None)

    with pytest.raises(BackendError, match="AnimaModularPipeline cannot be offloaded"):
        draw(folders["anima"], {"offload": "model"})


# Batches


def test_auto_is_8_on_the_processor_and_takes_what_is_given() -> None:
    assert (BatchSize("auto", "cpu").now, BatchSize("auto", "cpu").largest) == (8, 8)
    assert BatchSize(3, "no such device").now == 3
    with pytest.raises(BackendError, match=r"backend.batch_size is 0; it must be at least 1, or auto"):
        BatchSize(0, "cpu")


def test_auto_doubles_on_cuda_while_full_batches_fit_and_stays_below_what_did_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batches, "pick_device", lambda _: torch.device("cuda"))
    size, sizes = BatchSize("auto", "auto"), []
    assert size.largest == 16

    for room in (99, 99, 7, 99, 99, 99):
        sizes.append(size.now)
        if size.now <= room:
            size.fitted(size.now)
        else:
            size.burst(size.now, Setting())

    assert sizes == [2, 4, 8, 4, 4, 4]


def test_a_batch_that_was_not_full_says_nothing_about_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "pick_device", lambda _: torch.device("cuda"))
    size = BatchSize("auto", "auto")

    size.fitted(1)

    assert size.now == 2


# Wan's clips


def frames(length: int, *shown: int, seed: int = 3) -> list[Cell]:
    """The cells of one clip's frames."""
    still = cell(width=16, height=16, seed=seed)
    settings = [dataclasses.replace(still.setting, frames=length, frame=frame) for frame in shown]
    return [dataclasses.replace(still, setting=one) for one in settings]


def test_a_clip_is_drawn_once_for_its_frames_and_kept_with_each(folders: dict[str, Path]) -> None:
    maker = DiffusersMaker(str(folders["wan"]), device="cpu")
    cells = [*frames(9, 1, 4, 7), *frames(9, 4, seed=5)]
    calls: list[int] = []
    decode = maker._pipe.vae.decode

    def counted(latents: torch.Tensor, **more: Any) -> Any:
        calls.append(latents.shape[0])
        return decode(latents, **more)

    maker._pipe.vae.decode = counted

    images = [image for image in maker.generate(base_subject(), cells) if isinstance(image, Image.Image)]

    assert calls == [2]
    assert len(images) == 4 and images[0].info["clip"] == images[2].info["clip"] != images[3].info["clip"]
    with Image.open(io.BytesIO(images[0].info["clip"])) as clip:
        assert getattr(clip, "n_frames", 1) == 9
    pixels = [np.asarray(image, dtype=np.int16) for image in images]
    assert far(pixels[0], pixels[1]) > 1 and far(pixels[1], pixels[3]) > 1
    (alone,) = maker.generate(base_subject(), frames(9, 7))
    assert far(np.asarray(alone, dtype=np.int16), pixels[2]) <= 1


@pytest.mark.parametrize(
    ("family", "message"),
    [("sd", "settings.frames is 4 for StableDiffusionPipeline; it draws stills only"), ("wan", r"4 n \+ 1 \(5, 9, ")],
)
def test_a_length_that_the_model_cannot_draw_is_refused(folders: dict[str, Path], family: str, message: str) -> None:
    with pytest.raises(BackendError, match=message):
        DiffusersMaker(str(folders[family]), device="cpu").generate(base_subject(), frames(4, 1))


def test_the_second_expert_has_a_guidance_of_its_own(folders: dict[str, Path]) -> None:
    plain = draw(folders["wan"], steps=4)

    assert far(plain, draw(folders["wan"], {"guidance_scale_2": 1.5}, steps=4)) > 1
    assert np.array_equal(plain, draw(folders["wan"], {"guidance_scale_2": 5.0}, steps=4))
