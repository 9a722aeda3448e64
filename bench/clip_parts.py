"""Does a CLIP read the parts of a drawn face from crops of them? Beside offline perception, on the same faces.

    python bench/clip_parts.py --looks 200 --seed 7

Faces are drawn from the front, each part with an emotion of its own in half of them; the demo's CLIP is asked in the
words of its captions. Prints, for eyes, brows and mouth, the share of parts whose likeliest emotion is the drawn one,
and how often it was sure (0.9) and then right.
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from evalharness.demo.dataset import draw_world
from evalharness.demo.drawing import sample_look
from evalharness.demo.look import Look
from evalharness.perception.clip.crops import GROUPS, main_face
from evalharness.perception.clip.perceiver import ClipPerceiver
from evalharness.types import EMOTIONS, Observation

WORDS = {
    "neutral": ["neutral", "neutral expression"],
    "happy": ["happy", "smile"],
    "sad": ["sad", "frown"],
    "angry": ["angry", "furrowed brows"],
    "surprised": ["surprised", "open mouth, raised brows"],
}
SURE = 0.9


def faces(count: int, rng: np.random.Generator) -> list[Look]:
    """Looks from the front without faults; every second one with three parts that do not agree."""
    looks = []
    for number in range(count):
        look = replace(sample_look(rng), view="front", faults=())
        if number % 2:
            eyes, brows, mouth = (EMOTIONS[index] for index in rng.integers(len(EMOTIONS), size=3))
            look = replace(look, eyes=eyes, brows=brows, mouth=mouth)
        looks.append(look)
    return looks


def offline(seen: Observation, group: str) -> dict[str, float]:
    """What offline perception read of a group: the part it is surest of."""
    face = main_face(seen.faces)
    parts = [part for part in face.parts if part.name in GROUPS[group] and part.emotions] if face else []
    return dict(max(parts, key=lambda part: part.confidence).emotions) if parts else {}


def main() -> None:
    """Draw, look, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    looks = faces(options.looks, np.random.default_rng(options.seed))
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "questions.toml"
        lines = [
            f"[parts.{group}]\n" + "".join(f"{name} = {words}\n" for name, words in WORDS.items()) for group in GROUPS
        ]
        table.write_text("\n".join(lines).replace("'", '"'), encoding="utf-8")
        perceiver = ClipPerceiver(model="demo-clip", questions=str(table))
        seen = perceiver.observe([Image.fromarray(picture) for picture in draw_world(tuple(looks)).images])
    told: dict[tuple[str, str], list[tuple[bool, bool]]] = defaultdict(list)
    for look, one in zip(looks, seen, strict=True):
        for group in GROUPS:
            truth = getattr(look, group) or look.emotion
            for name, shares in (("clip", one.answers.get(f"parts.{group}", {})), ("offline", offline(one, group))):
                if shares:
                    top = max(shares, key=lambda word: shares[word])
                    told[group, name].append((top == truth, shares[top] >= SURE))
    for (group, name), found in sorted(told.items()):
        right, sure = (np.array(column) for column in zip(*found, strict=True))
        where = f"{right[sure].mean():.2f}" if sure.any() else "-"
        print(
            f"{group:6} {name:8} right {right.mean():.2f} of {len(right)}; sure {sure.mean():.2f}, right there {where}"
        )


if __name__ == "__main__":
    main()
