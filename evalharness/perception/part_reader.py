"""The trained part reader: the net's answers on a found face, and the Parts they make."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from evalharness.perception.face_crop import glances
from evalharness.perception.faces import FoundFace
from evalharness.perception.geometry import Array, HeadFrame, box_around
from evalharness.perception.weights import with_weights
from evalharness.types import EMOTIONS, Part

WEIGHTS = Path(__file__).parent / "data" / "part_reader.safetensors"
SHA256 = "b3efd06c9922cf3480dd6f797066560762ddc70018b0cd5342fdf66818da4bcc"
PartName = Literal["left_eye", "right_eye", "brows", "mouth"]
WHERE: Mapping[PartName, slice] = {
    "left_eye": slice(0, 5),
    "right_eye": slice(5, 10),
    "brows": slice(10, 16),
    "mouth": slice(16, 20),
}
"""Which of the net's landmarks are of which part."""
LINES: Mapping[PartName, tuple[int, ...]] = {
    "left_eye": (1, 2, 0, 3, 1),
    "right_eye": (5, 7, 6, 8, 5),
    "brows": (12, 11, 10, 13, 14, 15),
    "mouth": (16, 18, 17, 19, 16),
}
"""The order in which a part's landmarks make its outline."""


def read_by_net(image: Image.Image, face: FoundFace) -> tuple[Part, ...]:
    """Both eyes (image's left first), brows and mouth of a face in an RGB image.

    A part that is there is as sure as its state is likely and its emotions tell: the confidence by which it is weighed.
    """
    states, emotions, points = _answers(image, face.frame)
    return tuple(_part(name, states[name], emotions, face.frame.to_image(points)) for name in WHERE)


def part_states(image: Image.Image, frame: HeadFrame) -> Mapping[PartName, Mapping[str, float]]:
    """How likely each state of each part is on the face of an RGB image that `frame` tells of."""
    return _answers(image, frame)[0]


def _part(name: PartName, states: Mapping[str, float], emotions: Mapping[str, Array], points: Array) -> Part:
    state = max(states, key=lambda word: states[word])
    shares = emotions["eyes" if name.endswith("eye") else name]
    told = state in ("present", "closed")
    tells = information(shares) if told else 1.0
    seen = "; ".join(f"{word} {share:.2f}" for word, share in states.items() if share >= 0.1)
    outline = tuple((float(x), float(y)) for x, y in points[list(LINES[name])])
    return Part(
        name=name,
        state=state,  # type: ignore[arg-type]
        confidence=float(states[state]) * tells,
        box=box_around(points[WHERE[name]]),
        outline=outline if told else (),
        emotions=dict(zip(EMOTIONS, shares.tolist(), strict=True)) if told else {},
        note=f"the net: {seen}",
    )


def information(shares: Array) -> float:
    """How much emotions (k,) tell, as a share of the most they could: 1 - entropy / log k."""
    told = shares[shares > 0.0]
    return max(1.0 + float((told * np.log(told)).sum() / np.log(len(shares))), 0.0)


def _answers(image: Image.Image, frame: HeadFrame) -> tuple[dict[PartName, dict[str, float]], dict[str, Array], Array]:
    """The states' probabilities by part, the emotions' by group, and the landmarks (20, 2) in head units."""
    import torch

    from evalharness.perception.part_net import GROUPS, STATES

    crops = torch.from_numpy(glances(image, frame))[:, None].float() / 255.0
    with torch.inference_mode():
        answers = _net()(torch.cat((crops, crops.flip(3))))
    shares = [answer.softmax(1).double() for answer in answers[:-1]]
    # in the mirror the eyes change places, and their states are read worse; emotions are the face's
    seen = [share[: len(crops)].mean(0).numpy() for share in shares[: len(WHERE)]]
    states = {name: _named(STATES[name], share) for name, share in zip(WHERE, seen, strict=True)}
    emotions: dict[str, Array] = {
        group: share.mean(0).numpy() for group, share in zip(GROUPS, shares[len(WHERE) :], strict=True)
    }
    # the first glance is at the frame itself: its landmarks need no way back
    points: Array = answers[-1][0].view(-1, 2).double().numpy()
    return states, emotions, points


def _named(words: Sequence[str], shares: Array) -> dict[str, float]:
    return {word: float(share) for word, share in zip(words, shares, strict=True)}


@cache
def _net() -> Any:
    """The net with its weights, once a process; raises PerceptionError where the file is another than was measured."""
    import torch

    from evalharness.perception.part_net import PartNet

    net: Any = with_weights(PartNet(), WEIGHTS, SHA256, "part reader")
    # channels last is a third faster on a processor
    return net.to(memory_format=torch.channels_last)
