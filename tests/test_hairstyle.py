"""The network of hairstyles: what it is shown, that it is the measured one, and sides that the mask gets wrong."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evalharness.demo.drawing import draw
from evalharness.demo.look import Look
from evalharness.errors import PerceptionError
from evalharness.perception import hairstyle
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.hair_crop import SIDE, crop_hair, guessed_frame
from evalharness.perception.offline import OfflinePerceiver


def likeliest(look: Look) -> str:
    (seen,) = OfflinePerceiver().observe([draw(look, 128).image])
    assert seen.hair is not None
    sides = seen.hair.sides
    return max(sides, key=lambda name: sides[name])


def test_crop_tells_where_the_picture_ends() -> None:
    crop = crop_hair(Image.new("RGB", (100, 100), (90, 120, 150)), HeadFrame(origin=(0.0, 50.0), unit=20.0))
    assert crop.shape == (SIDE, SIDE, 4)
    assert not crop[:, : SIDE // 2 - 1].any()
    assert (crop[SIDE // 2 - 8 : SIDE // 2, SIDE // 2 + 1 :] == (90, 120, 150, 255)).all()


def test_upright_picture_without_a_face_is_guessed_to_show_a_head_in_its_upper_square() -> None:
    wide, tall = guessed_frame((200, 100)), guessed_frame((100, 200))
    assert (wide.origin, tall.origin) == ((100.0, 47.0), (50.0, 47.0))
    assert wide.unit == tall.unit == 22.0


def test_mirrored_picture_has_mirrored_sides() -> None:
    image = draw(Look(hairstyle="side_ponytail", side="left", background="park", seed=8), 128).image
    one, other = (
        hairstyle.hairstyle(picture, None) for picture in (image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    )
    assert one.sides["right"] > 0.9
    assert one.sides["right"] == pytest.approx(other.sides["left"], abs=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_hair_of_the_backgrounds_colour_still_has_its_side(seed: int) -> None:
    words = {"hair_color": "blonde", "background": "sunset", "seed": seed}
    assert likeliest(Look(hairstyle="side_ponytail", side="left", **words)) == "right"  # type: ignore[arg-type]
    assert likeliest(Look(hairstyle="down", **words)) == "none"  # type: ignore[arg-type]


@pytest.mark.parametrize(("view", "side"), [("left_profile", "right"), ("right_profile", "left")])
def test_tail_in_profile_hangs_behind_the_head(view: str, side: str) -> None:
    look = Look(hairstyle="side_ponytail", view=view, background="night_city", hair_color="green", seed=6)  # type: ignore[arg-type]
    assert likeliest(look) == side


def test_weights_that_were_not_measured_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hairstyle._net.cache_clear()
    (tmp_path / "hairstyle.safetensors").write_bytes(hairstyle.WEIGHTS.read_bytes() + b" ")
    monkeypatch.setattr(hairstyle, "WEIGHTS", tmp_path / "hairstyle.safetensors")
    with pytest.raises(PerceptionError, match="is not the network that was measured"):
        hairstyle.hairstyle(Image.fromarray(np.zeros((64, 64, 3), dtype=np.uint8)), None)
