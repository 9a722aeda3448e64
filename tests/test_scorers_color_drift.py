"""Colour drift: distance in CIEDE2000, and its direction in words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import expecting, seen
from skimage.color import lab2rgb, rgb2lab

from evalharness.scorers.color_drift import EyeColorDrift, HairColorDrift, SkinColorDrift, change_in_words
from evalharness.scorers.lab import against_grey, chroma, direction, hexadecimal, hue, hue_name, turn
from evalharness.scorers.typical import typical_color, weighted_median
from evalharness.types import Color, Lab, Observation, Reference, Score

BROWN: Lab = (40.0, 14.0, 22.0)


def polar(light: float, saturation: float, degrees: float) -> Lab:
    angle = math.radians(degrees)
    return light, saturation * math.cos(angle), saturation * math.sin(angle)


def showing(lab: Lab, region: str = "hair", confidence: float = 1.0) -> Observation:
    return seen(colors=(Color(region=region, lab=lab, share=0.2, confidence=confidence),))  # type: ignore[arg-type]


def reference(*labs: Lab, region: str = "hair") -> Reference:
    names = tuple(f"{index}.png" for index in range(len(labs)))
    return Reference(names=names, observations=tuple(showing(lab, region) for lab in labs))


def drift(start: Lab, end: Lab) -> Score:
    return HairColorDrift().score(expecting(), showing(end), reference(start))


def test_a_turn_towards_orange_reads_like_a_persons_remark() -> None:
    references = reference(polar(40, 30, 50), polar(41, 30, 50), polar(39, 31, 50))
    score = HairColorDrift().score(expecting(), showing(polar(40, 40, 64)), references)
    assert score.value is not None and score.value > 5
    assert score.reason == (
        f"hair 14 degrees towards orange, more saturated (deltaE00 {score.value:.1f}; references spread 1.0); "
        "hue +14, chroma +10, lightness +0; further out than every reference"
    )
    assert [mark.kind for mark in score.evidence] == ["swatch", "swatch"]


def test_the_same_colour_has_not_drifted() -> None:
    score = drift(BROWN, BROWN)
    assert score.value == pytest.approx(0.0)
    assert score.reason.startswith("hair as in the references (deltaE00 0.0")


def test_published_pairs_of_ciede2000_come_out() -> None:
    # Sharma, Wu and Dalal 2005, table 1, pairs 1 and 17.
    assert drift((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485)).value == pytest.approx(2.0425, abs=1e-4)
    assert drift((50.0, 2.5, 0.0), (73.0, 25.0, -18.0)).value == pytest.approx(27.1492, abs=1e-4)


def test_hue_turns_the_short_way_around_the_circle() -> None:
    assert turn(350.0, 10.0) == pytest.approx(20.0)
    assert turn(10.0, 350.0) == pytest.approx(-20.0)
    assert turn(0.0, 180.0) == turn(180.0, 0.0) == pytest.approx(180.0)
    assert change_in_words(polar(50, 30, 350), polar(50, 30, 20)) == "30 degrees towards red"
    assert direction(50.0, 30.0) == "red"
    assert hue_name(310.0) == "purple"


def test_grey_has_no_hue() -> None:
    assert change_in_words((50.0, 2.0, 0.0), (50.0, -2.0, 0.0)) == "as in the references"
    assert change_in_words((50.0, 2.0, 0.0), polar(60, 30, 60)) == "more saturated, lighter"
    assert change_in_words(polar(60, 30, 60), (40.0, 2.0, 0.0)) == "less saturated, darker"


@given(st.floats(0.0, 360.0), st.floats(-170.0, 170.0).filter(lambda shift: abs(shift) >= 4))
def test_a_hue_shift_is_named_with_its_size(start: float, shift: float) -> None:
    first, second = polar(50, 40, start), polar(50, 40, start + shift)
    assert turn(hue(first), hue(second)) == pytest.approx(shift, abs=1e-6)
    assert change_in_words(first, second).startswith(f"{abs(turn(hue(first), hue(second))):.0f} degrees towards ")


@given(st.floats(10.0, 60.0), st.floats(10.0, 360.0), st.floats(4.0, 30.0))
def test_more_chroma_is_more_saturated_and_further_is_a_larger_drift(
    saturation: float, degrees: float, more: float
) -> None:
    start = polar(50, saturation, degrees)
    nearer, further = polar(50, saturation + more, degrees), polar(50, saturation + 2 * more, degrees)
    assert change_in_words(start, further) == "more saturated"
    assert chroma(further) == pytest.approx(saturation + 2 * more)
    near, far = drift(start, nearer).value, drift(start, further).value
    assert near is not None and far is not None and 0 < near < far


def test_the_reference_is_the_median_so_that_one_odd_image_does_not_move_it() -> None:
    found = typical_color([hair_of(BROWN)] * 9 + [hair_of((90.0, -80.0, 80.0))])
    assert found.middle == pytest.approx(BROWN)
    assert found.spread < 15


def hair_of(lab: Lab, confidence: float = 1.0) -> Color:
    return Color(region="hair", lab=lab, share=0.2, confidence=confidence)


def test_an_unsure_reference_counts_less() -> None:
    sure, unsure = hair_of(BROWN, 0.9), hair_of((70.0, 0.0, 0.0), 0.3)
    assert typical_color([sure, unsure, unsure]).middle == pytest.approx(BROWN)
    assert weighted_median(np.array((1.0, 2.0, 4.0, 9.0)), np.ones(4)) == pytest.approx(3.0)
    assert weighted_median(np.array((5.0, 1.0)), np.array((3.0, 1.0))) == pytest.approx(5.0)


def test_share_of_references_further_out_is_said() -> None:
    references = reference(BROWN, BROWN, (44.0, 14.0, 22.0), (50.0, 14.0, 22.0))
    score = HairColorDrift().score(expecting(), showing((46.0, 14.0, 22.0)), references)
    assert score.reason.endswith("25% of the references lie further out")


def test_skin_has_a_metric_of_its_own() -> None:
    scorer = SkinColorDrift()
    assert scorer.name == "skin_color_drift"
    assert scorer.score(expecting(), showing(BROWN, "skin"), reference(BROWN, region="skin")).value == 0.0


def under(tint: Lab, hair: Lab, confidence: float = 1.0) -> Observation:
    background = Color(region="background", lab=tint, share=0.4, confidence=confidence)
    return seen(colors=(hair_of(hair), background))


def test_grey_background_under_warm_light_takes_the_light_away() -> None:
    warm = (85.0, 6.0, 19.0)
    references = Reference(names=("a", "b"), observations=(under((85.0, 0.0, 0.0), BROWN),) * 2)
    lit = against_grey(BROWN, (85.0, -6.0, -18.0))
    raw = HairColorDrift().score(expecting(), under(warm, lit), references)
    assert raw.value is not None and raw.value > 3
    balanced = float(raw.reason.rsplit(" ", 1)[1])
    assert balanced < raw.value / 3


@pytest.mark.parametrize("background", [((60.0, 30.0, 40.0), 1.0), ((85.0, 4.0, 14.0), 0.6), ((5.0, 1.0, 2.0), 1.0)])
def test_background_that_is_coloured_patterned_or_dark_corrects_nothing(background: tuple[Lab, float]) -> None:
    plain = Reference(names=("a",), observations=(under((85.0, 0.0, 0.0), BROWN),))
    score = HairColorDrift().score(expecting(), under(background[0], BROWN, background[1]), plain)
    assert "background" not in score.reason


@given(st.floats(20, 95), st.floats(-20, 20), st.floats(-20, 20))
def test_a_tint_taken_as_grey_is_grey(light: float, red: float, yellow: float) -> None:
    """Darker tints of this strength have no light left in one of X, Y, Z, and are kept above 0."""
    assert against_grey((light, red, yellow), (light, red, yellow)) == pytest.approx((light, 0.0, 0.0), abs=1e-6)
    assert against_grey((light, red, yellow), (50.0, 0.0, 0.0)) == pytest.approx((light, red, yellow), abs=1e-6)


def test_references_are_measured_again_when_they_change() -> None:
    scorer = HairColorDrift()
    assert scorer.score(expecting(), showing(BROWN), reference(BROWN)).value == pytest.approx(0.0)
    other = scorer.score(expecting(), showing(BROWN), reference((70.0, 0.0, 0.0))).value
    assert other is not None and other > 20


def test_eyes_have_a_metric_of_their_own() -> None:
    scorer = EyeColorDrift()
    assert scorer.name == "eye_color_drift"
    assert scorer.score(expecting(), showing(BROWN, "eyes"), reference(BROWN, region="eyes")).value == 0.0
    assert scorer.score(expecting(), showing(BROWN), reference(BROWN, region="eyes")).value is None


@pytest.mark.parametrize(
    ("observation", "given_reference", "reason"),
    [
        (showing(BROWN), None, "names no reference images"),
        (showing(BROWN), reference(), "names no reference images"),
        (seen(), reference(BROWN), "no colour of the hair"),
        (showing(BROWN, confidence=0.1), reference(BROWN), "too little clear colour (0.10)"),
        (seen(blind={"hair": "a hood covers it"}), reference(BROWN), "a hood covers it"),
        (showing(BROWN), reference(BROWN, region="skin"), "no reference image shows"),
    ],
)
def test_colour_that_cannot_be_compared_is_unscored(
    observation: Observation, given_reference: Reference | None, reason: str
) -> None:
    score = HairColorDrift().score(expecting(), observation, given_reference)
    assert score.value is None
    assert reason in score.reason


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_swatches_have_the_colour_that_scikit_image_gives(rgb: tuple[int, int, int]) -> None:
    light, red, yellow = (float(value) for value in rgb2lab(np.array(rgb) / 255.0))
    expected = np.round(lab2rgb(np.array((light, red, yellow))) * 255)
    text = hexadecimal((light, red, yellow))
    ours = [int(text[index : index + 2], 16) for index in (1, 3, 5)]
    assert np.abs(np.array(ours) - expected).max() <= 1
