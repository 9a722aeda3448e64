"""Tests of the drawn world's renderer."""

import dataclasses
import json

import animeface
import numpy as np
import pytest
from PIL import Image

from evalharness.demo import look as words
from evalharness.demo.drawing import Drawing, draw, sample_disharmonious_look, sample_fault_look, sample_look
from evalharness.demo.drawing.canvas import Box
from evalharness.demo.look import Look, image_side

SEEDS = range(4)


def pixels(drawing: Drawing) -> np.ndarray:
    return np.asarray(drawing.image, dtype=np.int16)


def crop(drawing: Drawing, box: Box | None) -> np.ndarray:
    assert box is not None
    return np.asarray(drawing.image.crop(box), dtype=np.int16)


def changed(look: Look, **words_: object) -> Look:
    return dataclasses.replace(look, **words_)  # type: ignore[arg-type]


def mass_right(look: Look) -> float:
    """Hair beyond the head's right less hair beyond its left, as a share of all hair."""
    drawing = draw(look, 128)
    bald = draw(changed(look, hairstyle="ponytail", view="front"), 128).truth.parts.face
    assert bald is not None
    left, right = bald[0] - 4, bald[2] + 4
    mask = drawing.hair_mask
    return float(mask[:, right:].sum() - mask[:, :left].sum()) / float(mask.sum())


@pytest.mark.parametrize("view", words.VIEWS)
@pytest.mark.parametrize("side", ("left", "right"))
@pytest.mark.parametrize("pose", words.POSES)
def test_side_ponytail_hangs_where_image_side_says(view: str, side: str, pose: str) -> None:
    for seed in SEEDS:
        look = changed(Look(hairstyle="side_ponytail", seed=seed), view=view, side=side, pose=pose)
        expected = {"left": -1, "right": 1}[image_side(look)]
        assert mass_right(look) * expected > 0.08, (seed, mass_right(look))


@pytest.mark.parametrize("view", ("left_profile", "right_profile"))
def test_ponytail_in_profile_hangs_behind_the_head(view: str) -> None:
    for seed in SEEDS:
        look = changed(Look(hairstyle="ponytail", seed=seed), view=view)
        assert mass_right(look) * {"left": -1, "right": 1}[image_side(look)] > 0.08


@pytest.mark.parametrize("hairstyle", ("down", "twin_tails", "ponytail"))
@pytest.mark.parametrize("view", ("front", "behind"))
def test_other_hairstyles_favour_no_side(hairstyle: str, view: str) -> None:
    shares = [mass_right(changed(Look(seed=seed), hairstyle=hairstyle, view=view)) for seed in range(8)]
    assert abs(float(np.mean(shares))) < 0.06


def test_same_look_gives_same_pixels() -> None:
    look = sample_look(np.random.default_rng(3))
    first, second = draw(look, 128), draw(look, 128)
    assert np.array_equal(pixels(first), pixels(second))
    assert np.array_equal(first.hair_mask, second.hair_mask)
    assert first.truth == second.truth


def test_another_seed_moves_and_recolours_the_drawing() -> None:
    first, second = draw(Look(seed=1), 128), draw(Look(seed=2), 128)
    assert first.truth.parts.face != second.truth.parts.face
    assert first.truth.hair_rgb != second.truth.hair_rgb


def test_another_emotion_changes_nothing_outside_the_face() -> None:
    calm, angry = draw(Look(seed=5), 128), draw(Look(seed=5, emotion="angry"), 128)
    assert calm.truth.parts.face == angry.truth.parts.face
    left, top, right, bottom = calm.truth.parts.face or (0, 0, 0, 0)
    differs = np.abs(pixels(calm) - pixels(angry)).max(axis=2) > 0
    assert differs[top:bottom, left:right].any()
    differs[top:bottom, left:right] = False
    assert not differs.any()


@pytest.mark.parametrize("part", ("eyes", "brows", "mouth"))
@pytest.mark.parametrize("view", ("front", "left_profile", "right_profile"))
def test_each_part_follows_its_own_emotion(part: str, view: str) -> None:
    """Any two emotions differ clearly in that part at 128 pixels, whatever the seed and archetype."""
    for number, archetype in enumerate(words.ARCHETYPES):
        looks = [changed(Look(seed=number), archetype=archetype, view=view, **{part: e}) for e in words.EMOTIONS]
        images = [pixels(draw(look, 128)) for look in looks]
        for one in range(len(images)):
            for other in range(one):
                strong = np.abs(images[one] - images[other]).max(axis=2) > 60
                assert strong.sum() >= 6, (archetype, words.EMOTIONS[one], words.EMOTIONS[other], strong.sum())


def test_archetypes_have_different_eyes() -> None:
    heights = {}
    for archetype in words.ARCHETYPES:
        box = draw(changed(Look(seed=1), archetype=archetype), 512).truth.parts.left_eye
        assert box is not None
        heights[archetype] = (box[3] - box[1]) / (box[2] - box[0])
    assert heights["stoic"] < heights["melancholic"] < heights["soft"] < heights["energetic"]


def test_disharmony_is_seen_in_the_truth() -> None:
    truth = draw(Look(emotion="happy", brows="angry"), 64).truth
    assert (truth.emotion_seen, truth.harmonious) == ("none", False)
    assert draw(Look(emotion="happy", brows="happy"), 64).truth.harmonious
    assert not draw(sample_disharmonious_look(np.random.default_rng(0)), 64).truth.harmonious


def test_from_behind_no_face_is_seen() -> None:
    truth = draw(Look(view="behind", emotion="happy"), 64).truth
    assert (truth.faces, truth.emotion_seen, truth.parts.face, truth.parts.mouth) == (0, "none", None, None)


@pytest.mark.parametrize(("view", "seen", "hidden"), (
    ("left_profile", "left_eye", "right_eye"),
    ("right_profile", "right_eye", "left_eye"),
))  # fmt: skip
def test_profile_shows_one_eye(view: str, seen: str, hidden: str) -> None:
    drawing = draw(changed(Look(), view=view), 128)
    assert getattr(drawing.truth.parts, seen) is not None
    assert getattr(drawing.truth.parts, hidden) is None
    mouth, face = drawing.truth.parts.mouth, drawing.truth.parts.face
    assert mouth is not None and face is not None
    assert (mouth[0] + mouth[2] < face[0] + face[2]) == (view == "left_profile")


@pytest.mark.parametrize("fault", (*words.FAULTS, *words.LATER_FAULTS))
def test_a_fault_changes_the_picture_and_is_in_the_truth(fault: words.Fault) -> None:
    look = sample_fault_look(np.random.default_rng(2), fault)
    look = changed(look, view="front")
    faulty, sound = draw(look, 128), draw(changed(look, faults=()), 128)
    assert faulty.truth.faults == (fault,)
    assert (np.abs(pixels(faulty) - pixels(sound)).max(axis=2) > 40).sum() > 8


def test_panels_and_faces_are_counted() -> None:
    pages = [draw(Look(faults=("several_panels",), seed=seed), 64).truth for seed in range(12)]
    assert {truth.panels for truth in pages} == {2, 3, 4}
    assert all(truth.faces == truth.panels for truth in pages)
    groups = [draw(Look(faults=("several_faces",), seed=seed), 64).truth for seed in range(12)]
    assert {truth.faces for truth in groups} == {2, 3}
    assert all(truth.panels == 1 for truth in groups)


def test_missing_parts_have_no_box() -> None:
    assert draw(Look(faults=("missing_mouth",)), 64).truth.parts.mouth is None
    parts = draw(Look(faults=("missing_eyes",)), 64).truth.parts
    assert (parts.left_eye, parts.right_eye) == (None, None)


def test_faults_that_came_later_are_none_that_models_were_taught() -> None:
    assert len(words.FAULTS) == 8 and not set(words.FAULTS) & set(words.LATER_FAULTS)
    random = np.random.default_rng(1)
    assert {sample_fault_look(random).faults[0] for _ in range(200)} == set(words.FAULTS)


@pytest.mark.parametrize("seed", range(6))
def test_text_lies_where_the_truth_says(seed: int) -> None:
    sound, lettered = (draw(Look(seed=seed, faults=faults), 256) for faults in ((), ("text",)))
    rows, columns = np.nonzero(np.abs(pixels(lettered) - pixels(sound)).max(axis=2) > 8)
    left, top, right, bottom = lettered.truth.text or (0, 0, 0, 0)
    # an outline stands out by up to two pixels
    assert left - 2 <= columns.min() and columns.max() < right + 3
    assert top - 2 <= rows.min() and rows.max() < bottom + 3
    assert sound.truth.text is None


def test_blank_eyes_have_no_iris() -> None:
    sound, blank = draw(Look(eye_color="red"), 256), draw(Look(eye_color="red", faults=("blank_eyes",)), 256)
    box = sound.truth.parts.left_eye
    assert crop(blank, box).mean() > crop(sound, box).mean() + 40


@pytest.mark.parametrize("color", tuple(words.HAIR_COLORS))
def test_hair_mask_holds_the_hair_color(color: str) -> None:
    drawing = draw(Look(hair_color=color, hairstyle="side_ponytail", background="park", seed=3), 256)
    inside = pixels(drawing)[drawing.hair_mask]
    distance = np.abs(np.median(inside, axis=0) - drawing.truth.hair_rgb).max()
    assert distance <= 2
    assert 0.05 < drawing.hair_mask.mean() < 0.4


def test_given_hair_color_is_used_exactly() -> None:
    assert draw(Look(hair_rgb=(200, 120, 60), seed=9), 64).truth.hair_rgb == (200, 120, 60)


def test_right_profile_mirrors_left_profile() -> None:
    """Up to chance in placing, which is not mirrored, hair covers the mirrored place."""
    for seed in SEEDS:
        looks = [
            changed(Look(hairstyle="ponytail", seed=seed), view=view) for view in ("left_profile", "right_profile")
        ]
        left, right = (draw(look, 128).hair_mask for look in looks)
        flipped = right[:, ::-1]
        overlap = max(
            (left & np.roll(flipped, shift, axis=1)).sum() / (left | np.roll(flipped, shift, axis=1)).sum()
            for shift in range(-10, 11)
        )
        assert overlap > 0.75


def test_scrunchie_keeps_its_color_at_128_pixels() -> None:
    for name, color in words.SCRUNCHIE_COLORS.items():
        look = Look(hairstyle="side_ponytail", scrunchie=name, hair_color="brown", background="plain_grey", seed=4)
        near = np.abs(pixels(draw(changed(look, outfit="coat"), 128)) - color).max(axis=2) < 30
        assert near.sum() >= 12, name


def test_truth_survives_json() -> None:
    plain = json.loads(json.dumps(draw(sample_look(np.random.default_rng(1)), 64).truth.to_json()))
    assert plain["faces"] in (0, 1)
    assert plain["look"]["hair_color"] in words.HAIR_COLORS


@pytest.mark.parametrize("size", (64, 100, 128, 256, 300, 512))
def test_any_size_is_drawn(size: int) -> None:
    drawing = draw(Look(), size)
    assert (drawing.image.size, drawing.image.mode, drawing.hair_mask.shape) == ((size, size), "RGB", (size, size))


def test_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size is 8; a drawing's side must be 32 to 1024 pixels"):
        draw(Look(), 8)


def test_samples_reach_every_word() -> None:
    rng = np.random.default_rng(0)
    looks = [sample_look(rng) for _ in range(400)]
    for field, options in (("archetype", words.ARCHETYPES), ("view", words.VIEWS), ("background", words.BACKGROUNDS)):
        assert {getattr(look, field) for look in looks} == set(options)
    assert all(look.faults == () for look in looks)


def test_animeface_finds_the_face_in_front_drawings() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(40):
        drawing = draw(changed(sample_look(rng), view="front"), 256)
        found += any(_touches(face, drawing.truth.parts.face) for face in animeface.detect(drawing.image))
    assert found >= 38


def _touches(face: animeface.Face, box: Box | None) -> bool:
    """Whether the found face's centre lies in the box."""
    assert box is not None
    x, y = face.face.pos.x + face.face.pos.width / 2, face.face.pos.y + face.face.pos.height / 2
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def test_light_tints_without_moving_anything() -> None:
    soft, backlit = draw(Look(seed=2), 64), draw(Look(seed=2, light="backlit"), 64)
    assert np.array_equal(soft.hair_mask, backlit.hair_mask)
    assert pixels(backlit)[soft.hair_mask].mean() < pixels(soft)[soft.hair_mask].mean()
    assert isinstance(soft.image, Image.Image)


@pytest.mark.parametrize("worn", [worn for worn in words.HEADWEAR if worn != "none"])
def test_headwear_changes_the_crown_and_not_the_face(worn: words.Headwear) -> None:
    plain, other = (draw(Look(seed=7, headwear=name), 256) for name in ("none", worn))
    changed_rows = np.flatnonzero(np.abs(pixels(plain) - pixels(other)).sum(axis=(1, 2)))
    assert plain.truth.parts.left_eye is not None
    assert changed_rows.size and changed_rows.max() < plain.truth.parts.left_eye[1] + 12


def test_every_kind_of_ears_is_drawn_its_own_way() -> None:
    drawn = [draw(Look(seed=8, faults=("animal_ears",), ears=kind), 128).image.tobytes() for kind in words.EARS]
    assert len(set(drawn)) == len(words.EARS)


def test_a_watermark_shows_the_picture_through_it() -> None:
    for seed in range(6):
        plain, marked = (draw(Look(seed=seed, background="park", faults=f), 256) for f in ((), ("watermark",)))
        apart = np.abs(pixels(plain) - pixels(marked)).max(axis=2)
        assert 0.003 < float((apart > 10).mean()) < 0.4
        assert int(apart.max()) < 0.6 * 255


def test_low_detail_is_flat_and_not_blurred() -> None:
    plain, flat = (draw(Look(seed=3, background="park", faults=faults), 256) for faults in ((), ("low_detail",)))
    colors = [len(np.unique(pixels(one).reshape(-1, 3), axis=0)) for one in (plain, flat)]
    assert colors[1] < 0.3 * colors[0]
    steps = np.abs(np.diff(pixels(flat).sum(axis=2), axis=1))
    # between blotches lies no ramp: most steps are none or large
    assert float((steps[steps > 0] > 30).mean()) > 0.9
