"""Eyes: their shape comes from the archetype, what they do comes from an emotion."""

import dataclasses

import numpy as np

from evalharness.demo.drawing.canvas import Canvas, Paint, mix
from evalharness.demo.drawing.figure import INK, WHITE, Figure
from evalharness.demo.drawing.geometry import Points, ellipse, ribbon
from evalharness.demo.look import Archetype, Emotion


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EyeShape:
    """Sizes in face units; `flatness` is the power of the lid curve (2 round, 6 flat); y points down."""

    width: float
    up: float
    down: float
    flatness: float
    inner: float
    outer: float
    iris: float
    highlight: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EyeMood:
    """What an emotion does to an eye.

    `up`, `down` and `iris` are factors on the shape. `tilt` of the upper lid, rise of the lower lid (`cheek`) and drop
    of the `gaze` grow with the eye's height. `open` is added to both lids, in face units.
    """

    up: float = 1.0
    down: float = 1.0
    tilt: float = 0.0
    cheek: float = 0.0
    iris: float = 1.0
    gaze: float = 0.0
    open: float = 0.0


SHAPES: dict[Archetype, EyeShape] = {
    "soft": EyeShape(width=0.27, up=0.29, down=0.21, flatness=2.2, inner=0.0, outer=0.0, iris=0.19, highlight=0.075),
    "stoic": EyeShape(width=0.31, up=0.10, down=0.13, flatness=7.0, inner=0.0, outer=-0.03, iris=0.16, highlight=0.0),
    "energetic": EyeShape(
        width=0.31, up=0.40, down=0.25, flatness=2.6, inner=0.02, outer=-0.06, iris=0.22, highlight=0.12
    ),
    "melancholic": EyeShape(
        width=0.29, up=0.17, down=0.15, flatness=2.4, inner=-0.09, outer=0.15, iris=0.18, highlight=0.045
    ),
}
MOODS: dict[Emotion, EyeMood] = {
    "neutral": EyeMood(),
    "happy": EyeMood(up=0.92, down=0.8, cheek=0.24),
    "sad": EyeMood(up=0.78, down=0.9, tilt=-0.09, gaze=0.09),
    "angry": EyeMood(up=0.8, down=0.75, tilt=0.14, iris=0.85),
    "surprised": EyeMood(up=1.08, down=1.08, open=0.06, iris=0.55),
}
EYE_CENTERS = ((-0.46, 0.16), (0.46, 0.16))
PROFILE_CENTER = (-0.52, 0.16)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """One eye in place: its curves as functions of u in [-1 inner, 1 outer]."""

    shape: EyeShape
    mood: EyeMood
    center: tuple[float, float]
    side: int
    width: float

    @property
    def height(self) -> float:
        """Height of the archetype's open eye."""
        return self.shape.up + self.shape.down

    def x(self, u: Points) -> Points:
        """Horizontal place of u."""
        return self.center[0] + self.side * self.width * u

    def lower(self, u: Points) -> Points:
        """Height of the lower lid at u."""
        bow = 1 - np.abs(u) ** 2.2
        depth = self.shape.down * self.mood.down + self.mood.open - self.mood.cheek * self.height
        return self._corner(u) + depth * bow

    def upper(self, u: Points) -> Points:
        """Height of the upper lid at u, never below the lower lid."""
        bow = np.maximum(1 - np.abs(u) ** self.shape.flatness, 0)
        rise = self.shape.up * self.mood.up + self.mood.open
        lid = self._corner(u) - rise * bow - self.mood.tilt * (0.4 + 1.2 * self.height) * u * np.sqrt(bow)
        return np.minimum(lid, self.lower(u) - 0.03 * bow)

    def outline(self) -> Points:
        """The opening as a closed curve."""
        u = np.linspace(-1, 1, 19)
        top, bottom = np.stack((self.x(u), self.upper(u)), 1), np.stack((self.x(u), self.lower(u)), 1)
        return np.concatenate((top, bottom[::-1]))

    def inside(self, points: Points) -> Points:
        """Points moved vertically (then at most to the corners) into the opening: Pillow has no clipping."""
        u = np.clip((points[:, 0] - self.center[0]) / (self.side * self.width), -0.97, 0.97)
        y = np.clip(points[:, 1], self.upper(u), self.lower(u))
        return np.stack((self.x(u), y), axis=1)

    def _corner(self, u: Points) -> Points:
        return self.center[1] + self.shape.inner + (self.shape.outer - self.shape.inner) * (u + 1) / 2


def make_eyes(figure: Figure) -> tuple[Eye, ...]:
    """The eyes that can be seen, the one at the image's left first (in her own canvas)."""
    look, random = figure.look, figure.chance("eyes")
    shape = SHAPES[look.archetype]
    mood = MOODS[look.eyes or look.emotion]
    size = 1 + random.uniform(-0.06, 0.06)
    drop = random.uniform(-0.025, 0.025)
    if figure.profile:
        center = (PROFILE_CENTER[0], PROFILE_CENTER[1] + drop)
        return (Eye(shape=shape, mood=mood, center=center, side=1, width=shape.width * size * 0.68),)
    return tuple(
        Eye(shape=shape, mood=mood, center=(x, y + drop), side=side, width=shape.width * size)
        for (x, y), side in zip(EYE_CENTERS, (-1, 1), strict=True)
    )


def draw_eyes(figure: Figure, eyes: tuple[Eye, ...]) -> None:
    """Draw all visible eyes, blank where that fault is asked for."""
    for eye in eyes:
        figure.canvas.fill(eye.outline(), WHITE)
        if "blank_eyes" not in figure.look.faults:
            _draw_iris(figure, eye)
        _draw_lashes(figure.canvas, eye)


def _draw_iris(figure: Figure, eye: Eye) -> None:
    canvas, color = figure.canvas, figure.colors.eye
    radius = eye.shape.iris * eye.mood.iris
    narrow = 0.68 if figure.profile else 1.0
    middle = float(np.mean(np.concatenate((eye.upper(np.zeros(1)), eye.lower(np.zeros(1))))))
    x, y = eye.center[0] - (0.05 if figure.profile else 0.02 * eye.side), middle + eye.mood.gaze * 2 * eye.height
    tall = radius * 1.3
    rim = mix(color, INK, 0.62)
    canvas.fill(eye.inside(ellipse((x, y), (radius * narrow, tall))), rim)
    canvas.fill(eye.inside(ellipse((x, y + 0.12 * tall), (radius * 0.8 * narrow, tall * 0.8))), color)
    canvas.fill(
        eye.inside(ellipse((x, y + 0.52 * tall), (radius * 0.55 * narrow, tall * 0.34))), mix(color, WHITE, 0.45)
    )
    canvas.fill(eye.inside(ellipse((x, y - 0.02), (radius * 0.36 * narrow, tall * 0.4))), mix(color, INK, 0.85))
    size = eye.shape.highlight * eye.mood.iris
    if size > 0:
        canvas.fill(
            eye.inside(ellipse((x - radius * 0.4 * narrow, y - tall * 0.42), (size * narrow, size * 1.2))), WHITE
        )
        canvas.fill(eye.inside(ellipse((x + radius * 0.45 * narrow, y + tall * 0.5), (size * 0.45, size * 0.5))), WHITE)


def _draw_lashes(canvas: Canvas, eye: Eye) -> None:
    u = np.linspace(-1.0, 1.12, 16)
    lid = np.stack((eye.x(u), eye.upper(np.clip(u, -1, 1))), axis=1)
    # the wing beyond the outer corner follows the lid's own slope
    lid[-1, 1] += 0.6 * (lid[-2, 1] - lid[-4, 1]) - 0.02
    canvas.shape(ribbon(lid, (0.05, 0.1, 0.11, 0.115, 0.05)), Paint(fill=INK))
    v = np.linspace(-0.35, 0.95, 9)
    canvas.line(np.stack((eye.x(v), eye.lower(v)), axis=1), mix(INK, (150, 80, 80), 0.4), 0.9)
    crease = np.linspace(-0.6, 0.75, 8)
    raised = np.stack((eye.x(crease), eye.upper(crease) - 0.105), axis=1)
    canvas.line(raised, (176, 110, 100), 0.6)
