"""How hair is worn and on which side of the image it hangs: a small network on a crop around the head.

It learned on drawings, drawn and through the demo's autoencoder, with colours turned; bench/fit_hairstyle.py made it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evalharness.perception.geometry import HeadFrame
from evalharness.perception.hair_crop import crop_hair, guessed_frame
from evalharness.perception.weights import with_weights

WEIGHTS = Path(__file__).parent / "data" / "hairstyle.safetensors"
SHA256 = "69ef6f3d465cb0f990f92f0b3c88713c5ed7d5186850a454d94f93da522c1890"
GLANCES = (0.93, 1.0, 1.08)
"""Each head is seen so many times as large: frames are unsure."""
FACE = 0.9
"""Likelihood from which a face says where the head is; below it most are false, in profiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Styled:
    """Distributions over hairstyles and over the sides of the image at which gathered hair hangs."""

    styles: Mapping[str, float]
    sides: Mapping[str, float]


def hairstyle(image: Image.Image, face: HeadFrame | None) -> Styled:
    """What an RGB picture of about 200 px shows of a head, where its face is and where heads are.

    The mean over glances and their mirror images, so that a mirrored picture has the mirrored sides.
    """
    import torch

    from evalharness.perception.hair_net import SIDES, STYLES

    guess = guessed_frame(image.size)
    # a face seen in a profile is mostly a false one: the whole picture is asked, too
    frames = (guess,) if face is None else (guess, face)
    crops = np.stack([crop_hair(image, _larger(frame, times)) for frame in frames for times in GLANCES])
    both = np.concatenate((crops, crops[:, :, ::-1]))
    with torch.inference_mode():
        answers = _net()(torch.from_numpy(both).permute(0, 3, 1, 2).float() / 255.0)
    # the third answer, a hair tie, is right no more often than by chance
    styles, sides = (one.log_softmax(1).double().numpy() for one in answers[:2])
    own, other = sides[: len(crops)], sides[len(crops) :, [1, 0, 2]]
    return Styled(
        styles=_shares(STYLES, styles),
        sides=_shares(SIDES, np.concatenate((own, other))),
    )


def _larger(frame: HeadFrame, times: float) -> HeadFrame:
    return HeadFrame(origin=frame.origin, unit=frame.unit * times, angle=frame.angle)


def _shares(names: tuple[str, ...], logs: Any) -> dict[str, float]:
    """The geometric mean of several distributions."""
    powers = np.exp(logs.mean(axis=0) - logs.mean(axis=0).max())
    return {name: float(share) for name, share in zip(names, powers / powers.sum(), strict=True)}


@cache
def _net() -> Any:
    """The net with its weights, once a process; raises PerceptionError where the file is another than was measured."""
    from evalharness.perception.hair_net import HairNet

    return with_weights(HairNet(), WEIGHTS, SHA256)
