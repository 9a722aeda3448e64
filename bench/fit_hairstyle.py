"""Fit the small network of evalharness/perception/hairstyle.py on drawings, and measure it on others.

    python bench/fit_hairstyle.py --looks 2400 --seed 5001 --output evalharness/perception/hairstyle.json

Looks are drawn; half of them go through the demo's autoencoder. Hair is found as in perception; the network sees its
mask's coarse shape. A fifth of the looks is kept out and measured; the figures are written beside the weights.
"""

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from evalharness.demo.autoencoder import open_autoencoder, reconstruct
from evalharness.demo.drawing import draw, sample_look
from evalharness.demo.look import HAIRSTYLES, Look, View, image_side
from evalharness.paths import resolve
from evalharness.perception.faces import find_faces
from evalharness.perception.hairstyle import COLUMNS, ROWS, SIDES, STYLES, shape_grid
from evalharness.perception.offline import find_hair, look

VIEWS: tuple[View, ...] = ("front", "front", "behind", "left_profile", "front", "right_profile")
SIZE = 128
HIDDEN = 32
ROUNDS = 400
NOISE, DROPPED = 0.15, 0.1
BATCH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Grids (n, features) with the truth: indices into STYLES and SIDES; `number` names the look."""

    grids: torch.Tensor
    styles: torch.Tensor
    sides: torch.Tensor
    number: NDArray[np.int64]
    views: NDArray[np.str_]


def looks(count: int, rng: np.random.Generator) -> list[Look]:
    """Views and hairstyles in turn, all else at random."""
    return [replace(sample_look(rng), view=VIEWS[n % 6], hairstyle=HAIRSTYLES[n // 6 % 4]) for n in range(count)]


def shown_side(drawn: Look) -> str:
    """The side that hangs in the picture: twin tails in profile are both behind the head."""
    if drawn.hairstyle == "twin_tails" and drawn.view.endswith("profile"):
        return "right" if drawn.view == "left_profile" else "left"
    return image_side(drawn)


def examples(drawn: list[Look], pictures: NDArray[np.uint8], numbers: list[int]) -> Examples:
    """Every picture's grid and its mirror image's; pictures whose hair is not found are left out."""
    rows = []
    for number, one, pixels in zip(numbers, drawn, pictures, strict=True):
        view = look(Image.fromarray(pixels))
        # the finder takes long to find no face, and from behind it finds none
        face = (
            max(find_faces(view.image), key=lambda f: f.box.width * f.likelihood, default=None)
            if one.view != "behind"
            else None
        )
        hair = find_hair(view, face)
        if hair is None:
            continue
        grid, side = shape_grid(hair.mask, hair.frame), shown_side(one)
        other = {"left": "right", "right": "left", "none": "none"}[side]
        for shape, hangs in ((grid, side), (grid[:, ::-1], other)):
            values = np.append(shape.ravel(), float(face is not None))
            rows.append((values, STYLES.index(one.hairstyle), SIDES.index(hangs), number, one.view))
    grids, styles, sides, number_of, views = zip(*rows, strict=True)
    return Examples(
        grids=torch.tensor(np.array(grids), dtype=torch.float32),
        styles=torch.tensor(styles),
        sides=torch.tensor(sides),
        number=np.array(number_of),
        views=np.array(views),
    )


def fit(taught: Examples, kept: NDArray[np.bool_], seed: int) -> torch.nn.Sequential:
    """A network of one hidden layer on the examples kept."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(taught.grids.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 7)
    )
    steps = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)
    slower = torch.optim.lr_scheduler.CosineAnnealingLR(steps, ROUNDS)
    rows = torch.tensor(kept)
    grids, styles, sides = taught.grids[rows], taught.styles[rows], taught.sides[rows]
    for _ in range(ROUNDS):
        scores = net(_torn(grids))
        loss = torch.nn.functional.cross_entropy(scores[:, :4], styles)
        loss = loss + torch.nn.functional.cross_entropy(scores[:, 4:], sides)
        steps.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        steps.step()
        slower.step()
    return net


def _torn(grids: torch.Tensor) -> torch.Tensor:
    """Grids with cells missing from the hair and noise: masks of generated images have holes that drawings have not."""
    cells = grids[:, :-1].reshape(-1, ROWS * COLUMNS, 2)
    kept = torch.ones_like(cells)
    kept[..., 0] = (torch.rand(cells.shape[:2]) > DROPPED).float()
    torn = cells * kept + NOISE * torch.randn_like(cells)
    return torch.cat((torn.reshape(len(grids), -1), grids[:, -1:]), dim=1)


def figures(net: torch.nn.Sequential, shown: Examples, rows: NDArray[np.bool_]) -> dict[str, float]:
    """Share of right styles and sides by view."""
    with torch.no_grad():
        scores = net(shown.grids)
    style = (scores[:, :4].argmax(1) == shown.styles).numpy()
    side = (scores[:, 4:].argmax(1) == shown.sides).numpy()
    found = {}
    for view in sorted(set(shown.views)):
        here = rows & (shown.views == view)
        found[f"hairstyle, {view}"] = round(float(style[here].mean()), 3)
        found[f"side, {view}"] = round(float(side[here].mean()), 3)
    return found


def weights(net: torch.nn.Sequential) -> dict[str, list[object]]:
    """The network's numbers, rounded to what matters."""
    names = ("hidden", "hidden_bias", "out", "out_bias")
    return {
        name: np.round(value.detach().numpy(), 3).tolist() for name, value in zip(names, net.parameters(), strict=True)
    }


def main() -> None:
    """Draw, find, fit, measure, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--looks", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=5001)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    drawn = looks(options.looks, np.random.default_rng(options.seed))
    pictures = np.stack([np.asarray(draw(one, SIZE).image) for one in drawn])
    numbers = list(range(len(drawn)))
    # even numbers as drawn, odd ones through the autoencoder; blocks of 24 hold each view x hairstyle
    through = [number for number in numbers if number // 24 % 2]
    vae = open_autoencoder(resolve("demo:checkpoint"))
    for start in range(0, len(through), BATCH):
        batch = through[start : start + BATCH]
        pictures[batch] = reconstruct(vae, pictures[batch])
    taught = examples(drawn, pictures, numbers)
    unseen = taught.number // 48 % 5 == 4
    report = figures(fit(taught, ~unseen, options.seed), taught, unseen)
    print(json.dumps(report, indent=1))
    kept = {
        "looks": options.looks,
        "seed": options.seed,
        "unseen_fifth": report,
        "weights": weights(fit(taught, unseen | ~unseen, options.seed)),
    }
    options.output.write_text(json.dumps(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
