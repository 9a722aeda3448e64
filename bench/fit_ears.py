"""Teach the small network of evalharness/perception/ears.py on drawings alone, and measure it on others.

    python bench/fit_ears.py --output evalharness/perception/data/ears.safetensors

Half of the drawings have ears: the renderer's four kinds and those of ear_world.py. The others have what ear_world.py
says, an ahoge, a bow, a hat, two buns of hair, or nothing. A quarter are heads of the part reader's world. Many have
another background, or are cut off by the frame. An eighth is kept out and measured. Put the file's SHA-256 into
ears.py.
"""

import argparse
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from ear_world import Head, beside, closer, some_ears, touched
from net_files import keep
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from reader.pen import SIDE as READER_SIDE
from reader.scene import draw as draw_head
from torch.nn import functional

from evalharness.demo.drawing import Drawing, draw, sample_look
from evalharness.demo.look import EARS, HEADWEAR, Look
from evalharness.perception.ear_net import EarNet
from evalharness.perception.ears import COLUMNS, MIDDLE, ROWS, crown_view
from evalharness.perception.found_face import EYES_APART
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.hair import hair_of_face, hair_without_face
from evalharness.perception.offline import look as view_of

SIZE = 192
READER = 0.25
"""Share of heads of the part reader's world."""
CUTS = 3
"""Views of each head, its frame a little off in all of them."""
ROUNDS, BATCH = 12, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Views (float16, N x 4 x 36 x 48), whether there are ears, which drawing it was, and what stands on the head."""

    views: torch.Tensor
    ears: torch.Tensor
    number: NDArray[np.int64]
    kind: NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A picture (RGB), the place of its head where the eyes are seen, whether it has ears, and what is drawn."""

    image: Image.Image
    frame: HeadFrame | None
    eared: bool
    kind: str


def sampled(number: int, rng: np.random.Generator) -> Look:
    """A look with ears for even numbers, most of them the renderer's, without for odd ones."""
    look = replace(sample_look(rng), ahoge=bool(rng.random() < 0.5))
    if rng.random() < 0.8:
        look = replace(look, view="front")
    worn = HEADWEAR[int(rng.integers(len(HEADWEAR)))] if rng.random() < 0.6 else "none"
    if number % 2:
        return replace(look, headwear=worn)
    look = replace(look, headwear="ribbon" if worn == "ribbon" and rng.random() < 0.5 else "none")
    if look.view == "front" and rng.random() < 0.35:
        return look
    kind = EARS[int(rng.choice(len(EARS), p=(0.4, 0.25, 0.15, 0.2)))]
    return replace(look, faults=("animal_ears",), ears=kind)


def drawn(number: int, rng: np.random.Generator) -> Example | None:
    """Drawing `number`: with ears where it is even; None where no head can be made of it."""
    if rng.random() < READER:
        return _of_reader(number, rng)
    look = sampled(number, rng)
    drawing = draw(look, SIZE)
    frame, image = frame_of(drawing), drawing.image
    kind = f"{look.ears} ears" if look.faults else f"{look.headwear}{' ahoge' if look.ahoge else ''}"
    if frame is None:
        return Example(image=_worn(image, rng), frame=None, eared=number % 2 == 0, kind=kind)
    color = _color(image, drawing.hair_mask)
    if rng.random() < 0.5:
        behind = Image.fromarray(pattern(rng).astype(np.uint8))
        if rng.random() < 0.4:
            behind = beside(behind, frame, color, rng)
        image = _on(look, np.asarray(behind, dtype=np.float64), rng)
    head = Head(image=image, frame=frame, color=_color(image, drawing.hair_mask), hair=drawing.hair_mask)
    if number % 2 == 0 and not look.faults:
        head, kind = some_ears(head, rng), "other ears"
    return _finished(head, number, kind, rng)


def _finished(head: Head, number: int, kind: str, rng: np.random.Generator) -> Example:
    eared = number % 2 == 0
    if rng.random() < 0.6:
        head, kind = touched(head, eared, rng), kind if eared else f"{kind} and more"
    if rng.random() < (0.25 if eared else 0.4):
        head = closer(head, eared, rng)
    return Example(image=_worn(head.image, rng), frame=head.frame, eared=eared, kind=kind)


def _color(image: Image.Image, hair: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(np.median(np.asarray(image, dtype=np.float64)[hair], axis=0))


def _of_reader(number: int, rng: np.random.Generator) -> Example | None:
    """A head of the part reader's world: lines, screentone, manga; ears are put onto it."""
    made = draw_head(rng)
    eyes = made.points[[4, 9]]
    if np.hypot(*(eyes[1] - eyes[0])) < 20:
        return None
    grey = np.pad(np.asarray(made.image), ((150, 0), (60, 60)), mode="edge")
    image = Image.fromarray(grey).convert("RGB")
    if rng.random() < 0.5:
        dark, light = (tuple(int(value) for value in rng.uniform(*ends, 3)) for ends in ((0, 70), (200, 256)))
        image = ImageOps.colorize(image.convert("L"), dark, light)
    frame = frame_between(eyes + np.array((60.0, 150.0)))
    image, frame = image.resize((READER_SIDE // 2 + 60, (READER_SIDE + 150) // 2)), frame.scaled(0.5)
    x, y = frame.coordinates(image.size[::-1])
    hair = (np.abs(x) < 1.3) & (y < -0.55) & (y > -1.4)
    head = Head(image=image, frame=frame, color=np.full(3, 0.0), hair=hair)
    head = replace(head, color=_color(image, hair & (np.abs(x) < 0.6)))
    if number % 2 == 0:
        return _finished(some_ears(head, rng), number, "ears in ink", rng)
    return _finished(head, number, "ink", rng)


def _on(look: Look, behind: NDArray[np.float64], rng: np.random.Generator) -> Image.Image:
    """The figure before another background: what differs between a white and a grey one is background."""
    white, grey = (
        np.asarray(draw(replace(look, background=name, light="soft"), SIZE).image, dtype=np.float64)
        for name in ("plain_white", "plain_grey")
    )
    clear = np.clip((white - grey).mean(axis=2, keepdims=True) / 97.0, 0.0, 1.0)
    tint = rng.uniform(0.75, 1.1, 3) if rng.random() < 0.5 else np.ones(3)
    mixed = (white - 250.0 * clear) * tint + behind * clear
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


def pattern(rng: np.random.Generator) -> NDArray[np.float64]:
    """Clouds of two or three colours, coarse to fine, with hard edges or soft ones."""
    colors = rng.uniform(0, 255, (3, 3))
    planes = []
    for cells in rng.integers(2, 24, 2):
        small = Image.fromarray(rng.integers(0, 256, (int(cells), int(cells)), dtype=np.uint8))
        way = Image.Resampling.NEAREST if rng.random() < 0.2 else Image.Resampling.BICUBIC
        plane = np.asarray(small.resize((SIZE, SIZE), way), dtype=np.float64) / 255.0
        planes.append((plane > 0.5).astype(np.float64) if rng.random() < 0.5 else plane)
    first, second = (plane[..., None] for plane in planes)
    return (colors[0] * (1 - first) + colors[1] * first) * (1 - second) + colors[2] * second


def _worn(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    if rng.random() < 0.4:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.3)))
    if rng.random() < 0.15:
        image = image.convert("L").convert("RGB")
    values = np.asarray(image, dtype=np.float64) / 255.0
    values = values ** np.exp(rng.normal(0.0, 0.25)) + rng.normal(0.0, rng.uniform(0.0, 0.03), values.shape)
    image = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.3:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(40, 90)))
        image = Image.open(file).convert("RGB")
    return image


def frame_of(drawing: Drawing) -> HeadFrame | None:
    """The head's frame from the truth of the eyes, as a face finder has it; None where no two eyes are seen."""
    eyes = (drawing.truth.parts.left_eye, drawing.truth.parts.right_eye)
    if eyes[0] is None or eyes[1] is None:
        return None
    return frame_between(np.array([((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in eyes if box]))


def frame_between(eyes: NDArray[np.float64]) -> HeadFrame:
    """The frame of a head whose eyes' middles (2, 2) are known, the image's left one first."""
    across = eyes[1] - eyes[0]
    x, y = eyes.mean(axis=0)
    turn = float(np.rad2deg(np.arctan2(across[1], across[0])))
    return HeadFrame(origin=(float(x), float(y)), unit=float(np.hypot(*across)) / EYES_APART, angle=turn)


def moved(frame: HeadFrame, rng: np.random.Generator) -> HeadFrame:
    """The frame with a finder's errors."""
    x, y = np.array(frame.origin) + rng.normal(0.0, 0.07, 2) * frame.unit
    unit = frame.unit * float(np.exp(rng.normal(0.0, 0.07)))
    return HeadFrame(origin=(float(x), float(y)), unit=unit, angle=frame.angle + float(rng.normal(0.0, 4.0)))


def examples(count: int, seed: int) -> Views:
    """Draw, find the hair, and cut the crown out; heads without hair are left out."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[NDArray[np.float16], bool, int, str]] = []
    for number in range(count):
        if (example := drawn(number, rng)) is None or min(example.image.size) < 40:
            continue
        view = view_of(example.image)
        frame = None if example.frame is None else example.frame.scaled(view.shrink)
        hair = hair_without_face(view.small) if frame is None else hair_of_face(view.small, moved(frame, rng))
        if hair is None:
            continue
        for _ in range(CUTS):
            near = moved(hair.frame, rng) if frame is None else moved(frame, rng)
            rows.append((crown_view(view.small, hair, near).astype(np.float16), example.eared, number, example.kind))
    views, ears, numbers, kinds = zip(*rows, strict=True)
    return Views(
        views=torch.from_numpy(np.stack(views)),
        ears=torch.tensor(ears).float(),
        number=np.array(numbers),
        kind=np.array(kinds),
    )


def fit(taught: Views, kept: NDArray[np.bool_], seed: int) -> EarNet:
    """A network taught by the rows kept."""
    torch.manual_seed(seed)
    rng, rows, net = np.random.default_rng(seed), np.flatnonzero(kept), EarNet()
    steps = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    slower = torch.optim.lr_scheduler.OneCycleLR(steps, 4e-3, total_steps=ROUNDS * (len(rows) // BATCH))
    for _ in range(ROUNDS):
        rng.shuffle(rows)
        for start in range(0, len(rows) - BATCH + 1, BATCH):
            batch = rows[start : start + BATCH]
            answers = net(torn(cut(taught.views[batch].float(), taught.ears[batch], rng)))
            loss = functional.binary_cross_entropy_with_logits(answers, taught.ears[batch])
            steps.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            steps.step()
            slower.step()
    return net.eval()


def cut(views: torch.Tensor, ears: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Close views: the frame cuts off what lies above a row; ears themselves stay in the picture."""
    views = views.clone()
    for view, eared in zip(views, ears, strict=True):
        if rng.random() < 0.45:
            row = int(rng.integers(0, 10) if eared else rng.integers(6, 28))
            view[:3, :row], view[3, :row] = 0.0, 1.0
        if rng.random() < 0.35:
            view[:3] *= stripes(rng)
    return views


def stripes(rng: np.random.Generator) -> torch.Tensor:
    """Hair in ink: strands of the mask are missing, most of them upright and a little bent."""
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(float)
    along = (
        x + rng.normal(0.0, 0.3) * y + rng.normal(0.0, 0.01) * (x - COLUMNS / 2) ** 2 + rng.normal(0.0, 0.8, y.shape)
    )
    wave = np.sin(along * 2 * np.pi / rng.uniform(2.5, 9.0) + rng.uniform(0, 6))
    return torch.from_numpy((wave > rng.uniform(-0.9, 0.3)).astype(np.float32))


def torn(views: torch.Tensor) -> torch.Tensor:
    """Mirrored by chance, noisy, and with patches of the mask turned over: masks of real pictures are unsure."""
    views = torch.where((torch.rand(len(views)) < 0.5)[:, None, None, None], views.flip(3), views)
    patches = functional.interpolate((torch.rand(len(views), 1, 6, 8) < 0.06).float(), views.shape[2:])
    mask = (views[:, :1] - patches).abs() * (1.0 - views[:, 3:])
    light = views[:, 1:2] * (0.7 + 0.6 * torch.rand(len(views), 1, 1, 1))
    changed = torch.cat((mask, light, views[:, 2:]), dim=1)
    return changed + 0.05 * torch.randn_like(changed)


def measured(net: EarNet, shown: Views, rows: NDArray[np.bool_]) -> None:
    """Print how often ears are said to be there, by what stands on the head."""
    with torch.inference_mode():
        said = (net(shown.views.float()) > MIDDLE).numpy()
    for kind in sorted(set(shown.kind)):
        here = rows & (shown.kind == kind)
        if not here.any():
            continue
        print(f"  {kind:23s} said to have ears: {said[here].mean():.3f} of {here.sum()} views")


def main() -> None:
    """Draw, teach, measure, write: what is measured is what is written."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--looks", type=int, default=2800)
    parser.add_argument("--seed", type=int, default=6001)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    taught = examples(options.looks, options.seed)
    # even numbers have ears and odd ones none: an eighth of the pairs
    unseen = taught.number // 2 % 8 == 7
    net = fit(taught, ~unseen, options.seed)
    measured(net, taught, unseen)
    keep(net, options.output)


if __name__ == "__main__":
    main()
