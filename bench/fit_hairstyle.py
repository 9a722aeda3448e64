"""Teach the small network of evalharness/perception/hairstyle.py on drawings, and measure it on others.

    python bench/fit_hairstyle.py --output evalharness/perception/data/hairstyle.safetensors

A third of the drawings has 192 px, a third 128 px, and a third went through the demo's autoencoder. Hair is gathered
with and without a tie, and let down with and without one, so that a tie is not told by the hairstyle. Frames are as
far off as the face finder's, or guessed from the picture, and colours are turned. A tenth of the looks is kept out and
measured. Put the file's SHA-256 into evalharness/perception/hairstyle.py.
"""

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional

from evalharness.demo.autoencoder import open_autoencoder, reconstruct
from evalharness.demo.drawing import draw, sample_look
from evalharness.demo.look import HAIRSTYLES, Fault, Look, View, image_side
from evalharness.paths import resolve
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.hair_crop import crop_hair, guessed_frame
from evalharness.perception.hair_net import SIDES, STYLES, HairNet

VIEWS: tuple[View, ...] = ("front", "front", "behind", "left_profile", "front", "right_profile")
FAULTY: tuple[Fault, ...] = ("animal_ears", "rope", "missing_mouth", "missing_eyes", "blank_eyes", "blur")
BLOCK = 24
"""Looks in a row that hold each view with each hairstyle; every third block goes through the autoencoder."""
HEAD = 0.222
"""Half of a head's width in the drawings, as a share of their side."""
CLEAR = 0.08 * HEAD**2
"""Share of the picture from which a hair tie must be seen; a smaller one, behind the head, teaches nothing."""
BATCH = 64
PEAK = 4e-3
"""The highest learning rate."""
LUMA = np.array(((0.299, 0.587, 0.114), (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)))
"""RGB to YIQ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A picture (uint8, side x side x 3) and its truth; `face` is a box in shares of the side; `tie` None = unclear."""

    picture: NDArray[np.uint8]
    view: View
    style: int
    side: int
    tie: bool | None
    face: tuple[float, ...] | None


def looks(count: int, rng: np.random.Generator) -> Iterator[Look]:
    """Views and hairstyles in turn, all else at random, some with a fault, a hair colour or a tie out of the words."""
    for number in range(count):
        one = sample_look(rng)
        if rng.random() < 0.15:
            one = replace(one, faults=(FAULTY[int(rng.integers(len(FAULTY)))],))
        style, chance = HAIRSTYLES[number // 6 % 4], rng.random()
        tie = (True if chance < 0.35 else None) if style == "down" else (False if chance < 0.4 else None)
        color = tuple(int(value) for value in rng.integers(20, 245, 3)) if rng.random() < 0.35 else None
        pose = "running" if rng.random() < 0.25 else "standing"
        yield replace(one, view=VIEWS[number % 6], hairstyle=style, tie=tie, hair_rgb=color, pose=pose)  # type: ignore[arg-type]


def shown_side(drawn: Look) -> str:
    """The side that hangs in the picture: twin tails in profile are both behind the head."""
    if drawn.hairstyle == "twin_tails" and drawn.view.endswith("profile"):
        return "right" if drawn.view == "left_profile" else "left"
    return image_side(drawn)


def examples(count: int, seed: int) -> list[Example]:
    """Drawings with their truth, every third block through the autoencoder."""
    vae = open_autoencoder(resolve("demo:checkpoint"))
    made: list[Example] = []
    for number, look in enumerate(looks(count, np.random.default_rng(seed))):
        kind = number // BLOCK % 3
        made.append(example(look, 128 if kind else 192))
        if kind == 2 and number % BLOCK == BLOCK - 1:
            pictures = reconstruct(vae, np.stack([one.picture for one in made[-BLOCK:]]))
            made[-BLOCK:] = [replace(one, picture=own) for one, own in zip(made[-BLOCK:], pictures, strict=True)]
    return made


def example(look: Look, size: int) -> Example:
    """One drawing."""
    drawing = draw(look, size)
    seen, face = float(drawing.tie_mask.mean()), drawing.truth.parts.face
    return Example(
        picture=np.asarray(drawing.image),
        view=look.view,
        style=STYLES.index(look.hairstyle),
        side=SIDES.index(shown_side(look)),
        tie=True if seen >= CLEAR else False if seen == 0 else None,
        face=None if face is None else tuple(value / size for value in face),
    )


# What the network is shown


def framed(one: Example, rng: np.random.Generator) -> HeadFrame:
    """The frame of the picture or of its face, as far off as they are; in profile, of a false face."""
    side = len(one.picture)
    if one.face is None or rng.random() < (0.35 if one.view == "front" else 0.75):
        guess = guessed_frame((side, side))
        right, down, larger = rng.normal(0, 0.22), rng.normal(0, 0.18), rng.normal(-0.03, 0.13)
        x, y = guess.origin[0] + right * guess.unit, guess.origin[1] + down * guess.unit
        return HeadFrame(origin=(x, y), unit=guess.unit * np.exp(larger), angle=rng.normal(0, 4))
    left, _, right, chin = np.array(one.face) * side
    half, middle = (right - left) / 2, (left + right) / 2
    if one.view == "front":
        x, y = middle + rng.normal(0, 0.06) * half, chin + rng.normal(-1.02, 0.1) * half
        return HeadFrame(origin=(x, y), unit=1.11 * half * np.exp(rng.normal(0, 0.1)), angle=rng.normal(0, 5))
    sign = -1 if one.view == "left_profile" else 1
    x, y = middle + rng.normal(sign * 0.4, 0.45) * half, chin + rng.normal(-0.75, 0.5) * half
    unit = half * np.clip(rng.normal(1.0, 0.4), 0.5, 1.7)
    return HeadFrame(origin=(x, y), unit=unit, angle=rng.normal(sign * 10, 20))


def cut(picture: NDArray[np.uint8], rng: np.random.Generator) -> Image.Image:
    """The picture, or what remains of it when its frame is drawn closer; never so close that a tail is left out."""
    image = Image.fromarray(picture).convert("RGBA")
    if rng.random() > 0.3:
        return image
    side = image.width
    left, top, right, bottom = (
        rng.uniform(low, high) for low, high in ((1.6, 2.4), (0.9, 2.2), (1.6, 2.4), (1.3, 2.6))
    )
    x, y, unit = 0.5 * side, 0.47 * side, HEAD * side
    box = np.clip((x - left * unit, y - top * unit, x + right * unit, y + bottom * unit), 0, side).astype(int)
    closer = Image.new("RGBA", image.size)
    closer.paste(image.crop(tuple(box.tolist())), (int(box[0]), int(box[1])))
    return closer


def recolored(crops: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Crops (n, side, side, 4) as 0..1, their hues turned, some grey, lighter or darker, with noise."""
    count = len(crops)
    values = crops.astype(np.float32) / 255.0
    turn = np.where(rng.random(count) < 0.7, rng.uniform(-np.pi, np.pi, count), rng.normal(0, 0.1, count))
    vivid = np.where(rng.random(count) < 0.15, 0.0, rng.uniform(0.5, 1.4, count))
    change = np.zeros((count, 3, 3))
    change[:, 0, 0] = 1.0
    change[:, 1, 1] = change[:, 2, 2] = np.cos(turn) * vivid
    change[:, 2, 1], change[:, 1, 2] = np.sin(turn) * vivid, -np.sin(turn) * vivid
    matrix = (np.linalg.inv(LUMA) @ change @ LUMA).astype(np.float32)
    colors = (values[..., :3].reshape(count, -1, 3) @ matrix.transpose(0, 2, 1)).reshape(*crops.shape[:3], 3)
    spread, lift, grain = (
        rng.uniform(low, high, (count, 1, 1, 1)).astype(np.float32)
        for low, high in ((0.75, 1.25), (-0.12, 0.12), (0, 0.06))
    )
    colors = (colors - 0.5) * spread + 0.5 + lift + grain * rng.standard_normal(colors.shape, dtype=np.float32)
    inside = values[..., 3:]
    return np.concatenate((np.clip(colors, 0.0, 1.0) * inside, inside), axis=3)


def batches(taught: list[Example], steps: int, rng: np.random.Generator) -> Iterator[tuple[torch.Tensor, ...]]:
    """Crops (N x 4 x 64 x 64) with hairstyles, sides and ties (-1 unclear), half of them mirrored."""
    order: list[int] = []
    for _ in range(steps):
        if len(order) < BATCH:
            order = rng.permutation(len(taught)).tolist()
        chosen = [taught[order.pop()] for _ in range(BATCH)]
        shown = recolored(np.stack([crop_hair(cut(one.picture, rng), framed(one, rng)) for one in chosen]), rng)
        sides = np.array([one.side for one in chosen])
        flipped = rng.random(BATCH) < 0.5
        shown[flipped] = shown[flipped][:, :, ::-1]
        sides[flipped] = np.array((1, 0, 2))[sides[flipped]]
        ties = [-1.0 if one.tie is None else float(one.tie) for one in chosen]
        styles = torch.tensor([one.style for one in chosen])
        yield torch.from_numpy(shown).permute(0, 3, 1, 2), styles, torch.from_numpy(sides), torch.tensor(ties)


def fit(taught: list[Example], steps: int, seed: int) -> HairNet:
    """A network taught for so many batches."""
    torch.manual_seed(seed)
    net = HairNet()
    way = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=0.03)
    slower = torch.optim.lr_scheduler.OneCycleLR(way, PEAK, total_steps=steps, pct_start=0.15)
    for step, (shown, styles, sides, ties) in enumerate(batches(taught, steps, np.random.default_rng(seed)), 1):
        style, side, tie = net(shown)
        told = ties >= 0
        loss = 0.5 * functional.cross_entropy(style, styles, label_smoothing=0.02)
        loss = loss + functional.cross_entropy(side, sides, label_smoothing=0.02)
        loss = loss + functional.binary_cross_entropy_with_logits(tie[told], ties[told])
        way.zero_grad()
        loss.backward()
        way.step()
        slower.step()
        if step % 50 == 0:
            right = float((side.argmax(1) == sides).float().mean())
            found = float(((tie > 0) == (ties > 0))[told].float().mean())
            print(f"{step} loss {float(loss.detach()):.3f} sides {right:.3f} ties {found:.3f}", flush=True)
    return net.eval()


def report(net: HairNet, kept: list[Example]) -> dict[str, str]:
    """Shares of right sides, hairstyles and ties by view, in the frame that is guessed from the picture alone."""
    frame = [guessed_frame((len(one.picture), len(one.picture))) for one in kept]
    shown = np.stack([crop_hair(Image.fromarray(a.picture), b) for a, b in zip(kept, frame, strict=True)])
    with torch.inference_mode():
        style, side, tie = net(torch.from_numpy(shown).permute(0, 3, 1, 2).float() / 255.0)
    found = {}
    for view in dict.fromkeys(VIEWS):
        rows = [number for number, one in enumerate(kept) if one.view == view]
        right = {
            "side": [int(side[row].argmax()) == kept[row].side for row in rows],
            "hairstyle": [int(style[row].argmax()) == kept[row].style for row in rows],
            "tie": [bool(tie[row] > 0) == kept[row].tie for row in rows if kept[row].tie is not None],
        }
        found[view] = ", ".join(f"{name} {np.mean(one):.3f} of {len(one)}" for name, one in right.items())
    return found


def kept_in(place: Path, count: int, seed: int) -> list[Example]:
    """What was drawn before, or what is drawn now."""
    names = tuple(Example.__slots__)
    if not place.exists():
        made = [{name: getattr(one, name) for name in names} for one in examples(count, seed)]
        torch.save(made, place)
    return [Example(**one) for one in torch.load(place, weights_only=False)]


def main() -> None:
    """Draw, fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=3600)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=424_242)
    parser.add_argument("--cache", type=Path, default=Path("runs/hairstyle"))
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    drawn = kept_in(options.cache / f"drawn-{options.looks}-{options.seed}.pt", options.looks, options.seed)
    unseen = [number // BLOCK % 10 == 9 for number in range(len(drawn))]
    net = fit([one for one, out in zip(drawn, unseen, strict=True) if not out], options.steps, options.seed)
    for view, figures in report(net, [one for one, out in zip(drawn, unseen, strict=True) if out]).items():
        print(f"{view}: {figures}")
    save_file({name: value.half() for name, value in net.state_dict().items()}, options.output)
    print(hashlib.sha256(options.output.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
