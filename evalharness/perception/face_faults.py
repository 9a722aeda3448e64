"""Eyes that are missing, blank or doubled, and a second mouth: a small network on the found face."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evalharness.perception.face_crop import crop_face, glance
from evalharness.perception.faces import FoundFace
from evalharness.perception.geometry import Array, HeadFrame, box_of
from evalharness.perception.weights import with_weights
from evalharness.types import Finding

WEIGHTS = Path(__file__).parent / "data" / "face_faults.safetensors"
SHA256 = "f3f1c64d79ccccf55547731aa7afe08657b8b955214f0a82f6d71f45a00a1aa1"
SMALL = 9.0
"""Half of a face's width in pixels below which nothing is said of its eyes and mouth."""
GLANCES = (0.94, 1.0, 1.06)
"""Each face is seen so many times as large: the finder's frames are unsure."""
SURE = 0.8
"""How sure the net must be of a fault on a head whose face nobody found."""
DOWN, LARGER = 1.0, 1.14
"""How far a face lies below the middle of the hair over it, and how much larger it is; the median of drawings."""
PLACES = {"eyes": ((-0.85, 0.85), (-0.35, 0.35)), "mouth": ((-0.45, 0.45), (0.3, 0.9))}
"""Where a fault is marked, in head units: x and y, from and to."""


def find_face_faults(image: Image.Image, face: FoundFace) -> tuple[Finding, ...]:
    """How likely each fault is on a face of an RGB image; nothing for a face that is too small.

    The network learned on drawings: on other pictures what it does not find may still be there.
    """
    if face.frame.unit < SMALL:
        return ()
    return tuple(_finding(name, strength, face.frame) for name, strength in fault_shares(image, face.frame).items())


def find_head_faults(image: Image.Image, hair: HeadFrame) -> tuple[Finding, ...]:
    """Doubled parts and blank eyes of a head known by its hair alone, whose frame is `hair`; only what is there.

    Second eyes and mouths are what the face finder fails on most. Eyes that are missing are no fault here: backs of
    heads have none.
    """
    frame = head_frame(hair)
    if frame.unit < SMALL:
        return ()
    answers = fault_shares(image, frame).items()
    return tuple(_finding(name, one, frame) for name, one in answers if one >= SURE and name != "missing_eyes")


def head_frame(hair: HeadFrame) -> HeadFrame:
    """Where the face may be under hair whose blob has the frame `hair`."""
    x, y = hair.origin
    unit = LARGER * hair.unit
    return HeadFrame(origin=(x, y + DOWN * unit), unit=unit, angle=hair.angle)


def _finding(name: str, strength: float, frame: HeadFrame) -> Finding:
    box = box_of(frame, *PLACES["eyes" if name.endswith("eyes") else "mouth"]) if strength >= 0.5 else None
    note = f"the net for faults: {strength:.2f}"
    return Finding(name=name, strength=strength, absence_counts=False, box=box, note=note)


def fault_shares(image: Image.Image, frame: HeadFrame) -> dict[str, float]:
    """The probability of each fault on the face of an RGB image that `frame` tells of, the mean over the glances."""
    import torch

    from evalharness.perception.face_fault_net import EYES

    grey = np.asarray(image.convert("L"))
    crops: Array = np.stack([crop_face(grey, glance(frame, scale, 0.0)) for scale in GLANCES])
    with torch.inference_mode():
        eyes, mouth = _net()(torch.from_numpy(crops)[:, None].float() / 255.0)
    shares = eyes.softmax(1).mean(0).tolist()
    faults = {name: float(share) for name, share in zip(EYES, shares, strict=True) if name != "sound"}
    return faults | {"doubled_mouth": float(mouth.sigmoid().mean())}


@cache
def _net() -> Any:
    """The net with its weights, once a process; raises PerceptionError where the file is another than was measured."""
    from evalharness.perception.face_fault_net import FaceFaultNet

    return with_weights(FaceFaultNet(), WEIGHTS, SHA256)
