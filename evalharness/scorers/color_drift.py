"""How far a colour went from the reference images, as CIEDE2000, and whereto in words a person would use."""

from dataclasses import replace
from typing import ClassVar, Literal

from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import swatch
from evalharness.scorers.lab import against_grey, chroma, direction, hue, turn
from evalharness.scorers.typical import Typical, typical_color
from evalharness.types import Cell, Color, Lab, Observation, Reference, Score

# Below this chroma a hue angle is noise: black, grey and white hair have none.
GREY = 8.0
NOTICED_DEGREES = 3.0
NOTICED_STEPS = 3.0
# A background this certain is of one colour; up to this chroma it may be a grey that the light has tinted.
PLAIN = 0.9
TINTED = 20.0
Region = Literal["hair", "eyes", "skin"]


class _ColorDrift:
    """CIEDE2000 between a region's colour and the weighted median Lab of the references; 1 is just noticeable.

    Beside it stand the share of references that lie further from their own median than the image, the signed steps of
    hue, chroma and lightness, and, where the background is plain and nearly grey, the drift after taking it as grey
    (von Kries). The score is the raw one: only plain backgrounds have the other, whose tint may be meant.

    Args:
        minimum_confidence: regions less certain than this are not judged, 0..1.
    """

    name: ClassVar[str]
    region: ClassVar[Region]
    version: ClassVar[int] = 2
    unit: ClassVar[str] = "deltaE00"
    higher_is_better: ClassVar[bool] = False

    def __init__(self, *, minimum_confidence: float = 0.2) -> None:
        self.minimum_confidence = minimum_confidence
        self._known: tuple[Reference, Typical, Typical | None] | None = None

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Measure the drift; unscored without references or where the region was not seen."""
        if reference is None or not reference.observations:
            return unscored(self.name, "the suite names no reference images")
        color = self._color(observation)
        if color is None:
            return unscored(self.name, self._unseen(observation))
        raw, balanced = self._typical(reference)
        if raw is None:
            return unscored(self.name, f"no reference image shows the colour of the {self.region}")
        tint = tint_of(observation)
        other = None if balanced is None or tint is None else balanced.drift(against_grey(color.lab, tint))
        return self._compare(color.lab, raw, other)

    def _compare(self, lab: Lab, typical: Typical, balanced: float | None) -> Score:
        drift = typical.drift(lab)
        reason = (
            f"{self.region} {change_in_words(typical.middle, lab)} "
            f"(deltaE00 {drift:.1f}; references spread {typical.spread:.1f}); "
            f"{change_in_figures(typical.middle, lab)}; {typical.further(drift)}"
        )
        if balanced is not None:
            reason += f"; with the background taken as grey deltaE00 {balanced:.1f}"
        marks = (swatch(f"{self.region} here", lab), swatch(f"{self.region} of the references", typical.middle))
        return Score(metric=self.name, value=drift, reason=reason, evidence=marks)

    def _color(self, observation: Observation) -> Color | None:
        sure = (c for c in observation.colors if c.region == self.region and c.confidence >= self.minimum_confidence)
        return max(sure, key=lambda color: color.confidence * color.share, default=None)

    def _unseen(self, observation: Observation) -> str:
        unsure = [color.confidence for color in observation.colors if color.region == self.region]
        if not unsure:
            return observation.blind.get(self.region, f"no colour of the {self.region} was seen")
        return f"the {self.region} show too little clear colour ({max(unsure):.2f}): small, blended or covered"

    def _typical(self, reference: Reference) -> tuple[Typical | None, Typical | None]:
        # Thousands of images share one reference set, whose colours never change: measured once per set.
        if self._known is None or self._known[0] is not reference:
            seen = [(color, tint_of(one)) for one in reference.observations if (color := self._color(one))]
            if not seen:
                return None, None
            plain = [(replace(color, lab=against_grey(color.lab, tint))) for color, tint in seen if tint is not None]
            raw = typical_color([color for color, _ in seen])
            self._known = (reference, raw, typical_color(plain) if plain else None)
        return self._known[1:]


class HairColorDrift(_ColorDrift):
    """Drift of the hair's colour."""

    name: ClassVar[str] = "color_drift"
    region: ClassVar[Region] = "hair"


class EyeColorDrift(_ColorDrift):
    """Drift of the eyes' colour; surer irises are asked for, because those under about 14 pixels differ by chance."""

    name: ClassVar[str] = "eye_color_drift"
    region: ClassVar[Region] = "eyes"

    def __init__(self, *, minimum_confidence: float = 0.5) -> None:
        super().__init__(minimum_confidence=minimum_confidence)


class SkinColorDrift(_ColorDrift):
    """Drift of the skin's colour."""

    name: ClassVar[str] = "skin_color_drift"
    region: ClassVar[Region] = "skin"


def change_in_words(start: Lab, end: Lab) -> str:
    """What a person sees change, e.g. '14 degrees towards orange, more saturated'; no hue is named near grey."""
    saturation, light = chroma(end) - chroma(start), end[0] - start[0]
    turned = turn(hue(start), hue(end))
    words = []
    if min(chroma(start), chroma(end)) >= GREY and abs(turned) >= NOTICED_DEGREES:
        words.append(f"{abs(turned):.0f} degrees towards {direction(hue(start), hue(end))}")
    if abs(saturation) >= NOTICED_STEPS:
        words.append("more saturated" if saturation > 0 else "less saturated")
    if abs(light) >= NOTICED_STEPS:
        words.append("lighter" if light > 0 else "darker")
    return ", ".join(words) or "as in the references"


def change_in_figures(start: Lab, end: Lab) -> str:
    """The signed steps of hue (degrees, left out near grey), chroma and lightness."""
    steps = {"chroma": chroma(end) - chroma(start), "lightness": end[0] - start[0]}
    if min(chroma(start), chroma(end)) >= GREY:
        steps = {"hue": turn(hue(start), hue(end)), **steps}
    return ", ".join(f"{name} {step:+.0f}" for name, step in steps.items())


def tint_of(observation: Observation) -> Lab | None:
    """The background's colour where it is plain and could be a grey under tinted light; None elsewhere."""
    plain = (c for c in observation.colors if c.region == "background" and c.confidence >= PLAIN)
    color = next(plain, None)
    return None if color is None or chroma(color.lab) > TINTED or color.lab[0] < TINTED else color.lab
