"""Faces with and without faults, as crops for bench/fit_face_faults.py: the demo's world and the reader's styles."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from reader.crops import cut_out
from reader.scene import draw as draw_styled
from reader.second import Second

from evalharness.demo.autoencoder import open_autoencoder, reconstruct
from evalharness.demo.drawing import Drawing, draw, sample_look
from evalharness.demo.look import Look
from evalharness.paths import resolve
from evalharness.perception.face_crop import crop_face
from evalharness.perception.face_fault_net import EYES
from evalharness.perception.face_faults import head_frame
from evalharness.perception.faces import find_faces
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.hair import hair_without_face
from evalharness.perception.offline import look as view_of

Rng = np.random.Generator
Crop = NDArray[np.uint8]
KINDS = (
    "sound", "doubled_mouth", "doubled_eyes", "missing_eyes", "sound", "doubled_mouth", "doubled_eyes", "blank_eyes",
    "missing_mouth", "sound",
)  # fmt: skip
SIZES = (256, 128, 256, 384)
CUTS = 3
"""Crops of each face, the frame a little off in all but the first."""
ASTRAY = 0.35
"""A frame that is off by more shows no face to learn from."""
UNKNOWN = 4
"""An eye state: missing or blank, whichever."""
TOP, TALL, BETWEEN = 1.12, 2.21, 0.16
"""In the demo's face units: forehead above her origin, height of a face, and how far the eyes lie below the origin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Crops (uint8, N x 96 x 96) with the state of the eyes, whether the mouth is doubled, and which look it was."""

    crops: torch.Tensor
    eyes: torch.Tensor
    mouth: torch.Tensor
    number: NDArray[np.int64]


Row = tuple[Crop, int, int, int]
Slip = tuple[float, float, float, float]
"""How far a frame is off: right and down in head units, logarithm of its size, degrees."""


def faces_of(rows: list[Row]) -> Faces:
    """Crops with their truth."""
    crops, eyes, mouth, number = zip(*rows, strict=True)
    return Faces(
        crops=torch.from_numpy(np.stack(crops)),
        eyes=torch.tensor(eyes),
        mouth=torch.tensor(mouth, dtype=torch.float32),
        number=np.array(number),
    )


def looks(count: int, rng: Rng) -> list[Look]:
    """Faces from the front, the kinds in turn."""
    made = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        faults = () if kind == "sound" else (kind,)
        made.append(replace(sample_look(rng), view="front", faults=faults))  # type: ignore[arg-type]
    return made


class Printer:
    """Draws looks in all sizes; small ones of every second round go through the demo's autoencoder."""

    def __init__(self) -> None:
        self.vae = open_autoencoder(resolve("demo:checkpoint"))

    def draw(self, look: Look, number: int) -> Drawing:
        """The drawing of the look of this number."""
        turn = number // len(KINDS)
        size = SIZES[turn % len(SIZES)]
        drawing = draw(look, size)
        if size == 128 and turn // len(SIZES) % 2:
            image = Image.fromarray(reconstruct(self.vae, np.asarray(drawing.image)[None])[0])
            return replace(drawing, image=image)
        return drawing


def found_faces(count: int, seed: int, finder: str) -> tuple[Faces, list[tuple[str, Slip]]]:
    """Faces of the demo's world where a finder puts them, and how far off it was, by kind; and the hair.

    A head whose face is not found is cut out where its hair says it may be.
    """
    rng, printer = np.random.default_rng(seed), Printer()
    rows: list[Row] = []
    slips: list[tuple[str, Slip]] = []
    for number, look in enumerate(looks(count, rng)):
        drawing = printer.draw(look, number)
        face = max(find_faces(drawing.image, finder), key=lambda f: f.box.width * f.likelihood, default=None)
        by_hair = frame_by_hair(drawing) if face is None or number % 2 == 0 else None
        if by_hair is not None:
            slips.append(("hair", _slip(by_hair, true_frame(drawing))))
        frame = by_hair if face is None else face.frame
        if face is not None:
            slips.append(((*look.faults, "sound")[0], _slip(face.frame, true_frame(drawing))))
        if frame is not None:
            rows += _cuts(drawing.image, frame, look, number, rng)
    return faces_of(rows), slips


def placed_faces(count: int, seed: int, slips: list[tuple[str, Slip]]) -> Faces:
    """Faces of the demo's world at their true place, off as the finder was on such faces, a few as the hair was."""
    rng, printer = np.random.default_rng(seed), Printer()
    rows: list[Row] = []
    for number, look in enumerate(looks(count, rng)):
        drawing = printer.draw(look, number)
        kind = (*look.faults, "sound")[0]
        for name in (kind, kind, "hair")[: 3 if number % 3 == 0 else 2]:
            own = [slip for of, slip in slips if of == name]
            frame = moved(true_frame(drawing), own[int(rng.integers(len(own)))])
            rows.append(_row(drawing.image, frame, look, number))
    return faces_of(rows)


def faceless_heads(count: int, seed: int) -> Faces:
    """Backs and profiles, with and without faults, where the hair says a face may be: nothing is to be said of them."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for number in range(count):
        view = ("behind", "left_profile", "right_profile")[number % 3]
        image = draw(replace(sample_look(rng), view=view), 256).image  # type: ignore[arg-type]
        if (frame := hair_frame(image)) is not None:
            rows.append((crop_face(np.asarray(image.convert("L")), off(frame, rng)), 0, 0, number))
    return faces_of(rows)


def hair_frame(image: Image.Image) -> HeadFrame | None:
    """Where the face may be, by the hair alone."""
    view = view_of(image)
    hair = hair_without_face(view.small)
    return None if hair is None else head_frame(hair.frame.scaled(1.0 / view.shrink))


def frame_by_hair(drawing: Drawing) -> HeadFrame | None:
    """The same, where the face is there indeed."""
    frame = hair_frame(drawing.image)
    near = frame is not None and np.abs(_slip(frame, true_frame(drawing))[:3]).max() < ASTRAY
    return frame if near else None


def true_frame(drawing: Drawing) -> HeadFrame:
    """The head's frame by the box of its face; upright, as the demo's heads nearly are."""
    box = drawing.truth.parts.face
    assert box is not None
    unit = (box[3] - box[1]) / TALL
    return HeadFrame(origin=((box[0] + box[2]) / 2, box[1] + (TOP + BETWEEN) * unit), unit=unit)


def off(frame: HeadFrame, rng: Rng) -> HeadFrame:
    """A frame as another look at the same face would find it."""
    x, y, size, turn = rng.normal(0.0, (0.05, 0.05, 0.05, 3.0))
    return moved(frame, (x, y, size, turn))


def moved(frame: HeadFrame, slip: Slip) -> HeadFrame:
    """The frame that is off by `slip`."""
    x, y, size, turn = slip
    origin = (frame.origin[0] + x * frame.unit, frame.origin[1] + y * frame.unit)
    return HeadFrame(origin=origin, unit=frame.unit * float(np.exp(size)), angle=frame.angle + turn)


def _slip(frame: HeadFrame, truth: HeadFrame) -> Slip:
    x, y = (np.array(frame.origin) - truth.origin) / truth.unit
    return float(x), float(y), float(np.log(frame.unit / truth.unit)), frame.angle - truth.angle


def _cuts(image: Image.Image, frame: HeadFrame, look: Look, number: int, rng: Rng) -> list[Row]:
    return [_row(image, frame if cut == 0 else off(frame, rng), look, number) for cut in range(CUTS)]


def _row(image: Image.Image, frame: HeadFrame, look: Look, number: int) -> Row:
    eyes = next((EYES.index(fault) for fault in look.faults if fault in EYES), 0)
    return crop_face(np.asarray(image.convert("L")), frame), eyes, int("doubled_mouth" in look.faults), number


def styled_faces(count: int, seed: int) -> Faces:
    """Faces of many styles, two crops each: some with second eyes or mouths, many with marks that are neither."""
    rows: list[Row] = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        second = Second(rng=np.random.default_rng((seed, number, 1)))
        drawn = draw_styled(rng, second)
        left, right = drawn.face.eye_states
        if (left == "missing") != (right == "missing") or second.half_hidden(drawn.image):
            continue
        eyes = EYES.index("doubled_eyes") if second.eyes else UNKNOWN if left == "missing" else 0
        rows += [(cut_out(drawn, rng).crop, eyes, int(second.mouth), number) for _ in range(2)]
    return faces_of(rows)
