"""Teach the small network of evalharness/perception/face_faults.py on drawings, and measure it on others.

    python bench/fit_face_faults.py --output evalharness/perception/data/face_faults.safetensors

Half of each batch are faces of the demo's world with and without faults, cut out where the face finder puts them; half
are of the part reader's many styles, some with an eye or the mouth copied beside its place. A fifth of the demo's
faces is kept out and measured. Put the file's SHA-256 into evalharness/perception/face_faults.py.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from reader.crops import examples
from safetensors.torch import save_file
from torch.nn import functional

from evalharness.demo.autoencoder import open_autoencoder, reconstruct
from evalharness.demo.drawing import draw, sample_look
from evalharness.demo.look import Look
from evalharness.paths import resolve
from evalharness.perception.face_crop import HALF, MIDDLE, SIDE, crop_face
from evalharness.perception.face_fault_net import EYES, FaceFaultNet
from evalharness.perception.faces import find_faces
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.part_net import STATES

KINDS = ("sound", "missing_eyes", "blank_eyes", "doubled_eyes", "doubled_mouth", "sound", "missing_mouth")
SIZES = (128, 256, 256, 384)
CUTS = 4
"""Crops of each face of the demo's world, the finder's frame a little off in all but the first."""
UNKNOWN = 4
"""An eye state: missing or blank, whichever."""
BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Crops (uint8, N x 96 x 96) with the state of the eyes, whether the mouth is doubled, and which look it was."""

    crops: torch.Tensor
    eyes: torch.Tensor
    mouth: torch.Tensor
    number: NDArray[np.int64]


def looks(count: int, rng: np.random.Generator) -> list[Look]:
    """Faces from the front, the kinds in turn."""
    made = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        faults = () if kind == "sound" else (kind,)
        made.append(replace(sample_look(rng), view="front", faults=faults))  # type: ignore[arg-type]
    return made


def demo_faces(count: int, seed: int) -> Faces:
    """Faces of the demo's world; small ones of every second round have been through its autoencoder."""
    rng = np.random.default_rng(seed)
    vae = open_autoencoder(resolve("demo:checkpoint"))
    rows = []
    for number, look in enumerate(looks(count, rng)):
        size = SIZES[number // len(KINDS) % len(SIZES)]
        image = draw(look, size).image
        if size == 128 and number // len(KINDS) // len(SIZES) % 2:
            image = Image.fromarray(reconstruct(vae, np.asarray(image)[None])[0])
        face = max(find_faces(image), key=lambda f: f.box.width * f.likelihood, default=None)
        if face is None:
            continue
        eyes = next((EYES.index(fault) for fault in look.faults if fault in EYES), 0)
        grey = np.asarray(image.convert("L"))
        for cut in range(CUTS):
            frame = face.frame if cut == 0 else _off(face.frame, rng)
            rows.append((crop_face(grey, frame), eyes, int("doubled_mouth" in look.faults), number))
    return _faces(rows)


def _off(frame: HeadFrame, rng: np.random.Generator) -> HeadFrame:
    x, y = np.array(frame.origin) + rng.normal(0.0, 0.05 * frame.unit, 2)
    unit = frame.unit * float(np.exp(rng.normal(0.0, 0.05)))
    return HeadFrame(origin=(float(x), float(y)), unit=unit, angle=frame.angle + float(rng.normal(0.0, 3.0)))


def styled_faces(count: int, seed: int) -> Faces:
    """Faces of many styles; a third of those with both eyes and a mouth get one copied beside its place."""
    rows = []
    rng = np.random.default_rng((seed, 1))
    for number in range(count // 2):
        for one in examples(np.random.default_rng((seed, number)), 2):
            left, right, mouth = STATES["left_eye"][one.classes[0]], STATES["right_eye"][one.classes[1]], one.classes[3]
            if (left == "missing") != (right == "missing"):
                continue
            eyes, doubled, crop = UNKNOWN if left == "missing" else 0, 0, one.crop
            chosen = rng.random()
            if chosen < 0.2 and left == right == "present":
                crop, eyes = _eyes_copied(crop, one.points, rng), EYES.index("doubled_eyes")
            elif chosen > 0.8 and STATES["mouth"][mouth] == "present":
                crop, doubled = _mouth_copied(crop, one.points, rng), 1
            rows.append((crop, eyes, doubled, number))
    return _faces(rows)


def _faces(rows: list[tuple[NDArray[np.uint8], int, int, int]]) -> Faces:
    crops, eyes, mouth, number = zip(*rows, strict=True)
    return Faces(
        crops=torch.from_numpy(np.stack(crops)),
        eyes=torch.tensor(eyes),
        mouth=torch.tensor(mouth, dtype=torch.float32),
        number=np.array(number),
    )


def _eyes_copied(crop: NDArray[np.uint8], points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """One eye or both again, below or above."""
    sides = ((0,), (5,), (0, 5), (0, 5), (0, 5))[int(rng.integers(5))]
    heights = [float(np.ptp(points[start : start + 4, 1])) for start in sides]
    away = (1 if rng.random() < 0.65 else -1) * (max(heights) * rng.uniform(0.75, 1.0) + rng.uniform(0.1, 0.16))
    for start in sides:
        crop = _copied(crop, points[start : start + 4], (0.0, away), 0.07)
    return crop


def _mouth_copied(crop: NDArray[np.uint8], points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The mouth again: lower, higher or beside."""
    wide, tall = (float(value) for value in np.ptp(points[16:20], axis=0))
    down, aside = tall + rng.uniform(0.1, 0.2), wide + rng.uniform(0.06, 0.2)
    shift = ((0.0, down), (0.0, -down), (aside, 0.0), (-aside, 0.0))[int(rng.integers(4))]
    return _copied(crop, points[16:20], shift, 0.05)


def _copied(
    crop: NDArray[np.uint8], part: NDArray[np.float32], shift: tuple[float, float], room: float
) -> NDArray[np.uint8]:
    """What lies around a part (points in head units), laid over another place of the crop with soft edges."""
    per_unit = SIDE / (2 * HALF)
    low, high = part.min(axis=0) - room, part.max(axis=0) + room
    step = np.round(np.array(shift) * per_unit).astype(int)
    # the crop's middle lies MIDDLE head units below the eyes' line
    first = np.round((low - (0.0, MIDDLE) + HALF) * per_unit).astype(int)
    last = np.round((high - (0.0, MIDDLE) + HALF) * per_unit).astype(int)
    first, last = np.maximum(first, np.maximum(0, -step)), np.minimum(last, SIDE - np.maximum(0, step))
    if (last - first < 4).any():
        return crop
    (left, top), (right, bottom) = first, last
    ramps = [
        np.minimum(1.0, np.minimum(np.arange(n) + 1, n - np.arange(n)) / 3.0) for n in (bottom - top, right - left)
    ]
    soft = ramps[0][:, None] * ramps[1][None, :]
    into = (slice(top + step[1], bottom + step[1]), slice(left + step[0], right + step[0]))
    done = crop.astype(np.float64)
    done[into] = (1 - soft) * done[into] + soft * crop[top:bottom, left:right]
    return done.round().astype(np.uint8)


def loss_of(eyes: torch.Tensor, mouth: torch.Tensor, faces: Faces, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of eyes and mouth; where nobody knows whether eyes are missing or blank, of both together."""
    logs, truth = eyes.log_softmax(1), faces.eyes[rows]
    either = torch.logsumexp(logs[:, [EYES.index("missing_eyes"), EYES.index("blank_eyes")]], 1)
    known = logs.gather(1, truth.clamp(max=3)[:, None])[:, 0]
    told = torch.where(truth == UNKNOWN, either, known)
    return -told.mean() + functional.binary_cross_entropy_with_logits(mouth, faces.mouth[rows])


def fit(drawn: Faces, kept: NDArray[np.bool_], styled: Faces, steps: int, seed: int) -> FaceFaultNet:
    """The network after so many steps; the same seed gives the same on the same machine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = FaceFaultNet().train()
    taught = np.flatnonzero(kept)
    way = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    slower = torch.optim.lr_scheduler.OneCycleLR(way, 4e-3, steps)
    for step in range(steps):
        picked = [
            torch.from_numpy(rng.choice(taught, BATCH // 2)),
            torch.from_numpy(rng.integers(len(styled.crops), size=BATCH // 2)),
        ]
        crops = torch.cat([faces.crops[rows] for faces, rows in zip((drawn, styled), picked, strict=True)])
        eyes, mouth = net(varied(crops[:, None].float() / 255.0, rng))
        half = BATCH // 2
        loss = loss_of(eyes[:half], mouth[:half], drawn, picked[0]) + loss_of(
            eyes[half:], mouth[half:], styled, picked[1]
        )
        way.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        way.step()
        slower.step()
        if step % 250 == 0:
            print(step, f"{float(loss.detach()):.3f}", flush=True)
    return net.eval()


def varied(crops: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A batch mirrored, moved, made larger and noisy by chance."""
    if rng.random() < 0.5:
        crops = crops.flip(3)
    count = len(crops)
    size = torch.from_numpy(np.exp(rng.normal(0.0, 0.05, (count, 2)))).float()
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = size[:, 0], size[:, 1]
    theta[:, :, 2] = torch.from_numpy(rng.normal(0.0, 0.05, (count, 2))).float()
    moved = functional.grid_sample(
        crops, functional.affine_grid(theta, list(crops.shape), align_corners=False), padding_mode="border",
        align_corners=False,
    )  # fmt: skip
    return moved + float(rng.random() < 0.3) * 0.03 * torch.from_numpy(rng.normal(size=moved.shape)).float()


def report(net: FaceFaultNet, faces: Faces, rows: NDArray[np.bool_]) -> dict[str, str]:
    """Precision and recall of each fault on the faces of `rows`, first crops alone."""
    with torch.inference_mode():
        eyes, mouth = net(faces.crops[torch.from_numpy(rows)][:, None].float() / 255.0)
    state, truth = eyes.argmax(1).numpy(), faces.eyes[torch.from_numpy(rows)].numpy()
    said = {name: (state == k, truth == k) for k, name in enumerate(EYES) if k}
    said["doubled_mouth"] = (mouth.numpy() > 0, faces.mouth[torch.from_numpy(rows)].numpy() > 0)
    found = {}
    for name, (a, b) in said.items():
        both = (a & b).sum()
        found[name] = f"precision {both / max(a.sum(), 1):.3f}, recall {both / max(b.sum(), 1):.3f} of {b.sum()}"
    return found


def main() -> None:
    """Draw, find, fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=1200, help="looks of the demo's world")
    parser.add_argument("--styled", type=int, default=5000, help="faces of other styles")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=7001)
    parser.add_argument("--cache", type=Path, default=Path("runs/face_faults"))
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    drawn = kept_in(options.cache / f"demo-{options.faces}.pt", lambda: demo_faces(options.faces, options.seed))
    styled = kept_in(options.cache / f"styled-{options.styled}.pt", lambda: styled_faces(options.styled, options.seed))
    print(Counter(drawn.eyes.tolist()), Counter(styled.eyes.tolist()))
    unseen = drawn.number // len(KINDS) % 5 == 4
    net = fit(drawn, ~unseen, styled, options.steps, options.seed)
    for name, figure in report(net, drawn, unseen).items():
        print(f"{name}: {figure}")
    save_file({name: value.half() for name, value in net.state_dict().items()}, options.output)


def kept_in(place: Path, made: Callable[[], Faces]) -> Faces:
    """What was drawn before, or what is drawn now."""
    if not place.exists():
        faces = made()
        torch.save({name: getattr(faces, name) for name in Faces.__slots__}, place)
    return Faces(**torch.load(place, weights_only=False))


if __name__ == "__main__":
    main()
