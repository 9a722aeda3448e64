"""Whole pictures with their faces: one head or several, near and far, cut by the frame, pages of panels, or none."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from reader.face import Rng, around, between
from reader.pen import SIDE as HEAD_SIDE
from reader.pen import Points

from finder.clutter import Tone, grain, ground, put_thing
from finder.heads import DEMO_SIDE, MIDDLE, UNIT, Heads, draw_demo_heads, draw_heads, load_heads

SIDE = 192
"""Pixels of a picture's sides."""
MOST = 16
"""Faces that a picture may have."""
SEEN, UNSEEN = 0.4, 0.12
"""Share of a face that must be in the picture for it to be one to find; below the second it is none at all."""
SMALLEST = 4.0
"""Half of a face's width in pixels below which nobody can say whether it is one."""
X, Y = (axis.ravel() for axis in np.meshgrid(np.linspace(-0.8, 0.8, 9), np.linspace(-0.45, 0.95, 9)))


@dataclass(slots=True, kw_only=True)
class Picture:
    """A grey picture that is being drawn; `owner` has the number of the head on top at each pixel, 0 = none.

    `points` (eye, eye, mouth), `places` (81 pixels of each face, to see what is hidden) and `sure` are one per head.
    """

    grey: Image.Image
    owner: Image.Image
    points: list[Points]
    places: list[Points]
    sure: list[bool]


def blank(rng: Rng, width: int, height: int) -> Picture:
    """A picture without heads."""
    grey = ground(rng, width, height)
    return Picture(grey=grey, owner=Image.new("I", grey.size, 0), points=[], places=[], sure=[])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where a head goes: its middle and half a face's width in pixels, its tilt in radians, and whether mirrored."""

    x: float
    y: float
    unit: float
    turn: float
    mirrored: bool


def put_head(picture: Picture, heads: Heads, number: int, pose: Pose, rng: Rng) -> None:
    """Draw a head with shoulders over what is there."""
    if heads.grey.shape[1] == HEAD_SIDE:
        _shoulders(picture, pose, rng)
    middle, scale = (
        (MIDDLE, pose.unit / UNIT) if heads.grey.shape[1] == HEAD_SIDE else (DEMO_SIDE / 2, pose.unit / 57.0)
    )
    sign = -1.0 if pose.mirrored else 1.0
    cos, sin = np.cos(pose.turn) * scale, np.sin(pose.turn) * scale
    there = np.array(((sign * cos, -sin), (sign * sin, cos)))
    shift = np.array((pose.x, pose.y)) - there @ np.array((middle, middle))
    back = np.linalg.inv(there)
    by = max(1, int(1.0 / scale))
    grey, cover = (Image.fromarray(layer[number]).reduce(by) for layer in (heads.grey, heads.cover))
    origin = -back @ shift
    steps = tuple(float(value) / by for row, start in zip(back, origin, strict=True) for value in (*row, start))
    layers = [
        one.transform(picture.grey.size, Image.Transform.AFFINE, steps, Image.Resampling.BILINEAR)
        for one in (grey, cover)
    ]
    picture.grey.paste(layers[0], mask=layers[1])
    picture.owner.paste(len(picture.points) + 1, mask=layers[1].point([255 * (value > 127) for value in range(256)]))
    points = heads.points[number] @ there.T + shift
    if pose.mirrored:
        points = points[[1, 0, 2]]
    picture.points.append(points)
    picture.places.append(face_places(points))
    picture.sure.append(bool(heads.sure[number]))


def face_unit(points: Points) -> float:
    """Half a face's width in pixels, from the distances of its eyes and of its mouth; nearly the same when it turns."""
    across, down = points[1] - points[0], points[2] - points[:2].mean(axis=0)
    return float(np.hypot(*across) / 0.92 + np.hypot(*down) / 0.62) / 2


def face_places(points: Points) -> Points:
    """A grid of 81 points over a face; NaN where it has none."""
    origin, across = points[:2].mean(axis=0), points[1] - points[0]
    down = (points[2] - origin) / 0.62
    return np.asarray(origin + X[:, None] * across / 0.92 + Y[:, None] * down)


def _shoulders(picture: Picture, pose: Pose, rng: Rng) -> None:
    """A neck and a trunk under the head, leaning half as much as it, in plain or folded cloth."""
    pen, lean = ImageDraw.Draw(picture.grey), 0.5 * pose.turn
    wide, shade, ink = between(rng, 1.2, 2.6), int(rng.integers(256)), int(rng.integers(256))

    def at(x: float, y: float) -> tuple[float, float]:
        right, down = x * np.cos(lean) - y * np.sin(lean), x * np.sin(lean) + y * np.cos(lean)
        return pose.x + pose.unit * right, pose.y + pose.unit * down

    drop = between(rng, 0.0, 0.5)
    trunk = (
        (-0.4, 1.2),
        (0.4, 1.2),
        (wide, 1.6 + drop),
        (wide * between(rng, 0.8, 1.2), 7),
        (-wide, 7),
        (-wide, 1.6 + drop),
    )
    pen.polygon([at(*point) for point in trunk], fill=shade, outline=ink if rng.random() < 0.7 else None)
    ImageDraw.Draw(picture.owner).polygon([at(*point) for point in trunk], fill=len(picture.points) + 1)
    for _ in range(int(rng.integers(0, 10))):
        x, y = between(rng, -wide, wide), between(rng, 1.6, 4)
        pen.line(
            (at(x, y), at(x + around(rng, 0, 0.4), y + between(rng, 0.2, 2))), fill=ink, width=int(rng.integers(1, 3))
        )


def sample_pose(rng: Rng, width: int, height: int, unit: float) -> Pose:
    """Mostly inside the picture and nearly upright; some cut by its frame, some far from upright."""
    turn = np.deg2rad(around(rng, 0, 11) if rng.random() < 0.6 else between(rng, -50, 50))
    if rng.random() < 0.22:
        x, y = between(rng, -0.05, 1.05) * width, between(rng, -0.05, 1.05) * height
    else:
        x = float(np.clip(around(rng, 0.5, 0.18) * width, min(unit, width / 2), max(width - unit, width / 2)))
        y = float(np.clip(around(rng, 0.45, 0.16) * height, min(unit, height / 2), max(height - unit, height / 2)))
    return Pose(x=x, y=y, unit=unit, turn=float(turn), mirrored=rng.random() < 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Banks:
    """The heads to draw from: those of many styles, and the demo's."""

    styles: Heads
    demo: Heads

    def put(self, picture: Picture, pose: Pose, rng: Rng) -> None:
        """Draw any head of the many styles."""
        put_head(picture, self.styles, int(rng.integers(len(self.styles.grey))), pose, rng)


def banks_of(cache: Path, name: str, seed: int, counts: tuple[int, int]) -> Banks:
    """Heads of many styles and the demo's drawings; drawn where the cache has none (0.1 s each)."""
    places = cache / f"{name}heads.npz", cache / f"{name}demo.npz"
    for place, draw, number, count in zip(places, (draw_heads, draw_demo_heads), (seed, seed + 1), counts, strict=True):
        if not place.exists():
            draw(place, number, count)
    return Banks(styles=load_heads(places[0]), demo=load_heads(places[1]))


def one_head(banks: Banks, rng: Rng, width: int, height: int) -> Picture:
    """One head, from far away to nearer than the frame shows."""
    picture = blank(rng, width, height)
    # in a panel a head is seldom far away
    least = 0.055 if width == SIDE and rng.random() < 0.3 else 0.11
    unit = min(width, height) * float(np.exp(rng.uniform(np.log(least), np.log(0.62))))
    banks.put(picture, sample_pose(rng, width, height, unit), rng)
    return picture


def group(banks: Banks, rng: Rng, width: int, height: int) -> Picture:
    """Several heads, some in front of others."""
    picture = blank(rng, width, height)
    size = between(rng, 0.05, 0.2)
    for _ in range(int(rng.integers(2, 6))):
        unit = min(width, height) * size * between(rng, 0.8, 1.25)
        pose = sample_pose(rng, width, height, unit)
        x = between(rng, 0.02, 0.98) * width
        banks.put(picture, Pose(x=x, y=pose.y, unit=unit, turn=pose.turn, mirrored=pose.mirrored), rng)
    return picture


def empty(banks: Banks, rng: Rng, width: int, height: int) -> Picture:
    """No head at all."""
    picture = blank(rng, width, height)
    for _ in range(int(rng.integers(0, 16))):
        put_thing(picture.grey, rng)
    return picture


def page(banks: Banks, rng: Rng, width: int, height: int) -> Picture:
    """Panels with frames or white between them, each with a head of its own, or without."""
    rows, columns = (1, 2) if rng.random() < 0.3 else (int(count) for count in rng.integers(1, 5, 2))
    sheet = blank(rng, width, height)
    sheet.grey = Image.new("L", (width, height), int(rng.choice((255, 0, rng.integers(256)))))
    gap, frame = between(rng, 0.0, 0.025) * width, rng.random() < 0.6
    edges = [np.linspace(0, size, count + 1) for size, count in ((width, columns), (height, rows))]
    for edge, size in zip(edges, (width, height), strict=True):
        edge[1:-1] += rng.uniform(-0.15, 0.15, len(edge) - 2) * size / (len(edge) - 1)
    for row in range(rows):
        for column in range(columns):
            box = (edges[0][column] + gap, edges[1][row] + gap, edges[0][column + 1] - gap, edges[1][row + 1] - gap)
            _put_panel(sheet, banks, rng, tuple(round(float(value)) for value in box), frame)
    return sheet


def _put_panel(sheet: Picture, banks: Banks, rng: Rng, box: tuple[int, ...], frame: bool) -> None:
    left, top, right, low = box
    if right - left < 12 or low - top < 12:
        return
    kind = rng.random()
    panel = (empty if kind < 0.1 else group if kind < 0.16 else one_head)(banks, rng, right - left, low - top)
    before = len(sheet.points)
    own = np.asarray(panel.owner)
    sheet.grey.paste(panel.grey, (left, top))
    sheet.owner.paste(Image.fromarray(np.where(own > 0, own + before, 0).astype(np.int32)), (left, top))
    visible = visible_shares(panel)
    for number, points in enumerate(panel.points):
        sheet.points.append(points + np.array((left, top)))
        # what the panel's frame cuts is cut as by the picture's
        inside = _inside(panel.places[number], panel.grey.size)
        sheet.places.append(np.where(inside[:, None], panel.places[number] + np.array((left, top)), -1e6))
        sheet.sure.append(panel.sure[number] and visible[number] >= 0.0)
    if frame:
        ImageDraw.Draw(sheet.grey).rectangle(
            (left, top, right, low), outline=int(rng.choice((0, 0, 255))), width=int(rng.integers(1, 4))
        )


def demo(banks: Banks, rng: Rng, width: int, height: int) -> Picture:
    """A drawing of the demo's world, whole or a part of it."""
    picture = blank(rng, width, height)
    unit = min(width, height) * 0.2226 * between(rng, 0.95, 2.2)
    scale = unit / 57.0 * DEMO_SIDE
    room = np.maximum((scale - np.array((width, height))) / 2, 0.0)
    x, y = np.array((width, height)) / 2 + rng.uniform(-1, 1, 2) * room
    turn = np.deg2rad(around(rng, 0, 10)) if rng.random() < 0.5 else 0.0
    pose = Pose(x=float(x), y=float(y), unit=unit, turn=float(turn), mirrored=rng.random() < 0.5)
    put_head(picture, banks.demo, int(rng.integers(len(banks.demo.grey))), pose, rng)
    return picture


KINDS = (one_head, group, empty, page, demo)
SHARES = (0.54, 0.12, 0.08, 0.14, 0.12)


def draw_picture(banks: Banks, rng: Rng) -> tuple[Tone, Points]:
    """A picture (uint8, SIDE x SIDE) and its faces (MOST x 7): three points, and 1 to be found, 0 nobody can say.

    Rows that hold no face are NaN.
    """
    picture = KINDS[int(rng.choice(len(KINDS), p=SHARES))](banks, rng, SIDE, SIDE)
    if rng.random() < 0.25:
        put_thing(picture.grey, rng) if not picture.points else _put_beside(picture, rng)
    if rng.random() < 0.15:
        _move(picture, *(int(step) for step in rng.integers(-SIDE // 3, SIDE // 3, 2)))
    faces = np.full((MOST, 7), np.nan)
    rows = [np.append(points.ravel(), float(sure and share >= SEEN and face_unit(points) >= SMALLEST))
            for points, share, sure in zip(picture.points, visible_shares(picture), picture.sure, strict=True)
            if share >= UNSEEN or (not sure and np.isfinite(points).all())]  # fmt: skip
    faces[: min(len(rows), MOST)] = rows[:MOST] or np.empty((0, 7))
    return worn(picture.grey, rng), faces


def _move(picture: Picture, right: int, down: int) -> None:
    """Shift the picture; its edge is repeated where nothing is left, as beyond an image's frame."""
    window = (slice(SIDE - down, 2 * SIDE - down), slice(SIDE - right, 2 * SIDE - right))
    picture.grey = Image.fromarray(np.pad(np.asarray(picture.grey), SIDE, mode="edge")[window])
    picture.owner = Image.fromarray(np.pad(np.asarray(picture.owner), SIDE)[window])
    for number, places in enumerate(picture.places):
        inside = _inside(places, picture.grey.size)
        picture.places[number] = np.where(inside[:, None], places + np.array((right, down)), -1e6)
        picture.points[number] = picture.points[number] + np.array((right, down))


def _put_beside(picture: Picture, rng: Rng) -> None:
    """A small thing that may lie over a head, as an ornament in the hair does, but not in the middle of a face."""
    before = picture.grey.copy()
    put_thing(picture.grey, rng)
    changed = np.asarray(before) != np.asarray(picture.grey)
    for places in picture.places:
        inside = _inside(places, picture.grey.size)
        at = places[inside].astype(int)
        if len(at) and changed[at[:, 1], at[:, 0]].mean() > 0.15:
            picture.grey = before
            return


def _inside(places: Points, size: tuple[int, int]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray(((places >= 0) & (places < np.array(size))).all(axis=1))


def visible_shares(picture: Picture) -> list[float]:
    """The share of each face that is in the picture and under no other head; 0 for a head without a face."""
    owner, shares = np.asarray(picture.owner), []
    for number, places in enumerate(picture.places, 1):
        at = places[_inside(places, picture.grey.size)].astype(int)
        # a face's edge may lie beside its own head's drawing
        shares.append(float((owner[at[:, 1], at[:, 0]] <= number).sum() / len(places)))
    return shares


def worn(image: Image.Image, rng: Rng) -> Tone:
    """What happens to pictures: light and shadow, blur, few pixels, few tones, noise, JPEG."""
    if rng.random() < 0.25:
        image = _half_shadowed(image, rng)
    if rng.random() < 0.2:
        side = round(SIDE * between(rng, 0.4, 0.9))
        image = image.resize((side, side), Image.Resampling.BILINEAR).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    elif rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(between(rng, 0.2, 1.3)))
    values = np.asarray(image, dtype=np.float32) / 255.0
    if rng.random() < 0.06:
        values = (values > between(rng, 0.3, 0.7)).astype(np.float32)
    values = np.clip(values, 0, 1) ** np.exp(around(rng, 0, 0.3))
    low, high = (between(rng, 0.0, 0.3), between(rng, 0.6, 1.0)) if rng.random() < 0.4 else (0.0, 1.0)
    values = low + values * (high - low)
    if rng.random() < 0.4:
        values = values + between(rng, 0.0, 0.08) * grain(rng, values.shape)
    tone = (np.clip(values, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.3:
        file = io.BytesIO()
        Image.fromarray(tone).save(file, "JPEG", quality=int(rng.integers(25, 90)))
        tone = np.asarray(Image.open(file))
    return tone


def _half_shadowed(image: Image.Image, rng: Rng) -> Image.Image:
    """Light from one side, soft or with a hard edge."""
    height, width = image.height, image.width
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = between(rng, 0, 2 * np.pi)
    away = (
        (x - width * between(rng, 0.2, 0.8)) * np.cos(turn) + (y - height * between(rng, 0.2, 0.8)) * np.sin(turn)
    ) / width
    edge = between(rng, 0.005, 0.5)
    light = 1.0 - between(rng, 0.2, 0.85) / (1.0 + np.exp(-np.clip(away / edge, -30, 30)))
    return Image.fromarray(np.clip(np.asarray(image) * light, 0, 255).astype(np.uint8))


def draw_pictures(place: Path, banks: Banks, seed: int, count: int) -> None:
    """Draw `count` pictures into a file; picture i depends on the banks and on (seed, i) alone."""
    made = [draw_picture(banks, np.random.default_rng((seed, number))) for number in range(count)]
    half = place.with_suffix(".half.npz")
    np.savez(
        half,
        pictures=np.stack([tone for tone, _ in made]),
        faces=np.stack([faces for _, faces in made]).astype(np.float32),
    )
    half.rename(place)
