"""How far a colour went from the reference images, as CIEDE2000, and whereto in words a person would use."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from evalharness.scorers.base import unscored
from evalharness.scorers.evidence import swatch
from evalharness.scorers.lab import chroma, direction, hue, turn
from evalharness.types import Cell, Color, Lab, Observation, Reference, Score

# Below this chroma a hue angle is noise: black, grey and white hair have none.
GREY = 8.0
NOTICED_DEGREES = 3.0
NOTICED_STEPS = 3.0
Region = Literal["hair", "eyes"]


class _ColorDrift:
    """CIEDE2000 between a region's colour and the median Lab of the references; 1 is just noticeable, 5 is plain.

    Args:
        minimum_confidence: regions less certain than this are not judged, 0..1.
    """

    name: ClassVar[str]
    region: ClassVar[Region]
    version: ClassVar[int] = 1
    unit: ClassVar[str] = "deltaE00"
    higher_is_better: ClassVar[bool] = False

    def __init__(self, *, minimum_confidence: float = 0.2) -> None:
        self.minimum_confidence = minimum_confidence
        self._known: tuple[Reference, Lab, float] | None = None

    def score(self, cell: Cell, observation: Observation, reference: Reference | None) -> Score:
        """Measure the drift; unscored without references or where the region was not seen."""
        if reference is None or not reference.observations:
            return unscored(self.name, "the suite names no reference images")
        color = self._color(observation)
        if color is None:
            return unscored(self.name, observation.blind.get(self.region, f"no colour of the {self.region} was seen"))
        typical = self._typical(reference)
        if typical is None:
            return unscored(self.name, f"no reference image shows the colour of the {self.region}")
        return self._compare(color.lab, *typical)

    def _compare(self, lab: Lab, middle: Lab, spread: float) -> Score:
        drift = float(difference(np.array(middle), np.array(lab)))
        figures = f"(deltaE00 {drift:.1f}; references spread {spread:.1f})"
        marks = (swatch(f"{self.region} here", lab), swatch(f"{self.region} of the references", middle))
        reason = f"{self.region} {change_in_words(middle, lab)} {figures}"
        return Score(metric=self.name, value=drift, reason=reason, evidence=marks)

    def _color(self, observation: Observation) -> Color | None:
        sure = (c for c in observation.colors if c.region == self.region and c.confidence >= self.minimum_confidence)
        return max(sure, key=lambda color: color.confidence * color.share, default=None)

    def _typical(self, reference: Reference) -> tuple[Lab, float] | None:
        # Thousands of images share one reference set, whose colours never change: measured once per set.
        if self._known is None or self._known[0] is not reference:
            colors = [color.lab for seen in reference.observations if (color := self._color(seen))]
            if not colors:
                return None
            self._known = (reference, *typical_color(np.array(colors)))
        return self._known[1:]


class HairColorDrift(_ColorDrift):
    """Drift of the hair's colour."""

    name: ClassVar[str] = "color_drift"
    region: ClassVar[Region] = "hair"


class EyeColorDrift(_ColorDrift):
    """Drift of the eyes' colour."""

    name: ClassVar[str] = "eye_color_drift"
    region: ClassVar[Region] = "eyes"


def typical_color(labs: NDArray[np.float64]) -> tuple[Lab, float]:
    """The median of Lab colours (n, 3) per channel, and the distance within which nine in ten of them lie."""
    light, red, yellow = (float(value) for value in np.median(labs, axis=0))
    distances = difference(np.broadcast_to(np.array((light, red, yellow)), labs.shape), labs)
    return (light, red, yellow), float(np.quantile(distances, 0.9))


def difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIEDE2000 of Lab arrays (..., 3); Sharma, Wu and Dalal 2005."""
    return np.asarray(deltaE_ciede2000(first, second), dtype=np.float64)


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
