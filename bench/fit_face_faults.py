"""Teach the small network of evalharness/perception/face_faults.py on drawings, and measure it on others.

    python bench/fit_face_faults.py --output evalharness/perception/data/face_faults.safetensors

Half of each batch are faces of the demo's world with and without faults, cut out as far off as the face finder is on
such faces; half are of the part reader's many styles, with marks that look like faults. Faces that the finder itself
has found, and a tenth of the styled ones, are kept out: they choose how sure the net must be of each fault.
Put the file's SHA-256 into evalharness/perception/face_faults.py.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from fault_faces import UNKNOWN, Faces, faceless_heads, found_faces, placed_faces, styled_faces
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch.nn import functional

from evalharness.perception.face_fault_net import EYES, FaceFaultNet

Made = TypeVar("Made")
BATCH = 64
FALSE = 0.004
"""Share of the sound faces kept out that may be called faulty, for each fault and kind of drawing."""


def loss_of(eyes: torch.Tensor, mouth: torch.Tensor, faces: Faces, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of eyes and mouth; where nobody knows whether eyes are missing or blank, of both together."""
    logs, truth = eyes.log_softmax(1), faces.eyes[rows]
    either = torch.logsumexp(logs[:, [EYES.index("missing_eyes"), EYES.index("blank_eyes")]], 1)
    known = logs.gather(1, truth.clamp(max=3)[:, None])[:, 0]
    told = torch.where(truth == UNKNOWN, either, known)
    return -told.mean() + functional.binary_cross_entropy_with_logits(mouth, faces.mouth[rows])


def new_net(start: Path | None, seed: int) -> FaceFaultNet:
    """A network with weights by chance, or those of a file."""
    torch.manual_seed(seed)
    net = FaceFaultNet()
    if start is not None:
        net.load_state_dict({name: value.float() for name, value in load_file(start).items()}, strict=False)
    return net.train()


def fit(net: FaceFaultNet, drawn: Faces, styled: Faces, options: argparse.Namespace) -> FaceFaultNet:
    """The network after so many steps; the same seed gives the same on the same machine."""
    rng, steps = np.random.default_rng(options.seed + (options.start is not None)), options.steps
    way = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    slower = torch.optim.lr_scheduler.OneCycleLR(way, options.peak, steps)
    half = BATCH // 2
    for step in range(steps):
        picked = [torch.from_numpy(rng.integers(len(faces.crops), size=half)) for faces in (drawn, styled)]
        crops = torch.cat([faces.crops[rows] for faces, rows in zip((drawn, styled), picked, strict=True)])
        eyes, mouth = net(varied(crops[:, None].float() / 255.0, rng))
        loss = loss_of(eyes[:half], mouth[:half], drawn, picked[0]) + loss_of(
            eyes[half:], mouth[half:], styled, picked[1]
        )
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
    return moved + float(rng.random() < 0.3) * 0.03 * torch.from_numpy(rng.normal(size=moved.shape)).float()


def strengths(net: FaceFaultNet, faces: Faces) -> dict[str, NDArray[np.float64]]:
    """How sure the net is of each fault, as a logit: positive where the fault is named."""
    with torch.inference_mode():
        answers = [net(part[:, None].float() / 255.0) for part in faces.crops.split(256)]
    eyes, mouth = (torch.cat(part).double() for part in zip(*answers, strict=True))
    others = {k: torch.cat((eyes[:, :k], eyes[:, k + 1 :]), 1).logsumexp(1) for k in range(1, len(EYES))}
    found = {EYES[k]: (eyes[:, k] - rest).numpy() for k, rest in others.items()}
    return found | {"doubled_mouth": mouth.numpy()}


def truths(faces: Faces) -> dict[str, NDArray[np.bool_]]:
    """Which faces have each fault; of eyes missing or blank, whichever, either is right."""
    eyes = faces.eyes.numpy()
    one = {name: (eyes == k) | ((eyes == UNKNOWN) & (k in (1, 2))) for k, name in enumerate(EYES) if k}
    return one | {"doubled_mouth": faces.mouth.numpy() > 0}


def stricter(net: FaceFaultNet, kept: list[Faces]) -> dict[str, float]:
    """Lower the net's last biases until few enough sound faces are called faulty; by how much, for each fault."""
    least = dict.fromkeys((*EYES[1:], "doubled_mouth"), 0.0)
    for faces in kept:
        said, true = strengths(net, faces), truths(faces)
        for name, values in said.items():
            others = values[~true[name]]
            least[name] = max(least[name], float(np.quantile(others, 1.0 - FALSE)))
    last = net.layers[-1]
    with torch.no_grad():
        for place, name in enumerate((*EYES[1:], "doubled_mouth"), start=1):
            last.bias[place] -= least[name]
    return least


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
    parser.add_argument("--found", type=int, default=240, help="looks of the demo's world where the finder puts them")
    parser.add_argument("--placed", type=int, default=1600, help="looks of the demo's world, off by as much")
    parser.add_argument("--heads", type=int, default=120, help="backs and profiles")
    parser.add_argument("--styled", type=int, default=3600, help="faces of other styles")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--peak", type=float, default=5e-3, help="the highest rate of learning")
    parser.add_argument("--start", type=Path, help="the file to go on from, with chances of its own")
    parser.add_argument("--seed", type=int, default=7001)
    parser.add_argument("--cache", type=Path, default=Path("runs/face_faults"))
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    drawn, styled, kept = worlds(options)
    print(Counter(drawn.eyes.tolist()), Counter(styled.eyes.tolist()), float(styled.mouth.mean()))
    net = fit(new_net(options.start, options.seed), drawn, styled, options)
    print("stricter by", {name: round(value, 2) for name, value in stricter(net, kept).items()})
    for title, faces in zip(("found", "styled"), kept, strict=True):
        for name, figure in report(net, faces).items():
            print(f"{title}, {name}: {figure}")
    save_file({name: value.half() for name, value in net.state_dict().items()}, options.output)
    print(hashlib.sha256(options.output.read_bytes()).hexdigest())


def worlds(options: argparse.Namespace) -> tuple[Faces, Faces, list[Faces]]:
    """The faces of the demo's world and the styled ones to learn from, and those of both that are kept out."""
    cache, seed = options.cache, options.seed
    found, slips = kept_in(cache / f"found-{options.found}.pt", lambda: found_faces(options.found, seed))
    placed = kept_in(cache / f"placed-{options.placed}.pt", lambda: placed_faces(options.placed, seed + 1, slips))
    heads = kept_in(cache / f"heads-{options.heads}.pt", lambda: faceless_heads(options.heads, seed + 2))
    styled = kept_in(cache / f"styled-{options.styled}.pt", lambda: styled_faces(options.styled, seed))
    out = styled.number % 10 == 9
    return together(placed, heads), some(styled, ~out), [found, some(styled, out)]


def kept_in(place: Path, made: Callable[[], Made]) -> Made:
    """What was drawn before, or what is drawn now."""
    if not place.exists():
        torch.save(made(), place)
    faces: Made = torch.load(place, weights_only=False)
    return faces


if __name__ == "__main__":
    main()
