"""Teach the small network of evalharness/perception/face_faults.py on drawings, and measure it on others.

    python bench/fit_face_faults.py --start BEFORE --output evalharness/perception/data/face_faults.safetensors

It goes on from earlier weights (`make faults` says which). Two thirds of each batch are faces of the demo's world with
and without faults, cut out as far off as each of the two face finders is on such faces; the others are of the part
reader's many styles, with marks that look like faults. Faces that the finders themselves have found, and a tenth of the
styled ones, are kept out: they choose how sure the net must be of each fault, so that of the drawings that it calls
faulty 99 of 100 are.
Put the file's SHA-256 into evalharness/perception/face_faults.py.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from fault_faces import UNKNOWN, Faces, faceless_heads, found_faces, placed_faces, styled_faces
from net_files import go_on_from
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.nn import functional

from evalharness.perception.face_fault_net import EYES, FaceFaultNet

Made = TypeVar("Made")
DRAWN, STYLED = 44, 20
"""Faces of each world in a batch."""
PRECISE = 0.99
"""Share of the demo's faces kept out which the net calls faulty that must be."""
FALSE = 0.01
"""Share of the styled faces kept out that may be called faulty, for each fault."""
LOOSE = -1.5
"""The least logit that may be taken for a fault."""
FINDERS = ("cascade", "net")
FAULTS = (*EYES[1:], "doubled_mouth")
GLANCES = (0.94, 1.0, 1.06)
"""How large the faces kept out are seen, as perception sees them."""


def loss_of(eyes: torch.Tensor, mouth: torch.Tensor, faces: Faces, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of eyes and mouth; where nobody knows whether eyes are missing or blank, of both together."""
    logs, truth = eyes.log_softmax(1), faces.eyes[rows]
    either = torch.logsumexp(logs[:, [EYES.index("missing_eyes"), EYES.index("blank_eyes")]], 1)
    known = logs.gather(1, truth.clamp(max=3)[:, None])[:, 0]
    told = torch.where(truth == UNKNOWN, either, known)
    return -told.mean() + functional.binary_cross_entropy_with_logits(mouth, faces.mouth[rows])


def fit(drawn: Faces, styled: Faces, options: argparse.Namespace) -> FaceFaultNet:
    """The network after so many steps; the same seed gives the same on the same machine."""
    torch.manual_seed(options.seed)
    net = FaceFaultNet().to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    if options.start is not None:
        go_on_from(net, options.start)
    rng, steps = np.random.default_rng(options.seed), options.steps
    way = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    slower = torch.optim.lr_scheduler.OneCycleLR(way, options.peak, steps)
    lots = ((drawn, DRAWN), (styled, STYLED))
    for step in range(steps):
        picked = [torch.from_numpy(rng.integers(len(faces.crops), size=count)) for faces, count in lots]
        crops = torch.cat([faces.crops[rows] for (faces, _), rows in zip(lots, picked, strict=True)])
        seen = varied(crops[:, None].float() / 255.0, rng)
        eyes, mouth = net(seen.contiguous(memory_format=torch.channels_last))
        loss = loss_of(eyes[:DRAWN], mouth[:DRAWN], drawn, picked[0])
        loss = loss + 0.5 * loss_of(eyes[DRAWN:], mouth[DRAWN:], styled, picked[1])
        way.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        way.step()
        slower.step()
        if step % 100 == 0:
            print(step, f"{float(loss.detach()):.3f}", flush=True)
    return net.eval()


def varied(crops: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """A batch mirrored, moved, turned, made larger, darker, blurred and noisy by chance."""
    if rng.random() < 0.5:
        crops = crops.flip(3)
    count = len(crops)
    size, turn = np.exp(rng.normal(0.0, 0.05, (count, 2))), rng.normal(0.0, 0.05, count)
    theta = np.zeros((count, 2, 3), dtype=np.float32)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, 0, 1], theta[:, 1, 0] = size[:, 0], size[:, 1], turn, -turn
    theta[:, :, 2] = rng.normal(0.0, 0.04, (count, 2))
    moved = functional.grid_sample(
        crops, functional.affine_grid(torch.from_numpy(theta), list(crops.shape), align_corners=False),
        padding_mode="border", align_corners=False,
    )  # fmt: skip
    moved = moved.clamp(0, 1) ** torch.from_numpy(np.exp(rng.normal(0.0, 0.3, (count, 1, 1, 1)))).float()
    if rng.random() < 0.2:
        moved = functional.avg_pool2d(moved, 3, 1, 1)
    if rng.random() < 0.3:
        moved = moved + 0.03 * torch.from_numpy(rng.standard_normal(moved.shape, dtype=np.float32))
    return moved


def strengths(net: FaceFaultNet, faces: Faces) -> dict[str, NDArray[np.float64]]:
    """How sure the net is of each fault, as the logit of the mean over the glances: positive where it is named."""
    with torch.inference_mode():
        answers = [_glanced(net, part[:, None].float() / 255.0) for part in faces.crops.split(256)]
    shares = torch.logit(torch.cat(answers).double(), 1e-9).numpy()
    return {name: shares[:, k] for k, name in enumerate(FAULTS)}


def _glanced(net: FaceFaultNet, crops: torch.Tensor) -> torch.Tensor:
    """The probability of each fault (N x 4), the mean over the glances."""
    found = []
    for size in GLANCES:
        theta = torch.tensor(((size, 0.0, 0.0), (0.0, size, 0.0))).expand(len(crops), 2, 3)
        grid = functional.affine_grid(theta, list(crops.shape), align_corners=False)
        eyes, mouth = net(functional.grid_sample(crops, grid, padding_mode="border", align_corners=False))
        found.append(torch.cat((eyes.softmax(1)[:, 1:], mouth.sigmoid()[:, None]), 1))
    return torch.stack(found).mean(0)


def truths(faces: Faces) -> dict[str, NDArray[np.bool_]]:
    """Which faces have each fault; of eyes missing or blank, whichever, either is right."""
    eyes = faces.eyes.numpy()
    one = {name: (eyes == k) | ((eyes == UNKNOWN) & (k in (1, 2))) for k, name in enumerate(EYES) if k}
    return one | {"doubled_mouth": faces.mouth.numpy() > 0}


def surer(net: FaceFaultNet, drawn: list[Faces], styled: Faces) -> dict[str, float]:
    """Move the net's last biases to where few enough faces kept out are wrongly called faulty; by how much, each."""
    limits = {}
    said, true = [strengths(net, one) for one in drawn], [truths(one) for one in drawn]
    others, sound = strengths(net, styled), truths(styled)
    for name in FAULTS:
        wrong = float(np.quantile(others[name][~sound[name]], 1.0 - FALSE))
        lots = zip(said, true, strict=True)
        limits[name] = max(wrong, *(precise_from(values[name], faulty[name]) for values, faulty in lots))
    last = net.layers[-1]
    with torch.no_grad():
        for place, name in enumerate(FAULTS, start=1):
            last.bias[place] -= limits[name]
    return limits


def precise_from(values: NDArray[np.float64], true: NDArray[np.bool_]) -> float:
    """The lowest strength from which on the share PRECISE of what is called faulty is, at least LOOSE."""
    order = np.argsort(-values)
    right = np.cumsum(true[order]) / np.arange(1, len(values) + 1)
    last = int(np.flatnonzero(right >= PRECISE).max())
    if last + 1 == len(values):
        return LOOSE
    return max(LOOSE, float(values[order[last : last + 2]].mean()))


def report(net: FaceFaultNet, faces: Faces) -> dict[str, str]:
    """Precision and recall of each fault."""
    said, true = strengths(net, faces), truths(faces)
    found = {}
    for name, values in said.items():
        a, b = values > 0, true[name]
        both = (a & b).sum()
        found[name] = f"precision {both / max(a.sum(), 1):.3f}, recall {both / max(b.sum(), 1):.3f} of {b.sum()}"
    return found


def some(faces: Faces, rows: NDArray[np.bool_]) -> Faces:
    """The faces of some rows."""
    at = torch.from_numpy(rows)
    return Faces(crops=faces.crops[at], eyes=faces.eyes[at], mouth=faces.mouth[at], number=faces.number[rows])


def together(*parts: Faces) -> Faces:
    """Several lots as one."""
    crops, eyes, mouth = (torch.cat([getattr(one, name) for one in parts]) for name in ("crops", "eyes", "mouth"))
    return Faces(crops=crops, eyes=eyes, mouth=mouth, number=np.concatenate([one.number for one in parts]))


def main() -> None:
    """Draw, find, fit, choose, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--found", type=int, default=320, help="looks of the demo's world where the finder puts them")
    parser.add_argument("--cascade", type=int, default=6400, help="looks of the demo's world, off as the cascade was")
    parser.add_argument("--net", type=int, default=3200, help="looks of the demo's world, off as our own finder was")
    parser.add_argument("--heads", type=int, default=200, help="backs and profiles")
    parser.add_argument("--styled", type=int, default=2400, help="faces of other styles")
    parser.add_argument("--steps", type=int, default=2200)
    parser.add_argument("--peak", type=float, default=3e-3, help="the highest rate of learning")
    parser.add_argument("--start", type=Path, help="the file of weights to go on from")
    parser.add_argument("--seed", type=int, default=7001)
    parser.add_argument("--cache", type=Path, default=Path("runs/face_faults"))
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    drawn, styled, kept = worlds(options)
    print(Counter(drawn.eyes.tolist()), Counter(styled.eyes.tolist()), float(styled.mouth.mean()))
    net = fit(drawn, styled, options)
    torch.save(net.state_dict(), options.cache / "unbiased.pt")
    print("surer by", {name: round(value, 2) for name, value in surer(net, kept[:-1], kept[-1]).items()})
    for title, faces in zip((*FINDERS, "styled"), kept, strict=True):
        for name, figure in report(net, faces).items():
            print(f"{title}, {name}: {figure}")
    save_file({name: value.half().contiguous() for name, value in net.state_dict().items()}, options.output)
    print(hashlib.sha256(options.output.read_bytes()).hexdigest())


def worlds(options: argparse.Namespace) -> tuple[Faces, Faces, list[Faces]]:
    """The faces of the demo's world and the styled ones to learn from, and those of both that are kept out."""
    cache, seed = options.cache, options.seed
    found, slips, placed = {}, {}, {}
    for finder in FINDERS:
        made = partial(found_faces, options.found, seed, finder)
        found[finder], slips[finder] = kept_in(cache / f"found-{finder}-{options.found}.pt", made)
    hair = [slip for slip in slips["cascade"] if slip[0] == "hair"]
    for number, finder in enumerate(FINDERS):
        count = getattr(options, finder)
        off = [slip for slip in slips[finder] if slip[0] != "hair"] + hair
        made_placed = partial(placed_faces, count, seed + 1 + 2 * number, off)
        placed[finder] = kept_in(cache / f"placed-{finder}-{count}.pt", made_placed)
    heads = kept_in(cache / f"heads-{options.heads}.pt", lambda: faceless_heads(options.heads, seed + 2))
    styled = kept_in(cache / f"styled-{options.styled}.pt", lambda: styled_faces(options.styled, seed))
    out = styled.number % 10 == 9
    return together(*placed.values(), heads), some(styled, ~out), [*found.values(), some(styled, out)]


def kept_in(place: Path, made: Callable[[], Made]) -> Made:
    """What was drawn before, or what is drawn now."""
    if not place.exists():
        torch.save(made(), place)
    faces: Made = torch.load(place, weights_only=False)
    return faces


if __name__ == "__main__":
    main()
