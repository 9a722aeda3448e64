"""What offline perception sees, on drawings whose truth is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from evalharness.demo import drawing, look
from evalharness.errors import PerceptionError
from evalharness.paths import resolve
from evalharness.perception import cascade, faces, hair
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.layout import layout_of
from evalharness.perception.offline import OfflinePerceiver
from evalharness.types import Observation, Part

REAL = Path(__file__).parents[2] / "shared" / "harmony-lab" / "images"
CASCADE: dict[str, object] = {"finder": "cascade"}


def picture(**words: object) -> Image.Image:
    return drawing.draw(look.Look(seed=5, **words), 128).image


def seen(image: Image.Image, **options: object) -> Observation:
    """What is seen with the rules for parts, as the demo's suite has it; the net's own tests are elsewhere."""
    (observation,) = OfflinePerceiver(**{"parts": "rules", "finder": "cascade"} | options).observe([image])
    return observation


def part(observation: Observation, name: str) -> Part:
    (found,) = [one for one in observation.faces[0].parts if one.name == name]
    return found


def test_one_face_is_found_in_one_picture() -> None:
    observation = seen(picture())
    assert len(observation.faces) == 1
    assert len(observation.panels) == 1
    assert "face" not in observation.blind


def test_face_box_lies_around_the_drawn_eyes() -> None:
    drawn = drawing.draw(look.Look(seed=5), 128)
    box = seen(drawn.image).faces[0].box
    left, _, right, bottom = drawn.truth.parts.left_eye
    assert box.x < left < right < box.x + box.width
    assert box.y < bottom < box.y + box.height


@pytest.mark.parametrize(("side", "image_side"), [("left", "right"), ("right", "left")])
def test_ponytail_is_seen_on_the_side_of_the_image_where_it_hangs(side: str, image_side: str) -> None:
    hair = seen(picture(hairstyle="side_ponytail", side=side)).hair
    assert hair is not None
    there, away = (hair.right, hair.left) if image_side == "right" else (hair.left, hair.right)
    assert there - away > 0.15


def test_mirrored_picture_has_mirrored_hair() -> None:
    image = picture(hairstyle="side_ponytail", side="left")
    hair, mirrored = (seen(one).hair for one in (image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    assert hair is not None
    assert mirrored is not None
    assert hair.right == pytest.approx(mirrored.left, abs=0.06)


@pytest.fixture(scope="module")
def decoded() -> Callable[[Image.Image], Image.Image]:
    """A picture as the demo's checkpoint would give it back: shaded coarsely, with soft edges."""
    from evalharness.demo.autoencoder import open_autoencoder, reconstruct

    vae = open_autoencoder(resolve("demo:checkpoint"))
    return lambda image: Image.fromarray(reconstruct(vae, np.array(image)[None])[0])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
def test_brown_tail_that_leaves_the_picture_is_told_from_a_brown_coat(
    side: str, sign: int, seed: int, decoded: Callable[[Image.Image], Image.Image]
) -> None:
    words = {"hairstyle": "side_ponytail", "hair_rgb": look.HAIR_COLORS["brown"], "outfit": "coat"}
    hair = seen(decoded(drawing.draw(look.Look(seed=seed, side=side, **words), 128).image)).hair
    assert hair is not None
    assert sign * (hair.right - hair.left) > 0.08


def test_tail_is_seen_from_behind_without_a_face() -> None:
    observation = seen(picture(hairstyle="side_ponytail", side="left", view="behind"))
    assert observation.faces == ()
    assert "face" in observation.blind
    assert observation.hair is not None
    assert observation.hair.left - observation.hair.right > 0.08


@pytest.mark.parametrize("emotion", ["neutral", "happy", "sad", "angry", "surprised"])
def test_mouth_shows_the_drawn_emotion(emotion: str) -> None:
    mouth = part(seen(picture(emotion=emotion)), "mouth")
    assert max(mouth.emotions, key=lambda name: mouth.emotions[name]) == emotion
    assert sum(mouth.emotions.values()) == pytest.approx(1.0)


def test_angry_brows_over_a_happy_mouth_are_read_apart() -> None:
    observation = seen(picture(emotion="happy", brows="angry"))
    brows, mouth = part(observation, "brows"), part(observation, "mouth")
    assert max(brows.emotions, key=lambda name: brows.emotions[name]) == "angry"
    assert max(mouth.emotions, key=lambda name: mouth.emotions[name]) == "happy"


def test_missing_mouth_is_missing_and_says_nothing() -> None:
    mouth = part(seen(picture(faults=("missing_mouth",))), "mouth")
    assert mouth.state == "missing"
    assert mouth.emotions == {}


def test_hair_color_is_the_drawn_one() -> None:
    color = next(one for one in seen(picture(hair_rgb=(226, 122, 44))).colors if one.region == "hair")
    assert np.linalg.norm(np.array(color.lab) - (63.0, 33.7, 56.3)) < 6.0


def test_several_panels_are_told_from_one_picture() -> None:
    assert len(seen(picture(faults=("several_panels",), background="park")).panels) > 1


def test_rope_is_found_only_where_it_is() -> None:
    strengths = [
        next(one.strength for one in seen(picture(faults=faults)).findings if one.name == "rope")
        for faults in ((), ("rope",))
    ]
    assert strengths[0] < 0.5 < strengths[1]


def test_blur_is_found_only_where_it_is() -> None:
    strengths = [
        next(one.strength for one in seen(picture(faults=faults)).findings if one.name == "blur")
        for faults in ((), ("blur",))
    ]
    assert strengths[0] < 0.5 < strengths[1]


def test_absence_counts_only_for_proven_findings() -> None:
    findings = {one.name: one.absence_counts for one in seen(picture(), proven=("rope",)).findings}
    assert findings["rope"]
    assert not findings["blur"]


def test_observation_is_in_pixels_of_the_given_image_whatever_its_size() -> None:
    image = picture()
    small = seen(image)
    large = seen(image.resize((640, 640), Image.Resampling.BICUBIC), max_side=128)
    assert (large.width, large.height) == (640, 640)
    assert large.faces[0].box.x / 640 == pytest.approx(small.faces[0].box.x / 128, abs=0.03)
    assert large.faces[0].parts[3].outline[0][0] / 640 == pytest.approx(
        small.faces[0].parts[3].outline[0][0] / 128, abs=0.04
    )


def test_empty_picture_gives_reasons_instead_of_guesses() -> None:
    observation = seen(Image.new("RGB", (128, 128), (200, 200, 200)))
    assert observation.faces == ()
    assert observation.hair is None
    assert {"face", "hair"} <= set(observation.blind)


def test_layout_is_the_lab_of_its_cells_in_reading_order() -> None:
    image = Image.new("RGB", (64, 48), (255, 255, 255))
    image.paste((255, 0, 0), (0, 0, 32, 24))
    image.paste((0, 0, 255), (32, 24, 64, 48))
    # CIELAB (D65) of the sRGB primaries
    red, white, blue = (53, 80, 67), (100, 0, 0), (32, 79, -108)
    rows = (red * 4 + white * 4) * 4 + (white * 4 + blue * 4) * 4
    assert layout_of(image) == rows


def test_layout_is_the_mean_of_coded_values_in_images_of_any_size() -> None:
    # a cell is 25 pixels wide and 2.5 high; the fourth is black in 15 of 25 columns, sRGB 102, L* 43.2
    image = Image.new("RGB", (200, 20), (255, 255, 255))
    image.paste((0, 0, 0), (0, 0, 90, 20))
    assert layout_of(image)[::3] == (0, 0, 0, 43, 100, 100, 100, 100) * 8


def test_layout_of_a_picture_is_that_of_the_same_picture_three_times_as_large() -> None:
    image = picture()
    large = image.resize((3 * image.width, 3 * image.height), Image.Resampling.NEAREST)
    layout = seen(image).layout
    assert len(layout) == 192
    for max_side in (512, 128):
        # 8-bit rounding, and what the reduction before looking smooths over the cells' edges
        assert np.abs(np.array(seen(large, max_side=max_side).layout) - layout).max() <= 2
    assert np.abs(np.array(seen(picture(background="park")).layout) - layout).max() > 20


def test_order_and_company_do_not_change_an_observation() -> None:
    first, second = picture(), picture(emotion="angry", hairstyle="twin_tails")
    perceiver = OfflinePerceiver()
    assert perceiver.observe([second, first])[1] == perceiver.observe([first])[0]


def test_fingerprint_changes_with_options_and_names_the_packages() -> None:
    plain, *others = (OfflinePerceiver(**options).fingerprint() for options in ({}, {"proven": ("rope",)}, CASCADE))
    assert plain not in others
    assert {"finder", "pillow", "version"} <= set(plain)
    assert str(others[-1]["finder"]).startswith("animeface 2.")


def test_unknown_finding_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(PerceptionError, match=r"unknown finding 'ropes'\. Did you mean 'rope'"):
        OfflinePerceiver(proven=("ropes",))


def test_blind_detector_is_refused_with_the_pillow_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    cascade.check_detector.cache_clear()
    monkeypatch.setattr("animeface.detect", lambda image: [])
    with pytest.raises(PerceptionError, match="Pillow below 12"):
        OfflinePerceiver(finder="cascade").observe([picture()])


def test_cascade_that_is_not_installed_is_refused_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    cascade.check_detector.cache_clear()
    monkeypatch.setattr(cascade, "find_spec", lambda name: None)
    with pytest.raises(PerceptionError, match=r"pip install 'evalharness\[cascade\]'"):
        OfflinePerceiver(finder="cascade").observe([picture()])


def test_both_finders_see_the_same_face() -> None:
    (own,), (theirs,) = (seen(picture(), finder=finder).faces for finder in faces.FINDERS)
    assert abs(own.box.x + own.box.width / 2 - theirs.box.x - theirs.box.width / 2) < 0.1 * own.box.width
    assert own.box.width == pytest.approx(theirs.box.width, rel=0.25)


def test_unknown_finder_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(PerceptionError, match=r"unknown face finder 'cascades'\. Did you mean 'cascade'"):
        OfflinePerceiver(finder="cascades")


@pytest.mark.skipif(not REAL.is_dir(), reason="the 48 real images of ../shared/harmony-lab are not here")
@pytest.mark.parametrize(
    ("name", "mouth"), [("lora_v1__energetic_happy_v3", "present"), ("lora_v2__soft_neutral_v1", "present")]
)
@pytest.mark.parametrize("parts", ["net", "rules"])
def test_real_face_is_found_with_its_mouth(name: str, mouth: str, parts: str) -> None:
    observation = seen(Image.open(REAL / f"{name}.png"), parts=parts)
    assert len(observation.faces) == 1
    assert part(observation, "mouth").state == mouth


def strength(image: Image.Image, name: str) -> float:
    return next(one.strength for one in seen(image).findings if one.name == name)


def test_burnt_and_washed_out_pictures_are_told_from_plain_ones() -> None:
    plain = picture(background="park")
    burnt = ImageEnhance.Contrast(ImageEnhance.Color(plain).enhance(2.5)).enhance(1.8)
    pale = Image.blend(plain, Image.new("RGB", plain.size, (205, 205, 205)), 0.7)
    assert strength(plain, "burnt") < 0.5 < strength(burnt, "burnt")
    assert strength(plain, "washed_out") < 0.5 < strength(pale, "washed_out")


def test_light_skin_alone_is_not_burnt() -> None:
    # a silver-haired girl in white: her skin is nearly all that is coloured, and its red is at its end
    pale = picture(outfit="white_dress", hair_color="silver", hairstyle="twin_tails", scrunchie="green")
    assert strength(pale, "burnt") < 0.05


def test_flat_pictures_are_told_from_plain_and_from_blurred_ones() -> None:
    plain, flat, blurred = (picture(background="park", faults=faults) for faults in ((), ("low_detail",), ("blur",)))
    assert max(strength(plain, "low_detail"), strength(blurred, "low_detail")) < 0.5 < strength(flat, "low_detail")
    assert strength(flat, "blur") < 0.5


def test_picture_without_colour_is_not_judged_for_burning() -> None:
    grey = picture(background="park").convert("L").convert("RGB")
    assert "burnt" not in {one.name for one in seen(grey).findings}


@pytest.mark.parametrize(("coat", "count"), [(0, 2), (30, 1)])
def test_seam_that_somebody_stands_before_is_no_frame(coat: int, count: int) -> None:
    wall = np.tile(np.array([170, 170, 160], dtype=np.uint8), (192, 192, 1))
    wall[::24] = 160
    wall[:, 74:78] = 20
    wall[192 - coat :, 40:] = 22
    assert len(seen(Image.fromarray(wall)).panels) == count


@pytest.mark.skipif(not REAL.is_dir(), reason="the 48 real images of ../shared/harmony-lab are not here")
@pytest.mark.parametrize("name", ["lora_v1__energetic_angry_v2", "lora_v1__stoic_angry_v2"])
def test_real_face_half_in_shadow_is_found(name: str) -> None:
    assert len(cascade.find_faces(Image.open(REAL / f"{name}.png").convert("RGB"))) == 1


@pytest.mark.skipif(not REAL.is_dir(), reason="the 48 real images of ../shared/harmony-lab are not here")
def test_real_collage_has_several_panels() -> None:
    assert len(seen(Image.open(REAL / "lora_v1__energetic_happy_v1.png")).panels) == 3


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_picture_of_one_colour_is_looked_at_without_a_complaint(shade: int) -> None:
    observation = seen(Image.new("RGB", (1280, 640), (shade, shade, shade)))
    assert not observation.faces
    assert "face" in observation.blind


def test_hair_that_fills_the_whole_mask_hangs_together() -> None:
    full, frame = np.ones((20, 30), dtype=bool), HeadFrame(origin=(15.0, 10.0), unit=5.0)
    assert hair._hanging_together(full, full, 4.0, frame).all()
