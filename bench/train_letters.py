"""Train the finder of text and watermarks on drawings alone, and say how well it finds them on ones it has not seen.

    make letters

Heads and pictures are drawn first (a quarter of an hour) and kept in --cache; the same seed and the same fonts give the
same pictures. Put the last file's SHA-256 into evalharness/perception/lettering.py.
"""

import argparse
import math
import time
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from finder.pictures import banks_of
from marks.pictures import CELL, OPEN, draw_pictures
from net_files import blend, go_on_from, keep
from torch.nn import functional

from evalharness.perception.letter_net import LetterNet, whole

SHARD = 3000
HEADS, DEMO = 4000, 1600
UNSEEN_HEADS, UNSEEN, UNSEEN_SEED = 400, 800, 900
CROP = 208
"""Sides of the part of a picture that one step sees."""
NAMES = ("text", "watermark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Pictures (uint8, N x side x side) and their cells (uint8, N x 2 x cells x cells): 1, 0 or OPEN."""

    pictures: torch.Tensor
    cells: torch.Tensor


def pictures_of(cache: Path, shards: int) -> tuple[list[Pictures], Pictures]:
    """The pictures to learn from, and those of other heads and fonts to test with; draws what is not there yet."""
    places = [cache / f"letters-{number}.npz" for number in range(1, shards + 1)]
    missing = {place: number for number, place in enumerate(places, 1) if not place.exists()}
    banks = banks_of(cache, "", 1, (HEADS, DEMO)) if missing else None
    for place, number in missing.items():
        draw_pictures(place, banks, 300 + number, SHARD)
    unseen = cache / "unseen-letters.npz"
    if not unseen.exists():
        banks = banks_of(cache, "unseen-", UNSEEN_SEED, (UNSEEN_HEADS, UNSEEN_HEADS))
        draw_pictures(unseen, banks, UNSEEN_SEED, UNSEEN, unseen=True)
    return [_load(place) for place in places], _load(unseen)


def _load(place: Path) -> Pictures:
    with np.load(place) as file:
        return Pictures(pictures=torch.from_numpy(file["pictures"]), cells=torch.from_numpy(file["cells"]))


def batch_of(shard: Pictures, rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch: parts of pictures, mirrored, darkened and turned into their negative by chance."""
    picked = torch.from_numpy(rng.integers(len(shard.pictures), size=size))
    pictures, cells = shard.pictures[picked].float()[:, None] / 255.0, shard.cells[picked]
    room, count = (pictures.shape[2] - CROP) // CELL, CROP // CELL
    down, right = (int(step) for step in rng.integers(0, room + 1, 2))
    cells = cells[:, :, down : down + count, right : right + count]
    down, right = down * CELL, right * CELL
    pictures = pictures[:, :, down : down + CROP, right : right + CROP]
    for axis in [3] if rng.random() < 0.5 else []:
        pictures, cells = pictures.flip(axis), cells.flip(axis)
    if rng.random() < 0.2:
        pictures = 1.0 - pictures
    return pictures, cells


def loss_of(logits: torch.Tensor, cells: torch.Tensor) -> torch.Tensor:
    """How wrong cells are, counted more the wronger they are (Lin et al. 2017), and whole pictures."""
    wanted, counted = (cells == 1).float(), (cells != OPEN).float()
    each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    off = (logits.sigmoid() - wanted).abs() ** 1.5 * counted
    places = (each * off).sum() / wanted.sum().clamp(min=50.0)
    there = wanted.sum(dim=(2, 3)) >= 4
    none = (cells == 0).all(dim=3).all(dim=2)
    own = functional.binary_cross_entropy_with_logits(whole(logits), there.float(), reduction="none")
    return places + 0.5 * (own * (there | none)).mean()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps or seconds, whichever end first, pictures a step, the highest learning rate, and a seed."""

    steps: int
    seconds: float
    batch: int
    peak: float
    seed: int

    def rate(self, share: float, step: int) -> float:
        """The learning rate: it rises for 100 steps and falls along a cosine."""
        return self.peak * min(1.0, (step + 1) / 100) * 0.5 * (1.0 + math.cos(math.pi * min(share, 1.0)))


def train(net: LetterNet, shards: list[Pictures], plan: Plan) -> None:
    """Train in place."""
    rng, started = np.random.default_rng(plan.seed), time.time()
    optimizer = torch.optim.AdamW(net.train().parameters(), 1.0, weight_decay=0.02)
    for step in range(plan.steps):
        share = max(step / plan.steps, (time.time() - started) / plan.seconds)
        if share >= 1.0:
            break
        optimizer.param_groups[0]["lr"] = plan.rate(share, step)
        pictures, cells = batch_of(shards[int(rng.integers(len(shards)))], rng, plan.batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(pictures.contiguous(memory_format=torch.channels_last))
        loss = loss_of(logits, cells)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step} of {plan.steps}: loss {loss.item():.3f}, {time.time() - started:.0f} s", flush=True)
    net.eval()


@torch.no_grad()
def report(net: LetterNet, unseen: Pictures) -> None:
    """Print precision and recall of whole pictures in the test's fonts."""
    said = torch.cat([whole(net(part[:, None].float() / 255.0)) for part in unseen.pictures.split(32)])
    for plane, name in enumerate(NAMES):
        cells = unseen.cells[:, plane]
        there = (cells == 1).sum(dim=(1, 2)) >= 4
        none = (unseen.cells == 0).all(dim=3).all(dim=2).all(dim=1)
        for middle in (-1.0, 0.0, 1.0):
            hit, false = int((said[there, plane] > middle).sum()), int((said[none, plane] > middle).sum())
            print(f"{name} beyond {middle:+.0f}: recall {hit / int(there.sum()):.3f} of {int(there.sum())}, "
                  f"{false} of {int(none.sum())} pictures without letters")  # fmt: skip


def main() -> None:
    """Draw, train, save, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=2, help=f"files of {SHARD} pictures")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--peak", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1, help="of the first weights and the order of pictures")
    parser.add_argument("--start", type=Path, help="go on from these weights")
    parser.add_argument("--share", type=float, default=1.0, help="of the new weights; the rest is those to start with")
    parser.add_argument("--cache", type=Path, default=Path("runs/letters"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    shards, unseen = pictures_of(options.cache, options.shards)
    torch.manual_seed(options.seed)
    net = LetterNet()
    if options.start:
        go_on_from(net, options.start)
    net.to(memory_format=torch.channels_last)
    plan = Plan(steps=options.steps, seconds=options.seconds, batch=options.batch, peak=options.peak, seed=options.seed)
    before = deepcopy(net)
    train(net, shards, plan)
    blend(net, before, options.share)
    keep(net, options.out)
    report(net, unseen)


if __name__ == "__main__":
    main()
