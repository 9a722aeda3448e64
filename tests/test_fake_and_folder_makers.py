"""The makers without a model: drawings for tests, and images that already exist."""

import dataclasses
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evalharness.backends.fake import FakeMaker
from evalharness.backends.folder import FolderMaker
from evalharness.backends.pixels import to_image
from evalharness.errors import BackendError
from evalharness.registry import find
from evalharness.types import BASELINE, Cell, Failure, Prompt, Setting, Subject

BASE = Subject(name=BASELINE, identity=BASELINE)
EPOCH = Subject(name="epoch-3", identity="abc")


def cell(prompt: str = "happy", seed: int = 1, strength: float = 1.0, source: str | None = None) -> Cell:
    return Cell(
        key="k",
        pair_key="p",
        subject="epoch-3",
        strength=strength,
        prompt=Prompt(id=prompt, text=f"a girl, {prompt}"),
        setting=Setting(width=64, height=48),
        seed=seed,
        source=source,
    )


def draw(maker: FakeMaker, subject: Subject, wanted: Cell) -> np.ndarray:
    (image,) = maker.generate(subject, [wanted])
    assert not isinstance(image, Failure)
    return np.asarray(image, dtype=np.int16)


@pytest.mark.parametrize("name", ["fake", "folder", "diffusers"])
def test_every_maker_takes_the_fields_of_the_backend_config(name: str) -> None:
    maker = find("backend", name)(model="x", device="auto", dtype="auto", batch_size=4, options={})

    assert maker.batch_size == 4


def test_a_fake_drawing_depends_on_subject_strength_prompt_and_seed_alone() -> None:
    first = draw(FakeMaker(), EPOCH, cell())

    assert first.shape == (48, 64, 3)
    assert np.array_equal(first, draw(FakeMaker(batch_size=1), EPOCH, cell()))
    for other in (cell(seed=2), cell("sad"), cell(strength=0.5)):
        assert not np.array_equal(first, draw(FakeMaker(), EPOCH, other))
    assert not np.array_equal(first, draw(FakeMaker(), dataclasses.replace(EPOCH, identity="def"), cell()))


def test_fake_strength_zero_is_the_baseline() -> None:
    assert np.array_equal(draw(FakeMaker(), EPOCH, cell(strength=0)), draw(FakeMaker(), BASE, cell(strength=0)))


def test_low_quality_makes_a_fake_subject_noisy_and_shows_in_the_fingerprint() -> None:
    worse = FakeMaker(options={"quality": {"epoch-3": 0.2}})

    assert np.abs(np.diff(draw(worse, EPOCH, cell()), axis=0)).mean() > 20
    assert np.abs(np.diff(draw(FakeMaker(), EPOCH, cell()), axis=0)).mean() < 10
    assert worse.fingerprint() != FakeMaker().fingerprint()


def test_a_fake_says_that_it_is_one() -> None:
    assert FakeMaker().fingerprint()["maker"] == "fake"
    assert "none" in str(FakeMaker().fingerprint()["model"])
    assert FakeMaker().native_size() == (64, 64)


def test_a_fake_fails_on_the_listed_prompts_alone() -> None:
    sad, happy = FakeMaker(options={"fail_on": ["sad"]}).generate(EPOCH, [cell("sad"), cell("happy")])

    assert sad == Failure(reason="the fake maker was told to fail on prompt 'sad'")
    assert not isinstance(happy, Failure)


def test_a_fakes_delay_is_per_batch() -> None:
    started = time.monotonic()
    FakeMaker(batch_size=2, options={"delay": 0.05}).generate(EPOCH, [cell(seed=seed) for seed in range(3)])

    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dealy": 1}, "unknown backend option 'dealy'. Did you mean 'delay'"),
        ({"delay": -1}, "delay is -1; it must be a number of at least 0"),
        ({"fail_on": "sad"}, "fail_on is 'sad'; it must be a list of words"),
        ({"quality": 0.5}, "quality is 0.5; it must map subject names to 0..1"),
        ({"quality": {"epoch-3": 2}}, "must be in 0..1"),
    ],
)
def test_bad_options_of_a_fake_are_refused_in_words(options: dict[str, object], message: str) -> None:
    with pytest.raises(BackendError, match=message):
        FakeMaker(options=options)


def test_the_makers_without_a_model_import_no_torch() -> None:
    code = "import sys; import evalharness.backends.fake, evalharness.backends.folder; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_maker_opens_images_as_rgb(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (10, 20, 30, 255)).save(tmp_path / "one.png")

    for source, model in (("one.png", str(tmp_path)), (str(tmp_path / "one.png"), "")):
        (image,) = FolderMaker(model=model).generate(BASE, [cell(source=source)])
        assert isinstance(image, Image.Image)
        assert (image.mode, image.size, image.getpixel((0, 0))) == ("RGB", (30, 20), (10, 20, 30))


def test_unreadable_images_are_failures_that_name_the_file(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.png").write_text("not an image")

    sources = ["cut.png", "text.png", "missing.png"]
    images = FolderMaker(model=str(tmp_path)).generate(BASE, [cell(source=source) for source in sources])

    for made, source in zip(images, sources, strict=True):
        assert isinstance(made, Failure)
        assert source in made.reason


@pytest.mark.parametrize("side", [8_100, 14_000])
def test_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    Image.new("1", (side, side)).save(tmp_path / "huge.png")

    (made,) = FolderMaker(model=str(tmp_path)).generate(BASE, [cell(source="huge.png")])

    assert isinstance(made, Failure)
    assert "huge.png" in made.reason


def test_a_cell_without_a_source_is_a_failure() -> None:
    (made,) = FolderMaker().generate(BASE, [cell()])

    assert made == Failure(reason="the cell of prompt 'happy' names no image file")


def test_a_folder_has_no_native_size_and_one_fingerprint() -> None:
    assert FolderMaker().fingerprint() == {"maker": "folder"}
    with pytest.raises(BackendError, match="each their own size"):
        FolderMaker().native_size()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((4, 4, 3), np.nan), "100% of the image's values are NaN or infinite"),
        (np.zeros((4, 4, 3)), r"every pixel is \(0, 0, 0\)"),
        (np.full((4, 4, 3), 0.5001), r"every pixel is \(128, 128, 128\)"),
    ],
)
def test_pixels_that_are_no_picture_are_failures(values: np.ndarray, reason: str) -> None:
    import re

    made = to_image(values)

    assert isinstance(made, Failure)
    assert re.search(reason, made.reason)
