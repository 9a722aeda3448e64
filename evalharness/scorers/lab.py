"""CIELAB in the words and numbers of the other scorers: hue angle, chroma, sRGB."""

import math

from evalharness.types import Lab

WHITE_D65 = (0.95047, 1.0, 1.08883)
XYZ_TO_RGB = (
    (3.2404542, -1.5371385, -0.4985314),
    (-0.9692660, 1.8760108, 0.0415560),
    (0.0556434, -0.2040259, 1.0572252),
)
# CIELAB hue angles of what people call by these names; red is 40 for the sRGB primary and 25 for cloth and hair.
HUES = {"pink": 0.0, "red": 35.0, "orange": 65.0, "yellow": 100.0, "green": 140.0, "cyan": 200.0, "blue": 285.0}
HUES["purple"] = 320.0


def chroma(lab: Lab) -> float:
    """Distance from grey, 0 to about 130."""
    return math.hypot(lab[1], lab[2])


def hue(lab: Lab) -> float:
    """Hue angle in degrees, 0 to 360; meaningless near grey."""
    return math.degrees(math.atan2(lab[2], lab[1])) % 360.0


def turn(start: float, end: float) -> float:
    """The shorter way from one angle to another, in degrees: -180 < turn <= 180, positive counter-clockwise."""
    return 180.0 - (180.0 - (end - start)) % 360.0


def hue_name(angle: float) -> str:
    """The nearest name of a hue angle in degrees."""
    return min(HUES, key=lambda name: abs(turn(angle, HUES[name])))


def direction(start: float, end: float) -> str:
    """Towards what the hue went: of the names ahead of the start, the one nearest to where it arrived."""
    way = math.copysign(1.0, turn(start, end))
    ahead = [name for name, angle in HUES.items() if way * turn(start, angle) >= 5.0]
    return min(ahead, key=lambda name: abs(turn(end, HUES[name])))


def against_grey(lab: Lab, tint: Lab) -> Lab:
    """The colour as it would look were `tint` a grey as light as it is: each of X, Y, Z scaled (von Kries 1902)."""
    tinted, grey = _xyz(tint), _xyz((tint[0], 0.0, 0.0))
    x, y, z = (_root(value * plain / seen) for value, seen, plain in zip(_xyz(lab), tinted, grey, strict=True))
    return 116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)


def _xyz(lab: Lab) -> tuple[float, float, float]:
    """Tristimulus values relative to the white point; kept above 0, where a strong tint could push them."""
    y = (lab[0] + 16.0) / 116.0
    x, y, z = (max(_cube(step), 1e-4) for step in (y + lab[1] / 500.0, y, y - lab[2] / 200.0))
    return x, y, z


def _root(value: float) -> float:
    return value ** (1.0 / 3.0) if value > (6.0 / 29.0) ** 3 else value / (3.0 * (6.0 / 29.0) ** 2) + 4.0 / 29.0


def hexadecimal(lab: Lab) -> str:
    """#rrggbb of the nearest colour a screen can show (IEC 61966-2-1, D65)."""
    y = (lab[0] + 16.0) / 116.0
    steps = (y + lab[1] / 500.0, y, y - lab[2] / 200.0)
    xyz = [_cube(step) * white for step, white in zip(steps, WHITE_D65, strict=True)]
    linear = [sum(weight * value for weight, value in zip(row, xyz, strict=True)) for row in XYZ_TO_RGB]
    return "#" + "".join(f"{round(255.0 * _gamma(value)):02x}" for value in linear)


def _cube(step: float) -> float:
    return step**3 if step > 6.0 / 29.0 else (step - 4.0 / 29.0) * 3.0 * (6.0 / 29.0) ** 2


def _gamma(value: float) -> float:
    value = min(max(value, 0.0), 1.0)
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1.0 / 2.4) - 0.055
