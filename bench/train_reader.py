"""Train the part reader on drawn faces alone, and say how well it reads drawn faces it has not seen.

    make reader

With --demo a trained reader learns the demo's own faces, and keeps on faces of the styles what it said before (Li and
Hoiem 2016, Learning without Forgetting); then its weights are averaged with those it began with (Wortsman et al. 2022,
Robust fine-tuning of zero-shot models), for real faces lie beyond both worlds.
A second process draws the faces (about 100 a second) and keeps them in --cache; training takes each file up at a fixed
step and waits for it where it must, so that the same seed gives the same net on the same machine. Put the file's
SHA-256 into evalharness/perception/part_reader.py.
"""

import argparse
import math
import time
from copy import deepcopy
from dataclasses import dataclass
from multiprocessing import Process
from pathlib import Path

import numpy as np
import torch
from net_files import blend, go_on_from, keep
from reader.demo_faces import DEMO, UNSEEN_DEMO, draw_demo
from reader.faces_file import draw_missing
from torch.nn import functional

from evalharness.perception.part_net import GROUPS, STATES, PartNet

SHARD = 5000
UNSEEN_SEED = 99
LEFT_RIGHT = [5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 13, 14, 15, 10, 11, 12, 17, 16, 18, 19]
"""The landmark that each becomes in the mirror."""
DEMO_EVERY = 3
"""One batch in so many is of the demo's faces."""
SPREAD = 0.05
"""The share of an emotion's probability given to all: what looks sad to one is neutral to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Crops (uint8, N x 96 x 96), classes (N x 7, -1: not to be seen) and landmarks (N x 20 x 2)."""

    crops: torch.Tensor
    classes: torch.Tensor
    points: torch.Tensor


def load(place: Path) -> Faces:
    """The faces of a file; waits until it has been drawn."""
    while not place.exists():
        time.sleep(1.0)
    with np.load(place) as file:
        crops, classes, points = (torch.from_numpy(file[key]) for key in ("crops", "classes", "points"))
    return Faces(crops=crops, classes=classes, points=points)


def batch_of(faces: Faces, rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch, mirrored and moved by chance."""
    picked = torch.from_numpy(rng.integers(len(faces.crops), size=size))
    crops, classes, points = (
        faces.crops[picked].float()[:, None] / 255.0,
        faces.classes[picked].clone(),
        faces.points[picked].clone(),
    )
    if rng.random() < 0.5:
        crops, points = crops.flip(3), points[:, LEFT_RIGHT] * torch.tensor((-1.0, 1.0))
        classes[:, :2] = classes[:, [1, 0]]
    down, right = (int(shift) for shift in rng.integers(-4, 5, size=2))
    points = points + torch.tensor((right, down)) * (2.1 / 96)
    crops = crops.roll((down, right), (2, 3)) + 0.02 * float(rng.random()) * torch.from_numpy(
        rng.standard_normal(crops.shape, dtype=np.float32)
    )
    return crops, classes, points


def seen_points(classes: torch.Tensor) -> torch.Tensor:
    """Which landmarks (N x 20) are there to be seen."""
    left, right, brows, mouth = classes[:, 0] < 2, classes[:, 1] < 2, classes[:, 2] == 0, classes[:, 3] == 0
    return torch.cat(
        [part[:, None].expand(-1, count) for part, count in ((left, 5), (right, 5), (brows, 6), (mouth, 4))], 1
    )


def loss_of(answers: tuple[torch.Tensor, ...], classes: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """Cross-entropies of states and emotions, and the landmarks' distance."""
    states, emotions = len(STATES), len(GROUPS)
    loss = sum(functional.cross_entropy(answers[i], classes[:, i]) for i in range(states))
    for i in range(states, states + emotions):
        loss = loss + functional.cross_entropy(answers[i], classes[:, i], ignore_index=-1, label_smoothing=SPREAD)
    there = seen_points(classes) & points.isfinite().all(2)
    said, true = answers[-1].view(-1, 20, 2), points.nan_to_num()
    away = functional.smooth_l1_loss(said, true, reduction="none", beta=0.05).sum(2)
    return loss + 4.0 * (away * there).sum() / there.sum().clamp(min=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round of training: files of faces, of which `ready` are waited for first, steps, faces a step, and a seed.

    Where there are files of the demo's faces, one batch in DEMO_EVERY is of one of them.
    """

    shards: list[Path]
    demo: list[Path]
    peak: float
    ready: int
    steps: int
    batch: int
    seed: int

    def files(self, step: int) -> int:
        """How many files are in use at a step: all of them from 60 % of the steps on."""
        later = len(self.shards) - self.ready
        return self.ready + min(later, int((later + 1) * step / (0.6 * self.steps)))

    def rate(self, step: int) -> float:
        """The learning rate: it rises for 200 steps and falls along a cosine."""
        return self.peak * min(1.0, (step + 1) / 200) * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))


def kept(answers: tuple[torch.Tensor, ...], before: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Cross-entropies with the answers of before, and the landmarks' distance from theirs."""
    pairs = zip(answers[:-1], before[:-1], strict=True)
    loss = sum((functional.cross_entropy(new, old.softmax(1)) for new, old in pairs), torch.zeros(()))
    away = functional.smooth_l1_loss(answers[-1], before[-1], reduction="none", beta=0.05)
    return loss + 4.0 * 2 * away.mean()


def train(net: PartNet, plan: Round, before: PartNet | None = None) -> None:
    """Train in place; with a net of before, what it says of faces of the styles is kept."""
    rng, pool = np.random.default_rng(plan.seed), []
    demo = [load(place) for place in plan.demo]
    optimizer = torch.optim.AdamW(net.train().parameters(), 1.0, weight_decay=0.02)
    for step in range(plan.steps):
        optimizer.param_groups[0]["lr"] = plan.rate(step)
        while len(pool) < plan.files(step):
            pool.append(load(plan.shards[len(pool)]))
        of = demo if demo and step % DEMO_EVERY == 0 else pool
        crops, classes, points = batch_of(of[int(rng.integers(len(of)))], rng, plan.batch)
        crops = crops.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            answers = net(crops)
        if before is None or of is demo:
            loss = loss_of(answers, classes, points)
        else:
            with torch.no_grad():
                known = before(crops)
            loss = kept(answers, known)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step} of {plan.steps}: loss {loss.item():.3f}", flush=True)
    net.eval()


@torch.no_grad()
def report(net: PartNet, faces: Faces) -> None:
    """Print the share of right answers to each question on faces not trained on."""
    answers = [net(part.float()[:, None] / 255.0) for part in faces.crops.split(256)]
    for number, name in enumerate((*STATES, *(f"{group} emotion" for group in GROUPS))):
        said = torch.cat([answer[number] for answer in answers]).argmax(1)
        true = faces.classes[:, number]
        print(f"{name:16} {(said == true)[true >= 0].float().mean():.3f} of {int((true >= 0).sum())}")
    said = torch.cat([answer[-1] for answer in answers]).view(-1, 20, 2)
    away = (said - faces.points).norm(dim=2)[seen_points(faces.classes) & faces.points.isfinite().all(2)]
    if len(away):
        print(f"landmarks        {away.median():.3f} head units (median)")


def main() -> None:
    """Draw, train, report, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=25000)
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--round", type=int, default=1, help="seeds the first weights and the order of faces")
    parser.add_argument("--peak", type=float, default=2e-3, help="the highest learning rate")
    parser.add_argument("--demo", action="store_true", help="learn the demo's own faces, and keep what is known")
    parser.add_argument("--share", type=float, default=0.5, help="of the weights after --demo; the rest is before")
    parser.add_argument("--start", type=Path, help="go on from these weights")
    parser.add_argument("--ready", type=int, default=1, help="files of faces to wait for before the first step")
    parser.add_argument("--cache", type=Path, default=Path("runs/reader"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    shards = [options.cache / f"faces-{number}.npz" for number in range(1, options.faces // SHARD + 1)]
    unseen = options.cache / "unseen.npz"
    demo = [options.cache / name for name in DEMO] if options.demo else []
    drawing = Process(
        target=draw_missing,
        args=([(place, number, SHARD) for number, place in enumerate(shards, 1)] + [(unseen, UNSEEN_SEED, 1500)],),
    )
    drawing.start()
    if demo:
        draw_demo(options.cache)
    torch.manual_seed(options.round)
    net = PartNet()
    if options.start:
        go_on_from(net, options.start)
    net.to(memory_format=torch.channels_last)
    plan = Round(
        shards=shards, demo=demo, ready=options.ready, steps=options.steps, batch=options.batch, seed=options.round,
        peak=options.peak,
    )  # fmt: skip
    before = deepcopy(net).eval()
    train(net, plan, before if demo else None)
    if demo:
        blend(net, before, options.share)
    for place in (unseen, *(options.cache / name for name in UNSEEN_DEMO if demo)):
        print(place.stem)
        report(net, load(place))
    keep(net, options.out)


if __name__ == "__main__":
    main()
