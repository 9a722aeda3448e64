"""Eyes that are missing, blank or doubled, and a second mouth: a small network on the found face."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.perception.face_crop import crop_face, glance
from evalharness.perception.faces import FoundFace
from evalharness.perception.geometry import Array, box_of
from evalharness.types import Finding

WEIGHTS = Path(__file__).parent / "data" / "face_faults.safetensors"
SHA256 = "5ae65099d06b4219bc1908232f92d2ba7daafbcc25747b2e8f17cdf7948f5030"
SMALL = 9.0
"""Half of a face's width in pixels below which nothing is said of its eyes and mouth."""
GLANCES = (0.94, 1.0, 1.06)
"""Each face is seen so many times as large: the finder's frames are unsure."""
PLACES = {"eyes": ((-0.85, 0.85), (-0.35, 0.35)), "mouth": ((-0.45, 0.45), (0.3, 0.9))}
"""Where a fault is marked, in head units: x and y, from and to."""


def find_face_faults(image: Image.Image, face: FoundFace) -> tuple[Finding, ...]:
    """How likely each fault is on a face of an RGB image; nothing for a face that is too small.

    The network learned on drawings: on other pictures what it does not find may still be there.
    """
    frame = face.frame
    if frame.unit < SMALL:
        return ()
    found = []
    for name, strength in _answers(image, face).items():
        box = box_of(frame, *PLACES["eyes" if name.endswith("eyes") else "mouth"]) if strength >= 0.5 else None
        note = f"the net for faults: {strength:.2f}"
        found.append(Finding(name=name, strength=strength, absence_counts=False, box=box, note=note))
    return tuple(found)


def _answers(image: Image.Image, face: FoundFace) -> dict[str, float]:
    """The probability of each fault, the mean over the glances."""
    import torch

    from evalharness.perception.face_fault_net import EYES

    grey = np.asarray(image.convert("L"))
    crops: Array = np.stack([crop_face(grey, glance(face.frame, scale, 0.0)) for scale in GLANCES])
    with torch.inference_mode():
        eyes, mouth = _net()(torch.from_numpy(crops)[:, None].float() / 255.0)
    shares = eyes.softmax(1).mean(0).tolist()
    faults = {name: float(share) for name, share in zip(EYES, shares, strict=True) if name != "sound"}
    return faults | {"doubled_mouth": float(mouth.sigmoid().mean())}


@cache
def _net() -> Any:
    """The net with its weights, once a process; raises PerceptionError where the file is another than was measured."""
    from safetensors.torch import load

    from evalharness.perception.face_fault_net import FaceFaultNet

    data = WEIGHTS.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise PerceptionError(f"'{WEIGHTS.name}' is not the network that was measured; install the package again.")
    net = FaceFaultNet()
    net.load_state_dict({name: value.float() for name, value in load(data).items()}, strict=False)
    return net.eval()
