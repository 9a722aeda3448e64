"""How well offline perception sees the drawn world at 128 pixels, after the loss of an autoencoder.

    python bench/perception.py --looks 256 --seed 4 --loss autoencoder

Every look is drawn and goes through the demo's autoencoder (or is blurred, given noise and saved as JPEG, which is a
simulated one); then what was observed is compared with the drawing's truth. Prints one line a question: the share
answered rightly, and over how many looks.
"""

import argparse
import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFilter

from evalharness.demo.drawing import Drawing, draw, sample_fault_look, sample_look
from evalharness.demo.look import FAULTS, Look
from evalharness.paths import resolve
from evalharness.perception.colors import to_lab
from evalharness.perception.offline import OfflinePerceiver
from evalharness.types import Face, Observation

ZONE = 0.08
SIZE = 128


def lossy(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The image as a small VAE might give it back: a little blur, noise, and blocks."""
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float64)
    noisy = np.clip(soft + rng.normal(0.0, 4.0, soft.shape) + 0.5, 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "JPEG", quality=70)
    return Image.open(stream).convert("RGB")


def looks(count: int, rng: np.random.Generator) -> Iterator[Look]:
    """Half of them from the front without faults, a quarter any view, a quarter with each fault in turn."""
    for number in range(count):
        if number % 4 == 3:
            yield sample_fault_look(rng, FAULTS[(number // 4) % len(FAULTS)])
        else:
            look = sample_look(rng)
            yield look if number % 4 == 2 else replace(look, view="front")


def side(seen: Observation) -> str:
    """The side the observation's hair figures say."""
    if seen.hair is None:
        return "unseen"
    leans = seen.hair.right - seen.hair.left
    return "right" if leans > ZONE else "left" if leans < -ZONE else "none"


def emotion(face: Face, names: tuple[str, ...]) -> str:
    """The emotion with the largest product over the parts named."""
    parts = [part.emotions for part in face.parts if part.name in names and part.emotions]
    if not parts:
        return "unread"
    return max(parts[0], key=lambda name: float(np.prod([shares[name] for shares in parts])))


def answers(drawing: Drawing, seen: Observation) -> Iterator[tuple[str, float]]:
    """Question and figure for everything one drawing can tell: 1 right, 0 wrong, or a colour distance."""
    look, truth = drawing.truth.look, drawing.truth
    yield f"panels {'several' if truth.panels > 1 else 'one'}", (len(seen.panels) > 1) == (truth.panels > 1)
    if truth.panels > 1 or "several_faces" in look.faults:
        return
    yield from _fault_answers(look, seen)
    if "blur" in look.faults:
        return
    # twin tails in profile show on one side only: what the truth calls none, the picture does not
    if not (look.hairstyle == "twin_tails" and look.view.endswith("profile")):
        yield f"hair side, {look.view.split('_')[-1]}", side(seen) == truth.hair_side_image
    if look.light == "soft" and (color := next((c for c in seen.colors if c.region == "hair"), None)):
        true = to_lab(Image.new("RGB", (1, 1), truth.hair_rgb))[0, 0]
        yield "hair deltaE76 (median, soft light)", float(np.linalg.norm(np.array(color.lab) - true))
    if look.view == "front":
        yield "face found, front", len(seen.faces) == 1
        if seen.faces:
            yield from _face_answers(look, seen.faces[0])


def _fault_answers(look: Look, seen: Observation) -> Iterator[tuple[str, float]]:
    found = {finding.name: finding.strength >= 0.5 for finding in seen.findings}
    for name in ("rope", "animal_ears", "blur", "blank_eyes"):
        there = name in look.faults
        if name == "blank_eyes" and (look.view != "front" or not seen.faces or "missing_eyes" in look.faults):
            continue
        if name in found and ("blur" not in look.faults or name == "blur"):
            yield f"{name} {'there' if there else 'absent'}", found[name] == there


def _face_answers(look: Look, face: Face) -> Iterator[tuple[str, float]]:
    states = {part.name: part.state for part in face.parts}
    missing = "missing_mouth" in look.faults
    yield f"mouth {'missing' if missing else 'there'}", (states["mouth"] == "missing") == missing
    if look.faults:
        return
    yield "emotion, mouth x brows", emotion(face, ("mouth", "brows")) == look.emotion
    for name, names in {"mouth": ("mouth",), "brows": ("brows",), "eyes": ("left_eye", "right_eye")}.items():
        yield f"emotion, {name} alone", emotion(face, names) == look.emotion


def autoencoder() -> Callable[[Image.Image, np.random.Generator], Image.Image]:
    """The demo checkpoint's autoencoder as a lossy step."""
    from evalharness.demo.autoencoder import open_autoencoder, reconstruct

    vae = open_autoencoder(resolve("demo:checkpoint"))
    return lambda image, _: Image.fromarray(reconstruct(vae, np.asarray(image)[None])[0])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loss", choices=("simulated", "autoencoder"), default="autoencoder")
    parser.add_argument("--parts", choices=("rules", "net"), default="rules")
    parser.add_argument("--finder", choices=("net", "cascade"), default="net")
    options = parser.parse_args()
    loss = lossy if options.loss == "simulated" else autoencoder()
    rng = np.random.default_rng(options.seed)
    perceiver = OfflinePerceiver(parts=options.parts, finder=options.finder)
    figures: dict[str, list[float]] = defaultdict(list)
    for look in looks(options.looks, rng):
        drawing = draw(look, SIZE)
        (seen,) = perceiver.observe([loss(drawing.image, rng)])
        for question, figure in answers(drawing, seen):
            figures[question].append(float(figure))
    for question in sorted(figures):
        values = figures[question]
        figure = np.median(values) if "median" in question else np.mean(values)
        print(f"{question:40s} {figure:6.3f}  of {len(values)}")


if __name__ == "__main__":
    main()
