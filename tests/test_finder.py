"""Our own face finder: what it sees of drawings, near, cut and turned, and that it is the one that was measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evalharness.demo.drawing import Drawing, draw, sample_look
from evalharness.demo.look import Look
from evalharness.errors import PerceptionError
from evalharness.perception import finder
from evalharness.perception.finder import find_faces
from evalharness.perception.finder_net import SHAPE, decode
from evalharness.perception.found_face import FoundFace

SIZE = 384


def drawing(**words: object) -> Drawing:
    return draw(Look(seed=5, **words), SIZE)  # type: ignore[arg-type]


def mouth_of(drawn: Drawing) -> tuple[float, float]:
    box = drawn.truth.parts.mouth
    assert box is not None
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def away(point: tuple[float, float], other: tuple[float, float]) -> float:
    return float(np.hypot(point[0] - other[0], point[1] - other[1]))


def only(image: Image.Image) -> FoundFace:
    (face,) = find_faces(image)
    return face


def test_faces_of_drawings_are_found_with_their_mouths() -> None:
    rng = np.random.default_rng(8)
    for _ in range(6):
        drawn = draw(replace(sample_look(rng), view="front"), 256)
        face = only(drawn.image)
        assert away(face.mouth, mouth_of(drawn)) < 0.3 * face.frame.unit


def test_head_from_behind_has_no_face() -> None:
    assert find_faces(drawing(view="behind").image) == []


def test_flat_picture_has_no_face() -> None:
    assert find_faces(Image.new("RGB", (200, 300), (180, 190, 200))) == []


def test_face_that_the_frame_cuts_in_half_is_found() -> None:
    image = drawing().image
    assert len(find_faces(image.crop((SIZE // 2, 0, SIZE, SIZE)))) == 1


def test_face_larger_than_the_picture_is_found() -> None:
    drawn = drawing()
    unit = only(drawn.image).frame.unit
    x, y = mouth_of(drawn)
    near = drawn.image.crop(
        (round(x - 0.9 * unit), round(y - 1.1 * unit), round(x + 0.9 * unit), round(y + 0.5 * unit))
    )
    assert len(find_faces(near.resize((400, 356)))) == 1


@pytest.mark.parametrize("turn", [-35.0, 35.0])
def test_tilt_of_a_turned_picture_is_seen(turn: float) -> None:
    image = drawing(background="plain_grey").image
    straight, turned = only(image), only(image.rotate(turn, Image.Resampling.BICUBIC, fillcolor=(150, 152, 156)))
    assert turned.frame.angle - straight.frame.angle == pytest.approx(-turn, abs=10.0)


def test_wide_and_high_pictures_give_places_in_their_own_pixels() -> None:
    drawn = drawing()
    face = only(drawn.image)
    wide = Image.new("RGB", (SIZE * 2, SIZE), (240, 240, 240))
    wide.paste(drawn.image, (SIZE, 0))
    assert away(only(wide).mouth, (face.mouth[0] + SIZE, face.mouth[1])) < 0.2 * face.frame.unit


def test_one_peak_stays_of_two_that_tell_of_the_same_face() -> None:
    heat, shape = torch.full((1, 24, 24), -9.0), torch.zeros((1, SHAPE, 24, 24))
    heat[0, 10, 10], heat[0, 10, 12], heat[0, 2, 20] = 3.0, 2.0, 1.0
    seen = decode(heat, shape, least=0.5)
    assert [round(one.likelihood, 2) for one in seen] == [0.95, 0.73]


def test_other_weights_than_those_measured_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    other = tmp_path / "face_finder.safetensors"
    other.write_bytes(finder.WEIGHTS.read_bytes() + b" ")
    monkeypatch.setattr(finder, "WEIGHTS", other)
    finder._net.cache_clear()
    try:
        with pytest.raises(PerceptionError, match="not the face finder that was measured"):
            find_faces(drawing().image)
    finally:
        finder._net.cache_clear()
