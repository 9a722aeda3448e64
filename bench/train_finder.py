"""Train the face finder on drawings alone, and say how well it finds the faces of drawings it has not seen.

    make finder

Heads and pictures are drawn first (some minutes) and kept in --cache; the same seed gives the same pictures, and on the
same machine the same net. Put the file's SHA-256 into evalharness/perception/finder.py.
"""

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from finder.pictures import SIDE, banks_of, draw_pictures
from net_files import go_on_from, keep
from torch.nn import functional

from evalharness.perception.finder_net import STRIDE, FinderNet

SHARD = 4000
HEADS, DEMO_HEADS = 4000, 700
UNSEEN_HEADS, UNSEEN = 400, 1000
UNSEEN_SEED = 900
CELLS = SIDE // STRIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Pictures (uint8, N x side x side) and their faces (N x 16 x 7: eye, eye, mouth, 1 = to be found; NaN = none)."""

    pictures: torch.Tensor
    faces: torch.Tensor


def pictures_of(cache: Path, shards: int) -> tuple[list[Pictures], Pictures]:
    """The pictures to learn from and those of other heads to test with; draws what is not there yet."""
    places = [cache / f"pictures-{number}.npz" for number in range(1, shards + 1)]
    missing = {place: number for number, place in enumerate(places, 1) if not place.exists()}
    banks = banks_of(cache, "", 1, (HEADS, DEMO_HEADS)) if missing else None
    for place, number in missing.items():
        draw_pictures(place, banks, 100 + number, SHARD)
    unseen = cache / "unseen.npz"
    if not unseen.exists():
        draw_pictures(
            unseen, banks_of(cache, "unseen-", UNSEEN_SEED, (UNSEEN_HEADS, UNSEEN_HEADS)), UNSEEN_SEED, UNSEEN
        )
    return [_load(place) for place in places], _load(unseen)


def _load(place: Path) -> Pictures:
    with np.load(place) as file:
        return Pictures(pictures=torch.from_numpy(file["pictures"]), faces=torch.from_numpy(file["faces"]))


def batch_of(shard: Pictures, rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch, mirrored, moved and darkened by chance."""
    picked = torch.from_numpy(rng.integers(len(shard.pictures), size=size))
    pictures, faces = shard.pictures[picked].float()[:, None] / 255.0, shard.faces[picked].clone()
    if rng.random() < 0.5:
        pictures = pictures.flip(3)
        faces = faces[:, :, [2, 3, 0, 1, 4, 5, 6]]
        faces[:, :, 0:6:2] = SIDE - faces[:, :, 0:6:2]
    down, right = (int(shift) for shift in rng.integers(-STRIDE // 2, STRIDE // 2 + 1, size=2))
    pictures = functional.pad(pictures, (STRIDE,) * 4, mode="replicate")
    pictures = pictures[:, :, STRIDE - down : STRIDE - down + SIDE, STRIDE - right : STRIDE - right + SIDE]
    faces[:, :, 0:6:2] += right
    faces[:, :, 1:6:2] += down
    if rng.random() < 0.05:
        pictures = 1.0 - pictures
    return pictures, faces


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the net should say: heat (N x h x w), the cells that count for it, shapes (N x 7 x h x w), their weights."""

    heat: torch.Tensor
    counted: torch.Tensor
    shape: torch.Tensor
    weight: torch.Tensor


def wanted_of(faces: torch.Tensor, cells: int = CELLS) -> Wanted:
    """The truth on the net's grid; of faces that lie over each other a cell belongs to the nearest."""
    count = len(faces)
    at = (torch.arange(cells, dtype=torch.float32) + 0.5) * STRIDE
    there = faces[:, :, 0].isfinite()
    points = faces[:, :, :6].nan_to_num(-1e4).view(count, -1, 3, 2)
    across, middle = points[:, :, 1] - points[:, :, 0], points[:, :, :2].mean(2)
    unit = ((across.norm(dim=2) / 0.92 + (points[:, :, 2] - middle).norm(dim=2) / 0.62) / 2).clamp(min=1.0)
    # the centre of a face that the frame cuts is looked for at the frame
    center = ((middle + points[:, :, 2]) / 2).clamp(STRIDE / 2, cells * STRIDE - STRIDE / 2)
    away = ((at[None, None, None, :] - center[:, :, 0, None, None]) ** 2
            + (at[None, None, :, None] - center[:, :, 1, None, None]) ** 2).sqrt() / unit[:, :, None, None]  # fmt: skip
    away = torch.where(there[:, :, None, None], away, 1e4)
    nearest, face = away.min(1)
    sure = faces[:, :, 6].nan_to_num(1.0).bool()
    reach = (0.35 * unit).clamp(min=0.6 * STRIDE) / unit
    heat = torch.exp(-0.5 * (away / reach[:, :, None, None]) ** 2) * sure[:, :, None, None]
    top = heat.flatten(2).amax(2).clamp(min=1e-6)[:, :, None, None]
    # the cell nearest to the centre is wanted to be entirely sure
    heat = torch.where(sure[:, :, None, None] & there[:, :, None, None], heat / top, 0.0).amax(1)
    counted = ~((away < 1.3) & ~sure[:, :, None, None]).any(1) | (heat > 0.3)
    picked = face[:, None, None].expand(-1, 3, 2, -1, -1)
    own = (
        points.permute(0, 2, 3, 1)[..., None, None]
        .expand(-1, -1, -1, -1, cells, cells)
        .gather(3, picked[:, :, :, None])
        .squeeze(3)
    )
    size = unit[:, :, None, None].expand(-1, -1, cells, cells).gather(1, face[:, None])
    grid = torch.stack((at[None, :].expand(cells, -1), at[:, None].expand(-1, cells)))
    offsets = ((own - grid) / size[:, None]).flatten(1, 2)
    shape = torch.cat(((size / 24.0).log(), offsets), 1)
    own_sure = sure.float().gather(1, face.flatten(1)).view_as(nearest)
    return Wanted(heat=heat, counted=counted.float(), shape=shape, weight=(heat > 0.45).float() * own_sure)


def loss_of(answers: tuple[torch.Tensor, torch.Tensor], wanted: Wanted) -> torch.Tensor:
    """CenterNet's focal loss of the heat (Zhou et al. 2019), and the distance of sizes and points."""
    logits, shape = answers
    sure = wanted.heat > 0.99
    share = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    hit = -((1 - share) ** 2) * share.log() * sure
    miss = -((1 - wanted.heat) ** 4) * share**2 * (1 - share).log() * ~sure
    heat = ((hit + miss) * wanted.counted).sum() / sure.sum().clamp(min=8)
    away = functional.smooth_l1_loss(shape, wanted.shape, reduction="none", beta=0.05)
    place = (away * wanted.weight[:, None]).sum() / wanted.weight.sum().clamp(min=1)
    return heat + place


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps or seconds, whichever ends first, pictures a step, the highest learning rate, and a seed."""

    steps: int
    batch: int
    peak: float
    seed: int

    def rate(self, step: int) -> float:
        """The learning rate: it rises for 150 steps and falls along a cosine."""
        return self.peak * min(1.0, (step + 1) / 150) * 0.5 * (1.0 + math.cos(math.pi * step / self.steps))


def train(net: FinderNet, shards: list[Pictures], plan: Plan) -> None:
    """Train in place."""
    rng, started = np.random.default_rng(plan.seed), time.time()
    optimizer = torch.optim.AdamW(net.train().parameters(), 1.0, weight_decay=0.02)
    for step in range(plan.steps):
        optimizer.param_groups[0]["lr"] = plan.rate(step)
        pictures, faces = batch_of(shards[int(rng.integers(len(shards)))], rng, plan.batch)
        with torch.autocast("cpu", torch.bfloat16):
            answers = net(pictures.contiguous(memory_format=torch.channels_last))
        loss = loss_of(answers, wanted_of(faces))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step} of {plan.steps}: loss {loss.item():.3f}, {time.time() - started:.0f} s", flush=True)
    net.eval()


@torch.no_grad()
def report(net: FinderNet, pictures: Pictures) -> None:
    """Print how many faces are found, how many of the found are faces, and how far off their points are."""
    from evalharness.perception.finder_net import decode

    hits, found, faces, off, clean, quiet = 0, 0, 0, [], 0, 0
    for picture, truth in zip(pictures.pictures, pictures.faces, strict=True):
        seen = decode(*net(picture[None, None].float() / 255.0), least=0.4)
        rows = truth[truth[:, 0].isfinite()]
        free = list(range(len(seen)))
        for row in rows:
            points = row[:6].view(3, 2)
            unit = float((points[1] - points[0]).norm() / 0.92 + (points[2] - points[:2].mean(0)).norm() / 0.62) / 2
            best = min(free, key=lambda i: float((seen[i].points.mean(0) - points.mean(0)).norm()), default=None)
            near = best is not None and float((seen[best].points.mean(0) - points.mean(0)).norm()) < 0.6 * unit
            if near:
                free.remove(best)
            if row[6] == 1:
                faces, hits, found = faces + 1, hits + near, found + near
                off += [float((seen[best].points - points).norm(dim=1).mean()) / unit] if near else []
        found += len(free)
        if not len(rows):
            clean, quiet = clean + 1, quiet + (not seen)
    print(f"faces found {hits / faces:.3f} of {faces}; found that are faces {hits / found:.3f} of {found}")
    print(f"pictures without a face and none found {quiet / max(clean, 1):.3f} of {clean}")
    print(f"points off by {np.median(off):.3f} head units (median), {np.quantile(off, 0.9):.3f} (9 of 10)")


def main() -> None:
    """Draw, train, report, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=4, help=f"files of {SHARD} pictures")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--peak", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1, help="of the first weights and the order of pictures")
    parser.add_argument("--start", type=Path, help="go on from these weights")
    parser.add_argument("--cache", type=Path, default=Path("runs/finder"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    shards, unseen = pictures_of(options.cache, options.shards)
    torch.manual_seed(options.seed)
    net = FinderNet()
    if options.start:
        go_on_from(net, options.start)
    net.to(memory_format=torch.channels_last)
    train(net, shards, Plan(steps=options.steps, batch=options.batch, peak=options.peak, seed=options.seed))
    keep(net, options.out)
    report(net, unseen)


if __name__ == "__main__":
    main()
