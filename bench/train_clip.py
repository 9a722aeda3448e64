"""Train the demo's small CLIP on drawings and their captions: `make clip` (some ten minutes on one core).

Two losses: captions beside pictures in a batch (contrastive, as CLIP was taught), and the questions of questions.toml,
asked as perception asks them (cross-entropy over the answers' prompts). What the figures on unseen drawings say is
therefore how well it answers what it was taught, not how well any CLIP would.
"""

import argparse
import gzip
import json
import math
import tomllib
from dataclasses import dataclass
from multiprocessing import Process
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch.nn import functional

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.demo.captions import caption
from evalharness.demo.dataset import draw_world, sample_looks, sample_world_look
from evalharness.demo.drawing import sample_fault_look
from evalharness.demo.look import FAULTS, Look
from evalharness.demo.vocabulary import caption_words

OUT = Path("evalharness/demo/data/clip")
SHARD = 1000
SIDE = 128
CONFIG = {
    "model_cfg": {
        "embed_dim": 96,
        "vision_cfg": {"image_size": SIDE, "layers": [1, 1, 2, 1], "width": 12, "head_width": 32, "patch_size": None},
        "text_cfg": {"context_length": 77, "vocab_size": 0, "width": 64, "heads": 4, "layers": 2},
    },
    "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
}
THINGS = {"collage": "several_panels", "several_people": "several_faces", "no_mouth": "missing_mouth",
          "no_eyes": "missing_eyes"}  # fmt: skip
NOT_LEARNED = {
    "hairstyle": {
        "down": ["hair down", "long hair, hair down"],
        "twin_tails": ["twin tails", "twintails"],
        "side_ponytail": ["side ponytail"],
        "ponytail": ["ponytail", "high ponytail"],
    },
    "animal_ears": {"yes": ["animal ears", "1girl, animal ears"], "no": ["1girl", "an anime girl"]},
    "blank_eyes": {"yes": ["blank eyes", "1girl, blank eyes"], "no": ["1girl", "an anime girl"]},
}
"""Taught beside questions.toml, where they are not asked: what it says of them is little better than chance."""
WORTH = {"emotion": 3.0, "hairstyle": 2.0, "animal_ears": 1.5, "blank_eyes": 1.0}
"""Weights of questions that are hard to learn."""
FACELESS = ("emotion", "no_mouth", "no_eyes", "blank_eyes")
"""Questions that nobody can answer from behind."""
Pictures = NDArray[np.uint8]


def looks_of(count: int, seed: int) -> tuple[Look, ...]:
    """Looks of the drawn world, a third of them with a fault."""
    rng = np.random.default_rng(seed)
    third = sample_looks(count // 3, seed, lambda one: sample_fault_look(one, FAULTS[int(one.integers(len(FAULTS)))]))
    looks = [*third, *sample_looks(count - len(third), seed + 1, sample_world_look)]
    return tuple(looks[index] for index in rng.permutation(len(looks)))


def draw_shards(folder: Path, count: int) -> None:
    """Draw files of pictures that are not there yet; looks are sampled again by whoever reads them."""
    for number in range(-1, count):
        path = folder / f"pictures-{number}.npy"
        if not path.exists():
            pictures = draw_world(looks_of(SHARD, 1000 + 10 * number)).images
            np.save(path.with_suffix(".part.npy"), pictures)
            path.with_suffix(".part.npy").rename(path)


def load(folder: Path, number: int) -> tuple[Pictures, tuple[Look, ...]]:
    """One file of pictures with their looks, once it is drawn."""
    import time

    path = folder / f"pictures-{number}.npy"
    while not path.exists():
        time.sleep(0.5)
    return np.load(path), looks_of(SHARD, 1000 + 10 * number)


def write_vocabulary(path: Path) -> int:
    """A byte-pair vocabulary in which every word of our captions is one token; returns its size."""
    from tokenizers import Tokenizer, models, trainers

    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trainer = trainers.BpeTrainer(vocab_size=10_000, min_frequency=1, end_of_word_suffix="</w>", show_progress=False)
    learner.train_from_iterator(caption_words(), trainer)
    merges = [" ".join(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    # mtime 0: the same words give the same bytes
    path.write_bytes(gzip.compress("\n".join(["#version: 0.2", *merges]).encode(), mtime=0))
    return 512 + len(merges) + 2


def text_features(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """As the model encodes texts, without the positions beyond the longest of them."""
    longest = int(tokens.argmax(1).max()) + 1
    tokens = tokens[:, :longest]
    x = model.token_embedding(tokens) + model.positional_embedding[:longest]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:longest, :longest]))
    return functional.normalize(x[torch.arange(len(x)), tokens.argmax(1)] @ model.text_projection, dim=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """The model with its tokenizer and the questions that it is taught."""

    model: Any
    tokenizer: Any
    questions: dict[str, dict[str, list[str]]]

    def truth(self, question: str, look: Look) -> int:
        """The number of the right answer to a question, -1 where nobody can tell."""
        answers = list(self.questions[question])
        if question in FACELESS and look.view == "behind":
            return -1
        if answers == ["yes", "no"]:
            return 0 if THINGS.get(question, question) in look.faults else 1
        # several people and panels have several outfits, faces and views
        if {"several_panels", "several_faces"} & set(look.faults) and question != "background":
            return -1
        return answers.index(str(getattr(look, question)))

    def loss(self, images: torch.Tensor, looks: list[Look], rng: np.random.Generator) -> torch.Tensor:
        """Contrastive loss of captions, and cross-entropy of all questions."""
        with torch.autocast("cpu", torch.bfloat16):
            seen = self.model.encode_image(images)
        seen = functional.normalize(seen.float(), dim=-1)
        scale = self.model.logit_scale.exp()
        words = text_features(self.model, self.tokenizer([caption(look, rng) for look in looks]))
        logits = scale * seen @ words.T
        here = torch.arange(len(looks))
        loss = (functional.cross_entropy(logits, here) + functional.cross_entropy(logits.T, here)) / 2
        prompts = [any_of(texts, rng) for answers in self.questions.values() for texts in answers.values()]
        asked, start = text_features(self.model, self.tokenizer(prompts)), 0
        for question, answers in self.questions.items():
            part = asked[start : start + len(answers)]
            start += len(answers)
            truth = torch.tensor([self.truth(question, look) for look in looks])
            if (truth >= 0).any():
                weight = torch.tensor([4.0, 1.0]) if list(answers) == ["yes", "no"] else None
                worth = WORTH.get(question, 0.5)
                loss = loss + worth * functional.cross_entropy(scale * seen @ part.T, truth, weight, ignore_index=-1)
        return loss


def any_of(texts: list[str], rng: np.random.Generator) -> str:
    """One of several texts."""
    return texts[int(rng.integers(len(texts)))]


def numbers(pictures: Pictures) -> torch.Tensor:
    """Pictures as the model reads them: float32 in -1..1."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def disturbed(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Shifted, blurred, noisy, brighter or darker: a sampler's pictures are no clean drawings."""
    down, right = (int(shift) for shift in rng.integers(-6, 7, size=2))
    images = images.roll((down, right), (2, 3))
    if rng.random() < 0.4:
        small = functional.avg_pool2d(images, 3, 1, 1)
        images = torch.lerp(images, small, float(rng.uniform(0.3, 1.0)))
    images = images * float(rng.uniform(0.85, 1.15)) + float(rng.uniform(-0.1, 0.1))
    if rng.random() < 0.5:
        return images
    return images + 0.05 * float(rng.random()) * torch.from_numpy(rng.standard_normal(images.shape, dtype=np.float32))


def train(learner: Learner, folder: Path, *, shards: int, steps: int, batch: int, peak: float) -> None:
    """Train in place; files of pictures come into use as they are drawn, all by 60 % of the steps."""
    rng, pool = np.random.default_rng(steps), [load(folder, 0)]
    optimizer = torch.optim.AdamW(learner.model.train().parameters(), 1.0, weight_decay=0.05)
    for step in range(steps):
        rate = peak * min(1.0, (step + 1) / 100) * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        optimizer.param_groups[0]["lr"] = rate
        while len(pool) < min(shards, 1 + int(shards * step / (0.6 * steps))):
            pool.append(load(folder, len(pool)))
        pictures, looks = pool[int(rng.integers(len(pool)))]
        picked = rng.choice(len(looks), batch, replace=False)
        loss = learner.loss(disturbed(numbers(pictures[picked]), rng), [looks[index] for index in picked], rng)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learner.model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            learner.model.logit_scale.clamp_(0.0, math.log(50.0))
        if step % 50 == 0:
            print(f"step {step} of {steps}: loss {loss.item():.3f}, {len(pool)} files", flush=True)
    learner.model.eval()


@torch.no_grad()
def report(learner: Learner, pictures: Pictures, looks: tuple[Look, ...]) -> None:
    """Print accuracy, and recall and precision of things, on drawings not trained on."""
    seen = torch.cat([learner.model.encode_image(numbers(part)) for part in np.array_split(pictures, 16)])
    seen = functional.normalize(seen, dim=-1)
    for question, answers in learner.questions.items():
        asked = torch.stack(
            [text_features(learner.model, learner.tokenizer(texts)).mean(0) for texts in answers.values()]
        )
        said = (seen @ functional.normalize(asked, dim=-1).T).argmax(1)
        truth = torch.tensor([learner.truth(question, look) for look in looks])
        right = (said == truth)[truth >= 0].float().mean()
        line = f"{question:15} accuracy {right:.3f} of {int((truth >= 0).sum())}"
        if list(answers) == ["yes", "no"]:
            both = ((said == 0) & (truth == 0)).sum()
            found, there = ((said == 0) & (truth >= 0)).sum(), (truth == 0).sum()
            line += f"; precision {both / max(found, 1):.2f}, recall {both / max(there, 1):.2f} of {int(there)}"
        print(line)
    words = text_features(learner.model, learner.tokenizer([caption(one, np.random.default_rng(7)) for one in looks]))
    own = seen @ words.T
    print(f"caption beats {(own.diagonal()[:, None] > own).float().mean():.3f} of the other pictures' captions")


def main() -> None:
    """Draw, train, report, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=8, help=f"files of {SHARD} drawings")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=40)
    parser.add_argument("--peak", type=float, default=2e-3, help="the highest learning rate")
    parser.add_argument("--start", type=Path, help="go on from these weights")
    parser.add_argument("--cache", type=Path, default=Path("runs/clip"))
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.cache.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    Process(target=draw_shards, args=(options.cache, options.shards)).start()
    ensure_torchvision()
    from open_clip import CLIP, SimpleTokenizer

    vocabulary = options.out / "vocabulary.txt.gz"
    CONFIG["model_cfg"]["text_cfg"]["vocab_size"] = write_vocabulary(vocabulary)  # type: ignore[index]
    torch.manual_seed(1)
    learner = Learner(
        model=CLIP(**CONFIG["model_cfg"]),
        tokenizer=SimpleTokenizer(bpe_path=str(vocabulary)),
        questions=tomllib.loads((OUT / "questions.toml").read_text()) | NOT_LEARNED,
    )
    print(f"{sum(one.numel() for one in learner.model.parameters()):,} parameters", flush=True)
    if options.start:
        state = {name: value.float() for name, value in load_file(options.start).items()}
        learner.model.load_state_dict(state, strict=False)
    plan = {name: getattr(options, name) for name in ("shards", "steps", "batch", "peak")}
    train(learner, options.cache, **plan)
    report(learner, *load(options.cache, -1))
    (options.out / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    state = {name: value.half().contiguous() for name, value in learner.model.state_dict().items()
             if value.is_floating_point()}  # fmt: skip
    save_file(state, options.out / "open_clip_model.safetensors")


if __name__ == "__main__":
    main()
