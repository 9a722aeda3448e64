"""Which LoRA is best, established apart from the harness: many pictures of each, read by the truth judge."""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.demo.autoencoder import as_images, open_autoencoder, reconstruct
from evalharness.demo.captions import tags
from evalharness.demo.dataset import draw_world, sample_looks, sample_world_look
from evalharness.demo.drawing import sample_fault_look, sample_look
from evalharness.demo.judge import Judge, accuracy, facts, train_judge
from evalharness.demo.look import Look
from evalharness.demo.probes import Probe, marks, probes, summary
from evalharness.demo.recipe import Recipe

STEPS = 16
GUIDANCE = 4.0
BATCH = 16
ASKED = ("emotion", "hairstyle", "side", "view", "hair_color")
"""Facts that every prompt of the obedience check names."""
DATA = Path(__file__).parent / "data"
JUDGE_RECIPE = Recipe(steps=1_500, batch=48, learning_rate=2e-3, seed=7)
FAULT_SHARE = 0.3
"""The share of the judge's drawings that have a fault: in the base model's world they are too rare to learn from."""


@torch.no_grad()
def pictures(pipeline: Any, prompts: Sequence[str], seed: int, guidance: float) -> NDArray[np.uint8]:
    """One picture a prompt (uint8, N x 128 x 128 x 3); prompt k starts from the noise of seed `1000 * seed + k`."""
    starts = [torch.Generator("cpu").manual_seed(1000 * seed + number) for number in range(len(prompts))]
    made = pipeline(
        list(prompts), num_inference_steps=STEPS, guidance_scale=guidance, generator=starts, output_type="pt"
    ).images
    return as_images(made.float() * 2 - 1)


def measure(pipeline: Any, judge: Judge, asked: Sequence[Probe], seeds: int, guidance: float) -> dict[str, float]:
    """The summary of what a pipeline, with whatever LoRA it carries, makes of the probes."""
    marked: list[Mapping[str, bool]] = []
    for seed in range(seeds):
        read = judge.read(pictures(pipeline, [probe.prompt for probe in asked], seed, guidance))
        marked += [marks(probe, one) for probe, one in zip(asked, read, strict=True)]
    return summary(marked)


def obedience(pipeline: Any, judge: Judge, count: int, guidance: float) -> dict[str, float]:
    """How often a pipeline shows what full tag captions of `count` random looks ask for, for each fact (0 to 1)."""
    looks, rng = sample_looks(count, 72, sample_look), np.random.default_rng(72)
    prompts, read = [f"{look.hair_color} hair, {tags(look, rng)}" for look in looks], []
    for start in range(0, count, BATCH):
        read += judge.read(pictures(pipeline, prompts[start : start + BATCH], 500 + start, guidance))
    asked = {word: [facts(look)[word] for look in looks] for word in ASKED}
    return {
        word: float(np.mean([one[word] == fact for one, fact in zip(read, asked[word], strict=True)])) for word in ASKED
    }


def sample_judged_look(rng: np.random.Generator) -> Look:
    """A look for the judge to learn from."""
    return sample_fault_look(rng) if rng.random() < FAULT_SHARE else sample_world_look(rng)


def taught_judge(vae: Any, count: int, recipe: Recipe, say: Callable[[str], None]) -> tuple[Judge, dict[str, float]]:
    """A judge trained on `count` drawings that went through the autoencoder, and its accuracy on others."""
    torch.manual_seed(recipe.seed)
    judge = Judge()
    world = draw_world(sample_looks(count, 70, sample_judged_look), workers=2 if count > 1000 else 1)
    train_judge(judge, reconstruct(vae, world.images), world.looks, recipe, say)
    other = draw_world(sample_looks(max(50, count // 10), 71, sample_world_look))
    return judge, accuracy(judge, reconstruct(vae, other.images), other.looks)


def kept_judge(
    path: Path | None, teach: Callable[[], tuple[Judge, dict[str, float]]]
) -> tuple[Judge, dict[str, float]]:
    """The judge of a file, or a newly taught one, which is then kept there."""
    if path is not None and path.exists():
        stored = torch.load(path, weights_only=True)
        judge = Judge()
        judge.load_state_dict(stored["state"])
        return judge.eval(), stored["accuracy"]
    judge, right = teach()
    if path is not None:
        torch.save({"state": judge.state_dict(), "accuracy": right}, path)
    return judge, right


def load(data: Path) -> Any:
    """The pipeline of a data folder in float32, silent."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(data / "checkpoint").to(torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def table(
    pipeline: Any, loras: Path, judge: Judge, seeds: int, say: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """The summary of the base model and of every LoRA of a folder at strength 1."""
    asked = probes()
    rows = {"base": measure(pipeline, judge, asked, seeds, GUIDANCE)}
    for path in sorted(loras.glob("*.safetensors")):
        pipeline.load_lora_weights(path.parent, weight_name=path.name)
        rows[path.stem] = measure(pipeline, judge, asked, seeds, GUIDANCE)
        pipeline.unload_lora_weights()
        say(f"{path.stem} " + " ".join(f"{name} {share:.2f}" for name, share in rows[path.stem].items()))
    return rows


def best_epoch(rows: Mapping[str, Mapping[str, float]]) -> str:
    """The saved epoch of sakichan with the highest overall mark."""
    return max((name for name in rows if name.startswith("sakichan-")), key=lambda name: rows[name]["overall"])


def main(arguments: Sequence[str] | None = None) -> None:
    """Teach the judge, measure every LoRA and write truth.json."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=8, help="pictures of each probe")
    parser.add_argument("--drawings", type=int, default=5000, help="drawings that teach the judge")
    parser.add_argument("--judge", type=Path, help="file that keeps the judge from one call to the next")
    parser.add_argument("--steps-scale", type=float, default=1.0)
    chosen = parser.parse_args(arguments)
    ensure_torchvision()
    started = time.monotonic()
    recipe = JUDGE_RECIPE.scaled(chosen.steps_scale)

    def teach() -> tuple[Judge, dict[str, float]]:
        return taught_judge(open_autoencoder(chosen.data / "checkpoint"), chosen.drawings, recipe, _say)

    judge, right = kept_judge(chosen.judge, teach)
    pipeline = load(chosen.data)
    obeyed = {str(guidance): obedience(pipeline, judge, 16 * chosen.seeds, guidance) for guidance in (3.0, 7.0)}
    _say(f"the base model obeys, by guidance: {obeyed}")
    rows = table(pipeline, chosen.data / "loras", judge, chosen.seeds, _say)
    truth = {
        "format": 1,
        "best": best_epoch(rows),
        "settings": {"steps": STEPS, "guidance": GUIDANCE, "strength": 1.0, "seeds": chosen.seeds},
        "prompts": [probe.prompt for probe in probes()],
        "judge_accuracy": right,
        "base_obedience": obeyed,
        "subjects": rows,
        "seconds": round(time.monotonic() - started),
    }
    (chosen.data / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def _say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)  # noqa: T201 - a training's only output


if __name__ == "__main__":
    main()
