"""What perception needs and is not here ends a run before its first image, in one sentence with the command."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import small_run
import stand_ins
from PIL import Image

from evalharness.backends.fake import FakeMaker
from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.cli import main
from evalharness.errors import PerceptionError
from evalharness.models.cache import present
from evalharness.models.table import find_model
from evalharness.perception.base import be_ready
from evalharness.perception.offline import OfflinePerceiver
from evalharness.registry import find
from evalharness.types import Observation

TAGGER = "perception.options.models={tagger: wd-swinv2-tagger-v3, identity: null, corruption: null, faces: null}"
FETCH = "evalharness models fetch wd-swinv2-tagger-v3"
TIERS: dict[str, dict[str, Any]] = {
    "anime": {"models": {"tagger": "wd-swinv2-tagger-v3"}},
    "clip": {"model": "demo-clip", "beside": "anime", "models": {"tagger": "wd-swinv2-tagger-v3"}},
    "dino": {},
}


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite with pictures of a folder, and a cache without any model."""
    stand_ins.use_cache(tmp_path / "hub", monkeypatch)
    small_run.write_inputs(tmp_path / "inputs")
    suite = tmp_path / "inputs" / "suites" / "small.yaml"
    suite.write_text(suite.read_text() + 'files: {pattern: "{emotion}_{variant}.png"}\n')
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("happy_1", "sad_1"):
        Image.new("RGB", (64, 64), "red").save(pictures / f"{name}.png")
    (pictures / "labels.csv").write_text("file,emotion\nhappy_1.png,happy\n")
    return tmp_path / "inputs"


@pytest.fixture(autouse=True)
def nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """No image is made or looked at: what is missing is found out before."""

    def generate(maker: FakeMaker, subject: object, cells: object) -> list[Image.Image]:
        raise AssertionError("an image was made")

    def observe(self: OfflinePerceiver, images: Sequence[Image.Image]) -> list[Observation]:
        raise AssertionError("an image was looked at")

    monkeypatch.setattr(FakeMaker, "generate", generate)
    monkeypatch.setattr(OfflinePerceiver, "observe", observe)


def test_run_ends_before_its_first_image(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = small_run.arguments(inputs, tmp_path / "run", "perception=anime", TAGGER)
    assert main(words) == 2
    assert FETCH in capsys.readouterr().err
    assert not list((tmp_path / "run").rglob("*.png"))


def test_shard_ends_before_its_first_image(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = small_run.arguments(inputs, tmp_path / "run", "perception=anime", TAGGER, "--shard", "1/2")
    assert main(words) == 2
    assert FETCH in capsys.readouterr().err


def test_score_ends_before_it_looks(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["score", str(tmp_path / "pictures"), "--config-dir", str(inputs), "suite=small", "perception=dino"]
    words.append("perception.workers=0")
    assert main([*words, f"folder='{tmp_path / 'run'}'"]) == 2
    assert "evalharness models fetch dinov2-small" in capsys.readouterr().err


def test_calibrate_ends_before_it_looks(inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["calibrate", str(tmp_path / "pictures"), "perception=anime", TAGGER, f"folder='{tmp_path / 'out'}'"]
    assert main(words) == 2
    assert FETCH in capsys.readouterr().err


@pytest.mark.parametrize("tier", TIERS)
def test_every_tier_says_what_is_missing_with_the_command(inputs: Path, tier: str) -> None:
    if tier == "clip":
        ensure_torchvision()
        pytest.importorskip("open_clip", reason="needs evalharness[clip]")
    perceiver = find("perception", tier)(**TIERS[tier])
    with pytest.raises(PerceptionError, match=r"not in the Hugging Face cache .*evalharness models fetch [a-z0-9-]+$"):
        be_ready(perceiver)


def test_models_that_are_here_and_pinned_are_ready_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins.install(tmp_path, monkeypatch)
    monkeypatch.setattr("evalharness.models.cache.digest_of", None)
    be_ready(find("perception", "anime")(models={"tagger": "wd-swinv2-tagger-v3"}))
    with pytest.raises(PerceptionError, match=r"no digest of model ai-corrupt.* is known yet; fetch it"):
        present(find_model("ai-corrupt-caformer-s36-v0-focal"))


def test_perceiver_that_needs_nothing_is_ready() -> None:
    be_ready(OfflinePerceiver())
    be_ready(small_run.Brightness())
