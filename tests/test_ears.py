"""Animal ears are found on drawn heads; an ahoge, a bow, a hat and two buns of hair are none."""

from dataclasses import replace

import numpy as np
import pytest

from evalharness.demo.drawing import draw, sample_look
from evalharness.demo.look import EARS, HEADWEAR, Ears, Headwear, Look
from evalharness.errors import PerceptionError
from evalharness.perception import ears
from evalharness.perception.faces import find_faces
from evalharness.perception.hair import HairMask, hair_of_face, is_face
from evalharness.perception.offline import look as view_of
from evalharness.types import Finding


def looks(seed: int, count: int, **words: object) -> list[Look]:
    random = np.random.default_rng(seed)
    return [replace(sample_look(random), view="front", **words) for _ in range(count)]  # type: ignore[arg-type]


def head(look: Look) -> tuple[np.ndarray, HairMask]:
    view = view_of(draw(look, 256).image)
    # the finder may miss a face; that is not what is tested
    face = find_faces(draw(replace(look, faults=(), headwear="none", light="soft"), 256).image)[0]
    hair = hair_of_face(view.small, face.frame.scaled(view.shrink))
    assert hair is not None
    return view.small, hair


def found(look: Look) -> Finding:
    told = ears.find_ears(*head(look))
    assert told is not None
    return told


# round ears are often taken for buns: three in four are found
@pytest.mark.parametrize("kind", [kind for kind in EARS if kind != "bear"])
def test_ears_are_found_with_and_without_an_ahoge(kind: Ears) -> None:
    worn = looks(31, 6, ears=kind, faults=("animal_ears",))
    seen = [found(replace(look, ahoge=bool(number % 2))) for number, look in enumerate(worn)]
    assert sum(one.strength >= 0.5 and one.box is not None for one in seen) >= 4


@pytest.mark.parametrize("worn", HEADWEAR)
def test_what_is_worn_on_a_head_is_no_ear(worn: Headwear) -> None:
    seen = [found(look) for look in looks(32, 3, headwear=worn, ahoge=True)]
    assert sum(one.strength >= 0.5 for one in seen) == 0
    assert not any(one.box or one.absence_counts for one in seen)


def test_a_mirrored_head_has_as_many_ears() -> None:
    small, hair = head(looks(33, 1, background="plain_grey")[0])
    x, y = hair.frame.origin
    frame = replace(hair.frame, origin=(small.shape[1] - x, y), angle=-hair.frame.angle)
    turned = ears.find_ears(small[:, ::-1], replace(hair, mask=hair.mask[:, ::-1], frame=frame))
    own = ears.find_ears(small, hair)
    assert own is not None and turned is not None
    assert turned.strength == pytest.approx(own.strength, abs=1e-4)


def test_a_frame_that_sits_too_low_finds_hair_and_ears_all_the_same() -> None:
    look = Look(hair_color="red", faults=("animal_ears",), background="plain_grey", seed=5)
    small, hair = head(look)
    x, y = hair.frame.origin
    low = replace(hair.frame, origin=(x, y + 0.15 * hair.frame.unit), unit=0.88 * hair.frame.unit)
    again = hair_of_face(small, low)
    assert again is not None and again.frame == low
    assert not is_face(again.mask, low)
    assert np.abs(again.color - hair.color).max() < 10.0
    told = ears.find_ears(small, again)
    assert told is not None and told.strength >= 0.5


def test_of_a_head_that_the_frame_cuts_off_nothing_is_said() -> None:
    small, hair = head(looks(34, 1, background="plain_grey")[0])
    x, y = hair.frame.origin
    gone = round(y - 1.15 * hair.frame.unit)
    closer = replace(hair, mask=hair.mask[gone:], frame=replace(hair.frame, origin=(x, y - gone)))
    assert ears.find_ears(small, hair) is not None
    assert ears.find_ears(small[gone:], closer) is None


def test_of_hair_in_strands_of_ink_nothing_is_said() -> None:
    small, hair = head(looks(34, 1, background="plain_grey")[0])
    x, _ = hair.frame.coordinates(hair.mask.shape)
    inked = replace(hair, mask=hair.mask & (np.sin(x * 18.0) > 0.0))
    assert ears.find_ears(small, inked) is None


def test_another_file_of_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    small, hair = head(Look())
    ears._net.cache_clear()
    monkeypatch.setattr(ears, "SHA256", "0" * 64)
    with pytest.raises(PerceptionError, match=r"'ears.safetensors' is not the network that was measured"):
        ears.find_ears(small, hair)
