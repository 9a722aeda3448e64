"""From a look to a picture: place characters, draw them back to front, then light and shrink the result."""

import dataclasses

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evalharness.demo.drawing.body import draw_body
from evalharness.demo.drawing.canvas import FIGURE, HAIR, TIE, Canvas, bounds
from evalharness.demo.drawing.eyes import draw_eyes, make_eyes
from evalharness.demo.drawing.face import brow_lines, draw_brows, draw_face, face_outline
from evalharness.demo.drawing.faults import blurred, draw_rope, second_eyes, with_second_mouth
from evalharness.demo.drawing.figure import WHITE, Figure, chance, hair_rgb, palette
from evalharness.demo.drawing.hair import draw_back_hair, draw_front_hair
from evalharness.demo.drawing.headwear import draw_animal_ears, draw_buns, draw_hat, draw_ribbon
from evalharness.demo.drawing.lettering import lettered
from evalharness.demo.drawing.mouth import draw_mouth, mouth_line
from evalharness.demo.drawing.scene import draw_background, lit
from evalharness.demo.drawing.spoiling import simplified
from evalharness.demo.drawing.tails import draw_tails
from evalharness.demo.drawing.truth import Parts, Truth, emotion_seen
from evalharness.demo.drawing.watermarks import watermarked
from evalharness.demo.look import EYE_COLORS, Look, image_side

Rect = tuple[float, float, float, float]
HEAD_UNIT = 0.182
"""Half a face's width as a share of the image's side, before the zoom."""
ZOOM = 1.22
"""How close a single character is: twin tails still fit, and a mouth is wider than one cell of an autoencoder."""
# left, top, width, height as shares of the page, and how far the crop zooms in
PAGES: tuple[tuple[Rect, ...], ...] = (
    ((0.02, 0.02, 0.96, 0.47), (0.02, 0.51, 0.96, 0.47)),
    ((0.02, 0.02, 0.47, 0.96), (0.51, 0.02, 0.47, 0.96)),
    ((0.02, 0.02, 0.96, 0.47), (0.02, 0.51, 0.47, 0.47), (0.51, 0.51, 0.47, 0.47)),
    ((0.02, 0.02, 0.47, 0.47), (0.51, 0.02, 0.47, 0.47), (0.02, 0.51, 0.47, 0.47), (0.51, 0.51, 0.47, 0.47)),
)
# x, y and size of each head
GROUPS: tuple[tuple[tuple[float, float, float], ...], ...] = (
    ((0.29, 0.44, 0.72), (0.72, 0.47, 0.7)),
    ((0.2, 0.36, 0.52), (0.79, 0.36, 0.52), (0.5, 0.58, 0.56)),
)

OVER_HAIR = {"ribbon": draw_ribbon, "hat": draw_hat}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A picture (RGB, size x size), what it shows, and which pixels are hair, and hair tie (bool, size x size)."""

    image: Image.Image
    truth: Truth
    hair_mask: NDArray[np.bool_]
    tie_mask: NDArray[np.bool_]


def draw(look: Look, size: int = 512) -> Drawing:
    """Draw a look at `size` x `size` pixels (32 to 1024); the same look and size give the same pixels.

    Up to 256 pixels the picture is drawn at 512, above that at twice its size, then averaged down.
    """
    if not 32 <= size <= 1024:
        raise ValueError(f"size is {size}; a drawing's side must be 32 to 1024 pixels.")
    canvas = Canvas.blank(512 if size <= 256 else 2 * size)
    panels, heads, parts = 1, 1, Parts()
    if "several_panels" in look.faults:
        panels = heads = _draw_page(canvas, look)
    else:
        draw_background(canvas, look)
        figures = _group(canvas, look)
        heads = len(figures)
        boxes = [_draw_figure(figure, size) for figure in figures]
        parts = boxes[0]
    hair, tie = (np.asarray(_shrunk(_only(canvas.image, layer), size)) > 127 for layer in (HAIR, TIE))
    layers = canvas.image.getchannel("A").point([FIGURE if value == TIE else value for value in range(256)])
    image = lit(_shrunk(canvas.image.convert("RGB"), size), _shrunk(layers, size), look.light)
    truth = _truth(look, panels, 0 if look.view == "behind" else heads, parts)
    if "text" in look.faults:
        image, place = lettered(image, look)
        truth = dataclasses.replace(truth, text=place)
    return Drawing(image=_spoilt(image, look), truth=truth, hair_mask=hair, tie_mask=tie)


def _spoilt(image: Image.Image, look: Look) -> Image.Image:
    if "low_detail" in look.faults:
        image = simplified(image, look)
    if "watermark" in look.faults:
        image = watermarked(image, look)
    return blurred(image) if "blur" in look.faults else image


def _only(image: Image.Image, layer: int) -> Image.Image:
    return image.getchannel("A").point([255 if value == layer else 0 for value in range(256)])


def _shrunk(image: Image.Image, size: int) -> Image.Image:
    """Box average. Colours and layers go separately: Pillow would weigh RGBA colours by their alpha."""
    return image.resize((size, size), Image.Resampling.BOX)


def _truth(look: Look, panels: int, faces: int, parts: Parts) -> Truth:
    seen = emotion_seen(look)
    return Truth(
        look=look,
        hair_side_image=image_side(look),
        emotion_seen=seen,
        harmonious=seen != "none",
        faces=faces,
        panels=panels,
        parts=parts,
        hair_rgb=hair_rgb(look),
        eye_rgb=EYE_COLORS[look.eye_color],
        faults=look.faults,
    )


def _place(canvas: Canvas, look: Look, center: tuple[float, float], size: float) -> Figure:
    """A figure with its head near `center` (shares of the canvas), moved, turned and scaled by its seed."""
    random = chance(look.seed, "place")
    x, y = np.array(center) + random.uniform(-0.015, 0.015, 2) * size
    unit = HEAD_UNIT * size * random.uniform(0.97, 1.03)
    turn = np.deg2rad(random.uniform(-2, 2) + _lean(look))
    flip = -1 if look.view == "right_profile" else 1
    matrix = unit * np.array(((flip * np.cos(turn), -np.sin(turn)), (flip * np.sin(turn), np.cos(turn))))
    line = 0.035 * random.uniform(0.95, 1.15)
    placed = dataclasses.replace(canvas.placed(matrix, (float(x), float(y))), line_width=line)
    return Figure(look=look, canvas=placed, colors=palette(look))


def _lean(look: Look) -> float:
    """Degrees by which a runner's body tilts: forward in profile, to either side from the front."""
    if look.pose == "standing":
        return 0.0
    towards = {"left_profile": -1, "right_profile": 1}
    return 6.0 * towards.get(look.view, 1 if chance(look.seed, "lean").random() < 0.5 else -1)


def _group(canvas: Canvas, look: Look) -> tuple[Figure, ...]:
    if "several_faces" not in look.faults:
        center = {"left_profile": 0.46, "right_profile": 0.54}.get(look.view, 0.5)
        return (_place(canvas, look, (center, 0.47), ZOOM),)
    random = chance(look.seed, "group")
    places = GROUPS[int(random.integers(len(GROUPS)))]
    looks = [dataclasses.replace(look, seed=look.seed + 7919 * number) for number in range(len(places))]
    return tuple(_place(canvas, one, (x, y), size) for one, (x, y, size) in zip(looks, places, strict=True))


def _draw_figure(figure: Figure, size: int) -> Parts:
    """Draw one character back to front; returns where her parts lie in an image of `size` pixels."""
    faults = figure.look.faults
    draw_back_hair(figure)
    draw_tails(figure, over_head=False)
    draw_body(figure)
    if "rope" in faults:
        draw_rope(figure)
    if not figure.behind:
        draw_face(figure)
    if not figure.behind and "missing_mouth" not in faults:
        draw_mouth(figure)
    if not figure.behind and "doubled_mouth" in faults:
        draw_mouth(with_second_mouth(figure))
    if "animal_ears" in faults:
        draw_animal_ears(figure)
    if figure.look.headwear == "buns":
        draw_buns(figure)
    draw_front_hair(figure)
    draw_tails(figure, over_head=True)
    if figure.look.headwear in OVER_HAIR:
        OVER_HAIR[figure.look.headwear](figure)
    return Parts() if figure.behind else _draw_expression(figure, size)


def _draw_expression(figure: Figure, size: int) -> Parts:
    """Eyes and brows over the bangs, and the boxes of all parts of the face."""
    eyes = () if "missing_eyes" in figure.look.faults else make_eyes(figure)
    draw_eyes(figure, eyes)
    if "doubled_eyes" in figure.look.faults:
        draw_eyes(figure, second_eyes(figure, eyes))
    draw_brows(figure)
    scale = size / figure.canvas.image.width

    def box(*curves: np.ndarray) -> tuple[int, int, int, int]:
        return bounds(figure.canvas.pixels(np.concatenate(curves)), scale, size)

    seen = [box(eye.outline()) for eye in eyes]
    facing_left = figure.look.view == "left_profile"
    return Parts(
        face=box(face_outline(figure)),
        left_eye=seen[0] if seen and (len(seen) == 2 or facing_left) else None,
        right_eye=seen[-1] if seen and (len(seen) == 2 or not facing_left) else None,
        brows=box(*brow_lines(figure)),
        mouth=None if "missing_mouth" in figure.look.faults else box(mouth_line(figure)),
    )


def _draw_page(canvas: Canvas, look: Look) -> int:
    """Fill the canvas with panels, each a close crop of one face; returns how many there are."""
    side = canvas.image.width
    canvas.fill(((0, 0), (1, 0), (1, 1), (0, 1)), WHITE, 0)
    page = PAGES[int(chance(look.seed, "page").integers(len(PAGES)))]
    for number, (left, top, width, height) in enumerate(page):
        one = dataclasses.replace(look, seed=look.seed + 7919 * number)
        crop = (round(width * side), round(height * side))
        panel = Canvas.blank(max(crop))
        draw_background(panel, one)
        zoom = 1.5 if width == height else 0.95
        _draw_figure(_place(panel, one, (0.5 * crop[0] / max(crop), 0.52 * crop[1] / max(crop)), zoom), side)
        place = (round(left * side), round(top * side))
        canvas.image.paste(panel.image.crop((0, 0, *crop)), place)
        corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height), (left, top)]
        canvas.line(corners, (20, 20, 24), 0.28, 0)
    return len(page)
