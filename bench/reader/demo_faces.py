"""Faces of the demo's own world, drawn and generated: their frames are the finder's, their emotions are known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from fault_faces import Printer, off, true_frame
from numpy.typing import NDArray
from PIL import Image

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.demo.captions import tags
from evalharness.demo.drawing import sample_look
from evalharness.demo.look import EMOTIONS, Emotion, Fault, Look
from evalharness.demo.truth import BATCH, DATA, load, pictures
from evalharness.perception.face_crop import crop_face
from evalharness.perception.finder import find_faces
from evalharness.perception.geometry import HeadFrame
from reader.crops import Example, worn
from reader.face import BROW_STATES, EYE_STATES, MOUTH_STATES, Rng, pick
from reader.faces_file import save_examples

CUTS = 3
"""Crops of each face: as it is found, and twice as another finder and another file would have it."""
UNKNOWN = np.full((20, 2), np.nan, dtype=np.float32)
"""Landmarks are not taught here."""


def demo_examples(count: int, seed: int) -> list[Example]:
    """Crops of `count` faces, from the front; about one in seven lacks eyes or mouth."""
    rng, printer = np.random.default_rng(seed), Printer()
    made: list[Example] = []
    for number in range(count):
        look = sample_face_look(rng)
        drawing = printer.draw(look, number)
        face = max(find_faces(drawing.image), key=lambda one: one.likelihood, default=None)
        frame = off(true_frame(drawing), rng) if face is None else face.frame
        first, *others = _cuts(drawing.image, frame, rng)
        worn_out = [np.asarray(worn(Image.fromarray(crop), rng)) for crop in others]
        made += [Example(crop=crop, classes=classes(look), points=UNKNOWN) for crop in (first, *worn_out)]
    return made


def _cuts(image: Image.Image, frame: HeadFrame, rng: Rng) -> list[NDArray[np.uint8]]:
    """The crop of a frame, and those of frames a little off."""
    frames = (frame, *(off(frame, rng) for _ in range(CUTS - 1)))
    return [crop_face(np.asarray(image.convert("L")), one) for one in frames]


def sample_face_look(rng: Rng) -> Look:
    """A look from the front whose parts show one emotion in half of all cases, and each its own in the others."""
    look = replace(sample_look(rng), view="front")
    if rng.random() < 0.5:
        eyes, brows, mouth = (_emotion(rng) for _ in range(3))
        look = replace(look, eyes=eyes, brows=brows, mouth=mouth)
    faults: tuple[Fault, ...] = ("missing_mouth", "missing_eyes")
    return replace(look, faults=(faults[int(rng.integers(2))],)) if rng.random() < 0.14 else look


def _emotion(rng: Rng) -> Emotion:
    return pick(rng, EMOTIONS)  # type: ignore[return-value]


def classes(look: Look) -> tuple[int, ...]:
    """The truth as numbers, in the order of reader.crops.classes; the demo's eyes are never quite closed."""
    eyes, mouth = ("missing" if f"missing_{part}" in look.faults else "present" for part in ("eyes", "mouth"))
    shown = (look.eyes or look.emotion, look.brows or look.emotion, look.mouth or look.emotion)
    told = (eyes == "present", True, mouth == "present")
    return (
        EYE_STATES.index(eyes), EYE_STATES.index(eyes), BROW_STATES.index("present"), MOUTH_STATES.index(mouth),
        *(EMOTIONS.index(emotion) if seen else -1 for emotion, seen in zip(shown, told, strict=True)),
    )  # fmt: skip


def generated_examples(count: int, seed: int) -> list[Example]:
    """Crops of the faces that the demo's base model, without any LoRA, makes of the words of `count` looks.

    All parts show the emotion asked for; the model obeys in 0.89 to 0.98 (evalharness/demo/data/truth.json).
    """
    ensure_torchvision()
    rng, pipeline = np.random.default_rng(seed), load(DATA)
    made: list[Example] = []
    for batch in range(count // BATCH):
        looks = [
            replace(sample_look(rng), view="front", emotion=EMOTIONS[(BATCH * batch + place) % len(EMOTIONS)])
            for place in range(BATCH)
        ]
        prompts = [f"{look.hair_color} hair, {tags(look, rng)}" for look in looks]
        made_pictures = pictures(pipeline, prompts, 100 * seed + batch, float(rng.uniform(3.0, 7.0)))
        for look, image in zip(looks, map(Image.fromarray, made_pictures), strict=True):
            faces = find_faces(image)
            crops = _cuts(image, faces[0].frame, rng) if len(faces) == 1 else ()
            made += [Example(crop=crop, classes=classes(look), points=UNKNOWN) for crop in crops]
    return made


Maker = Callable[[int, int], list[Example]]
DEMO: Mapping[str, tuple[Maker, int, int]] = {
    "demo.npz": (demo_examples, 6500, 7000),
    "generated.npz": (generated_examples, 640, 1),
}
"""The files to learn from: who makes them, of how many looks, and the seed."""
UNSEEN_DEMO: Mapping[str, tuple[Maker, int, int]] = {
    "demo-unseen.npz": (demo_examples, 500, 4242),
    "generated-unseen.npz": (generated_examples, 96, 2),
}


def draw_demo(folder: Path) -> None:
    """Make every file that is not there yet."""
    for name, (maker, count, seed) in (DEMO | UNSEEN_DEMO).items():
        if not (folder / name).exists():
            save_examples(folder / name, maker(count, seed))
