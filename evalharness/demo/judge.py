"""The truth judge: a small classifier that reads a picture's facts, taught by the renderer's own truth.

It shares nothing with the harness's scorers, so that it may say whether they are right.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from evalharness.demo.autoencoder import to_tensor
from evalharness.demo.drawing.truth import emotion_seen
from evalharness.demo.look import (
    ARCHETYPES,
    BACKGROUNDS,
    EMOTIONS,
    FAULTS,
    HAIR_COLORS,
    HAIRSTYLES,
    VIEWS,
    Look,
    image_side,
)
from evalharness.demo.recipe import Recipe, Schedule

WORDS: Mapping[str, tuple[str, ...]] = {
    "emotion": (*EMOTIONS, "none"),
    "archetype": (*ARCHETYPES, "none"),
    "hairstyle": HAIRSTYLES,
    "side": ("left", "right", "none"),
    "hair_color": tuple(HAIR_COLORS),
    "view": VIEWS,
    "background": BACKGROUNDS,
    **{fault: ("no", "yes") for fault in FAULTS},
}
"""What the judge reads of each picture, and the answers it may give."""
HEAD_LIMITS = np.cumsum([0, *(len(answers) for answers in WORDS.values())])


def facts(look: Look) -> dict[str, str]:
    """The renderer's truth of a look, in the judge's words."""
    hidden = look.view == "behind" or bool({"missing_eyes", "blank_eyes"} & set(look.faults))
    return {
        "emotion": emotion_seen(look),
        "archetype": "none" if hidden else look.archetype,
        "hairstyle": look.hairstyle,
        "side": image_side(look),
        "hair_color": look.hair_color,
        "view": look.view,
        "background": look.background,
        **{fault: "yes" if fault in look.faults else "no" for fault in FAULTS},
    }


class Judge(nn.Module):
    """Pictures (float, N x 3 x 128 x 128, -1 to 1) to the logits of all answers, side by side."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        sizes = [3, width, 2 * width, 3 * width, 4 * width, 4 * width]
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
        # positions are kept up to the last layer: sides must not be averaged away
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * sizes[-1], 256), nn.ReLU(), nn.Dropout(0.2))
        self.heads = nn.Linear(256, int(HEAD_LIMITS[-1]))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """The logits, N x all answers."""
        logits: torch.Tensor = self.heads(self.layers(pictures))
        return logits

    def split(self, logits: torch.Tensor) -> dict[str, torch.Tensor]:
        """The logits of each question, N x its answers."""
        limits = itertools.pairwise(HEAD_LIMITS)
        return {word: logits[:, low:high] for word, (low, high) in zip(WORDS, limits, strict=True)}

    @torch.no_grad()
    def read(self, images: NDArray[np.uint8]) -> list[dict[str, str]]:
        """The facts the judge reads off each image (uint8, N x 128 x 128 x 3)."""
        self.eval()
        parts = [self(to_tensor(images[start : start + 64])) for start in range(0, len(images), 64)]
        chosen = {word: part.argmax(1).tolist() for word, part in self.split(torch.cat(parts)).items()}
        return [{word: WORDS[word][chosen[word][row]] for word in WORDS} for row in range(len(images))]


def answers(looks: Sequence[Look]) -> torch.Tensor:
    """The right answer of each question (int64, N x questions) as an index into `WORDS`."""
    rows = [[WORDS[word].index(fact) for word, fact in facts(look).items()] for look in looks]
    return torch.tensor(rows)


def judge_loss(judge: Judge, images: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Cross-entropy summed over the questions."""
    parts = judge.split(judge(images)).values()
    losses: Any = [functional.cross_entropy(part, wanted[:, column]) for column, part in enumerate(parts)]
    return torch.stack(losses).sum()


def train_judge(
    judge: Judge, images: NDArray[np.uint8], looks: Sequence[Look], recipe: Recipe, say: Callable[[str], None]
) -> None:
    """Train in place on images (uint8, N x 128 x 128 x 3) of the looks; small shifts keep it from learning by heart."""
    schedule, rng, wanted = Schedule(recipe), np.random.default_rng(recipe.seed), answers(looks)
    optimizer = torch.optim.AdamW(judge.train().parameters(), recipe.learning_rate, weight_decay=0.02)
    for step in range(recipe.steps):
        if (progress := schedule.progress(step)) >= 1:
            break
        optimizer.param_groups[0]["lr"] = schedule.learning_rate(progress)
        picked = rng.integers(len(images), size=recipe.batch)
        down, right = (int(shift) for shift in rng.integers(-4, 5, size=2))
        pictures = to_tensor(images[picked]).roll((down, right), (2, 3))
        loss = judge_loss(judge, pictures + 0.03 * torch.from_numpy(rng.standard_normal(1)).float(), wanted[picked])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 100 == 0:
            say(f"judge step {step} progress {progress:.3f} loss {loss.item():.3f}")
    judge.eval()


def accuracy(judge: Judge, images: NDArray[np.uint8], looks: Sequence[Look]) -> dict[str, float]:
    """The share of right answers to each question, 0 to 1."""
    read, true = judge.read(images), [facts(look) for look in looks]
    pairs = list(zip(read, true, strict=True))
    return {word: float(np.mean([one[word] == other[word] for one, other in pairs])) for word in WORDS}
