"""Teach the small network of evalharness/perception/ears.py on drawings, and measure it on others.

    python bench/fit_ears.py --labels ../shared/harmony-lab --output evalharness/perception/data/ears.safetensors

Half of the drawings have ears of four kinds; the others have an ahoge, a bow, a hat, two buns of hair, or nothing. In
half of them the background is a random pattern. An eighth is kept out and measured. Then follow a few
steps in which half of the images of `--labels`, none of which has ears, are shown as well. Put the file's SHA-256 into
ears.py.
"""

import argparse
import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from safetensors.torch import save_file
from torch.nn import functional

from evalharness.demo.drawing import Drawing, draw, sample_look
from evalharness.demo.look import EARS, HEADWEAR, Look
from evalharness.perception.ear_net import EarNet
from evalharness.perception.ears import COLUMNS, ROWS, crown_view
from evalharness.perception.faces import EYES_APART, find_faces
from evalharness.perception.geometry import HeadFrame
from evalharness.perception.hair import hair_of_face, hair_without_face
from evalharness.perception.offline import find_hair
from evalharness.perception.offline import look as view_of

SIZE = 192
CUTS = 4
"""Views of each head, its frame a little off in all of them."""
ROUNDS, BATCH = 16, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """Views (float16, N x 4 x 36 x 48), whether there are ears, which drawing it was, and what stands on the head."""

    views: torch.Tensor
    ears: torch.Tensor
    number: NDArray[np.int64]
    kind: NDArray[np.str_]


def sampled(number: int, rng: np.random.Generator) -> Look:
    """A look with ears for even numbers, without for odd ones."""
    look = replace(sample_look(rng), ahoge=bool(rng.random() < 0.5))
    if rng.random() < 0.8:
        look = replace(look, view="front")
    worn = HEADWEAR[int(rng.integers(len(HEADWEAR)))] if rng.random() < 0.7 else "none"
    if number % 2:
        return replace(look, headwear=worn)
    kind = EARS[int(rng.choice(len(EARS), p=(0.4, 0.25, 0.15, 0.2)))]
    bow = "ribbon" if worn == "ribbon" and rng.random() < 0.5 else "none"
    return replace(look, faults=("animal_ears",), ears=kind, headwear=bow)


def drawn(look: Look, rng: np.random.Generator) -> Drawing:
    """The look, in half of all cases on a random pattern, and as worn as pictures are."""
    drawing = draw(look, SIZE)
    image = drawing.image
    if rng.random() < 0.5:
        image = _on(look, pattern(rng), rng)
    return replace(drawing, image=_worn(image, rng))


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
    left, right = (np.array(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)) for box in eyes if box)
    across = right - left
    x, y = (left + right) / 2
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
        look = sampled(number, rng)
        drawing = drawn(look, rng)
        small = view_of(drawing.image).small
        frame = frame_of(drawing)
        hair = hair_without_face(small) if frame is None else hair_of_face(small, moved(frame, rng))
        if hair is None:
            continue
        kind = f"{look.ears} ears" if look.faults else f"{look.headwear}{' ahoge' if look.ahoge else ''}"
        for _ in range(CUTS):
            near = moved(hair.frame, rng) if frame is None else moved(frame, rng)
            rows.append((crown_view(small, hair, near).astype(np.float16), bool(look.faults), number, kind))
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


def sobered(net: EarNet, taught: Views, kept: NDArray[np.bool_], real: torch.Tensor, seed: int) -> EarNet:
    """Some further steps with views of real heads without ears among the drawn ones, each a little moved."""
    rng, rows = np.random.default_rng(seed), np.flatnonzero(kept)
    steps = torch.optim.AdamW(net.train().parameters(), lr=1e-3, weight_decay=0.02)
    for number in range(150):
        if number == 100:
            steps.param_groups[0]["lr"] = 3e-4
        batch, shown = rng.choice(rows, 48), rng.choice(len(real), 24)
        away = (int(rng.integers(-2, 3)), int(rng.integers(-3, 4)))
        views = torch.cat((torn(taught.views[batch].float()), torn(torch.roll(real[shown], away, (2, 3)))))
        truth = torch.cat((taught.ears[batch], torch.zeros(len(shown))))
        loss = functional.binary_cross_entropy_with_logits(net(views), truth)
        steps.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        steps.step()
    return net.eval()


def half_of(labels: Path) -> torch.Tensor:
    """Crowns of a random half of the images in a folder of labels; the other half is for measuring."""
    found = []
    files = sorted((labels / "images").glob("*.png"))
    for number in sorted(np.random.default_rng(2026).permutation(len(files))[: len(files) // 2]):
        view = view_of(Image.open(files[number]).convert("RGB"))
        face = max(find_faces(view.image), key=lambda one: one.box.width * one.likelihood, default=None)
        if hair := find_hair(view, face):
            found.append(crown_view(view.small, hair, hair.frame))
    return torch.from_numpy(np.stack(found).astype(np.float32))


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
        said = (net(shown.views.float()) > 0).numpy()
    for kind in sorted(set(shown.kind)):
        here = rows & (shown.kind == kind)
        print(f"  {kind:16s} said to have ears: {said[here].mean():.3f} of {here.sum()} views")


def main() -> None:
    """Draw, teach, measure, write: what is measured is what is written."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--looks", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=6001)
    parser.add_argument("--labels", type=Path, help="labelled images without ears")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    taught = examples(options.looks, options.seed)
    # even numbers have ears and odd ones none: an eighth of the pairs
    unseen = taught.number // 2 % 8 == 7
    net = fit(taught, ~unseen, options.seed)
    if options.labels is not None:
        net = sobered(net, taught, ~unseen, half_of(options.labels), 5)
    measured(net, taught, unseen)
    state = {name: value.half().contiguous() for name, value in net.state_dict().items() if value.is_floating_point()}
    save_file(state, options.output)


if __name__ == "__main__":
    main()
