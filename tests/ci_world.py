"""LoRAs of known worth for the tests of a pipeline: one is promoted, three want to follow it.

`python tests/ci_world.py ...` is the command evalharness with a perceiver that needs no model. How noisy a LoRA's
pictures are stands in `QUALITY`, by its file's name.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from evalharness import registry
from evalharness.types import Box, Face, Observation

HERE = Path(__file__).resolve().parent
QUALITY = {"old": 0.6, "better": 1.0, "equal": 0.6, "worse": 0.2}
PROMPTS = ("happy", "sad", "angry", "calm", "tired", "proud", "shy", "bored", "eager", "lost")
SUITE = f"""
name: gated
prompts: [{", ".join(f"{{id: {one}, text: a {one} girl, expect: {{faces: 1}}}}" for one in PROMPTS)}]
seeds: [1, 2]
strengths: [1.0]
scorers: [faces]
gates:
  - {{metric: faces, at_least: 0.1, minimum_scored: 4, why: a face is asked for}}
  - {{metric: faces, at_least: -0.3, relative_to: promoted, minimum_scored: 4, why: no worse than the last one}}
objective: {{faces: 1.0}}
"""
COMMANDS = {
    "evalharness": f'exec "{sys.executable}" "{HERE}/ci_world.py" "$@"',
    "gh": f'exec "{sys.executable}" "{HERE}/ci_github.py" "$@"',
    "python": f'exec "{sys.executable}" "$@"',
}
"""What the scripts find on their PATH."""


class Grain:
    """Sees one face in a clean picture and none where neighbouring pixels differ too much."""

    def fingerprint(self) -> Mapping[str, str | int | float | bool]:
        return {"perceiver": "grain"}

    def observe(self, images: Sequence[Image.Image]) -> list[Observation]:
        return [self._observe(np.asarray(image).astype(float)) for image in images]

    def _observe(self, pixels: np.ndarray) -> Observation:
        height, width = pixels.shape[:2]
        whole = Box(x=0.0, y=0.0, width=float(width), height=float(height))
        grain = float(np.abs(np.diff(pixels, axis=1)).mean() / pixels.std())
        faces = (Face(box=whole, confidence=1.0),) if grain < 0.78 else ()
        return Observation(width=width, height=height, faces=faces, panels=(whole,))


def write_world(folder: Path) -> None:
    """A repository of LoRAs below `folder`: loras/, suites/ and conf/, and in bin/ the commands that scripts call."""
    for name in ("loras", "suites", "conf/perception", "conf/backend", "bin"):
        (folder / name).mkdir(parents=True)
    (folder / "suites" / "gated.yaml").write_text(SUITE)
    (folder / "conf" / "perception" / "grain.yaml").write_text("name: grain\noptions: {}\n")
    quality = ", ".join(f"{name}: {value}" for name, value in QUALITY.items())
    (folder / "conf" / "backend" / "noisy.yaml").write_text(f"name: fake\noptions: {{quality: {{{quality}}}}}\n")
    for number, name in enumerate(QUALITY):
        save_file({"lora_A.weight": np.full((2, 2), number, np.float32)}, folder / "loras" / f"{name}.safetensors")
    for name, line in COMMANDS.items():
        command = folder / "bin" / name
        command.write_text(f"#!/bin/sh\n{line}\n")
        command.chmod(0o755)


def main(given: Sequence[str]) -> int:
    from evalharness.cli import main as command_line

    registry.TABLES = {**registry.TABLES, "perception": {"grain": "ci_world:Grain"}}
    return command_line(given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
