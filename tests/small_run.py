"""A run small enough for any test: the fake maker, a perceiver that measures brightness, two LoRA files.

`python tests/small_run.py ...` is the same command as `evalharness run`, to be killed and repeated.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from evalharness import registry
from evalharness.perception.layout import layout_of
from evalharness.types import Box, Color, Face, Observation

SUITE = """
name: small
prompts:
  - {id: happy, text: a happy girl, expect: {emotion: happy, faces: 1}, axes: {emotion: happy}}
  - {id: sad, text: a sad girl, expect: {emotion: sad, faces: 1}, axes: {emotion: sad}}
  - {id: angry, text: an angry girl, expect: {emotion: angry, faces: 1}, axes: {emotion: angry}}
seeds: [1, 2, 3]
strengths: [0.5, 1.0]
scorers: [faces]
gates:
  - {metric: faces, at_least: 0.2, minimum_scored: 4}
"""


class Brightness:
    """Sees one face in a bright image and none in a dark one: a perceiver without any model."""

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        return {"perceiver": "brightness"}

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        return [self._observe(image) for image in images]

    def _observe(self, image: Image.Image) -> Observation:
        level = float(np.asarray(image).mean())
        whole = Box(x=0.0, y=0.0, width=float(image.width), height=float(image.height))
        face = Face(box=whole, confidence=1.0)
        color = Color(region="background", lab=(level / 2.55, 0.0, 0.0), share=1.0)
        faces = (face,) if level > 100 else ()
        return Observation(
            width=image.width,
            height=image.height,
            faces=faces,
            panels=(whole,),
            colors=(color,),
            layout=layout_of(image),
        )


def write_inputs(folder: Path) -> None:
    """A config folder with the suite and the perceiver, and two LoRA files, below `folder`."""
    (folder / "suites").mkdir(parents=True)
    (folder / "perception").mkdir()
    (folder / "suites" / "small.yaml").write_text(SUITE)
    (folder / "perception" / "brightness.yaml").write_text("name: brightness\noptions: {}\nworkers: 0\n")
    for epoch in (1, 2):
        weights = {"lora_A.weight": np.full((2, 2), epoch, np.float32)}
        save_file(weights, folder / f"girl-{epoch:06}.safetensors", metadata={"ss_epoch": str(epoch)})


def arguments(inputs: Path, run: Path, *more: str) -> list[str]:
    """The command line of the small run."""
    return [
        "run",
        "--config-dir",
        str(inputs),
        "suite=small",
        "backend=fake",
        "perception=brightness",
        f"subjects=['{inputs}/*.safetensors']",
        f"folder='{run}'",
        "backend.batch_size=2",
        *more,
    ]


def main(given: Sequence[str]) -> int:
    from evalharness.cli import main as command_line

    known = registry.TABLES
    registry.TABLES = {**known, "perception": {"brightness": "small_run:Brightness"}}
    try:
        return command_line(given)
    finally:
        registry.TABLES = known


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
