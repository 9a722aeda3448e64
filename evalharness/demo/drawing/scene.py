"""What lies behind the character, and the light on everything. Backgrounds use the whole image as unit."""

import numpy as np
from PIL import Image

from evalharness.demo.drawing.canvas import BACKGROUND, FIGURE, Canvas, Rgb, mix
from evalharness.demo.drawing.figure import WHITE, chance
from evalharness.demo.drawing.geometry import Pairs, ellipse, scallop
from evalharness.demo.look import Background, Light, Look

# Colours from top to bottom of the image.
GRADIENTS: dict[Background, tuple[Rgb, ...]] = {
    "plain_white": ((250, 250, 250), (250, 250, 250)),
    "plain_grey": ((150, 152, 156), (150, 152, 156)),
    "sky": ((86, 160, 236), (150, 206, 250), (214, 238, 255)),
    "classroom": ((240, 228, 200), (232, 216, 184)),
    "park": ((160, 214, 250), (214, 240, 255), (214, 240, 255)),
    "night_city": ((14, 18, 52), (28, 34, 84), (62, 52, 110)),
    "sunset": ((96, 70, 150), (236, 112, 96), (255, 178, 84), (255, 214, 120)),
}
# Multipliers of red, green and blue: on the background, on the character.
LIGHTS: dict[Light, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "soft": ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
    "warm": ((1.04, 0.97, 0.82), (1.03, 0.97, 0.86)),
    "cool": ((0.86, 0.95, 1.07), (0.89, 0.96, 1.05)),
    "backlit": ((1.08, 1.08, 1.04), (0.82, 0.8, 0.86)),
}


def draw_background(canvas: Canvas, look: Look) -> None:
    """Fill the whole image with the look's place."""
    colors = np.array(GRADIENTS[look.background], dtype=np.float64)
    height, width = canvas.image.height, canvas.image.width
    rows = np.linspace(0, len(colors) - 1, height)
    column = np.stack([np.interp(rows, np.arange(len(colors)), colors[:, k]) for k in range(3)], axis=1)
    strip = np.concatenate((column.round(), np.full((height, 1), BACKGROUND)), axis=1).astype(np.uint8)
    canvas.image.paste(Image.fromarray(strip[:, None, :]).resize((width, height), Image.Resampling.NEAREST))
    painter = PAINTERS.get(look.background)
    if painter is not None:
        painter(canvas, chance(look.seed, "background"))


def _sky(canvas: Canvas, random: np.random.Generator) -> None:
    for x, y in ((0.14, 0.2), (0.86, 0.14), (0.08, 0.66), (0.92, 0.58), (0.5, 0.05)):
        center = (x + random.uniform(-0.06, 0.06), y + random.uniform(-0.05, 0.05))
        size = random.uniform(0.12, 0.2)
        canvas.fill(scallop((center[0], center[1] + 0.012), (size, size * 0.45)), (206, 228, 248), BACKGROUND)
        canvas.fill(scallop(center, (size, size * 0.42)), WHITE, BACKGROUND)


def _classroom(canvas: Canvas, random: np.random.Generator) -> None:
    shift = random.uniform(-0.05, 0.05)
    canvas.fill(_rect(0.12 + shift, 0.1, 0.72 + shift, 0.52), (150, 104, 62), BACKGROUND)
    canvas.fill(_rect(0.14 + shift, 0.12, 0.70 + shift, 0.5), (46, 98, 74), BACKGROUND)
    for y in (0.2, 0.26, 0.32):
        canvas.line(
            ((0.17 + shift, y), (0.17 + shift + random.uniform(0.08, 0.2), y)), (214, 232, 220), 0.25, BACKGROUND
        )
    canvas.fill(_rect(0.8 + shift, 0.1, 1.1, 0.56), (250, 250, 246), BACKGROUND)
    canvas.fill(_rect(0.82 + shift, 0.12, 0.91 + shift, 0.54), (150, 208, 246), BACKGROUND)
    canvas.fill(_rect(0.93 + shift, 0.12, 1.1, 0.54), (150, 208, 246), BACKGROUND)
    canvas.fill(_rect(0, 0.72, 1, 1), (188, 142, 92), BACKGROUND)
    for x in (0.0, 0.74):
        canvas.fill(_rect(x, 0.74, x + 0.27, 0.8), (226, 182, 120), BACKGROUND)
        canvas.fill(_rect(x + 0.03, 0.8, x + 0.06, 1), (110, 96, 90), BACKGROUND)
        canvas.fill(_rect(x + 0.21, 0.8, x + 0.24, 1), (110, 96, 90), BACKGROUND)


def _park(canvas: Canvas, random: np.random.Generator) -> None:
    canvas.fill(_rect(0, 0.6, 1, 1), (122, 192, 92), BACKGROUND)
    canvas.fill(((0.42, 0.6), (0.58, 0.6), (0.95, 1.0), (0.25, 1.0)), (224, 206, 160), BACKGROUND)
    for x in (0.08, 0.3, 0.72, 0.93):
        center = (x + random.uniform(-0.05, 0.05), random.uniform(0.3, 0.42))
        size = random.uniform(0.13, 0.18)
        canvas.fill(_rect(center[0] - 0.025, center[1], center[0] + 0.025, 0.68), (124, 88, 58), BACKGROUND)
        canvas.fill(scallop(center, (size, size * 1.1), waves=9), (56, 134, 66), BACKGROUND)
        canvas.fill(
            scallop((center[0] - 0.03, center[1] - 0.03), (size * 0.6, size * 0.6), waves=8), (84, 164, 80), BACKGROUND
        )


def _night_city(canvas: Canvas, random: np.random.Generator) -> None:
    canvas.fill(ellipse((0.82, 0.14), (0.075, 0.075)), (252, 244, 200), BACKGROUND)
    left = -0.05
    while left < 1:
        width, top = random.uniform(0.11, 0.19), random.uniform(0.26, 0.56)
        canvas.fill(_rect(left, top, left + width, 1), mix((22, 22, 44), (50, 48, 84), random.random()), BACKGROUND)
        for y in np.arange(top + 0.04, 0.9, 0.13):
            if random.random() < 0.6:
                canvas.fill(_rect(left + 0.03, y, left + width - 0.03, y + 0.05), (255, 220, 110), BACKGROUND)
        left += width + 0.005


def _sunset(canvas: Canvas, random: np.random.Generator) -> None:
    x = random.choice((0.18, 0.82)) + random.uniform(-0.05, 0.05)
    canvas.fill(ellipse((x, 0.56), (0.15, 0.15)), (255, 244, 190), BACKGROUND)
    canvas.fill(_rect(0, 0.66, 1, 1), (116, 70, 120), BACKGROUND)
    for y in (0.72, 0.84):
        half = random.uniform(0.06, 0.13)
        canvas.fill(_rect(x - half, y, x + half, y + 0.03), (255, 190, 120), BACKGROUND)
    for _ in range(3):
        center = (random.uniform(0, 1), random.uniform(0.12, 0.4))
        canvas.fill(ellipse(center, (0.2, 0.018)), (255, 160, 130), BACKGROUND)


def _rect(left: float, top: float, right: float, bottom: float) -> Pairs:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


PAINTERS = {"sky": _sky, "classroom": _classroom, "park": _park, "night_city": _night_city, "sunset": _sunset}


def lit(image: Image.Image, layers: Image.Image, light: Light) -> Image.Image:
    """An RGB picture under a light; `layers` says which pixels are background."""
    if light == "soft":
        return image
    # half-covered edge pixels get a share of both lights
    share = np.minimum(np.asarray(layers, dtype=np.float32)[:, :, None] / FIGURE, 1.0)
    background, figure = (np.array(factors, dtype=np.float32) for factors in LIGHTS[light])
    colored = np.asarray(image, dtype=np.float32) * (background + (figure - background) * share)
    return Image.fromarray(np.clip(colored + 0.5, 0, 255).astype(np.uint8))
