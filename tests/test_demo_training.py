"""The demo's captions, tokenizer, reference set and truth judge, and its whole training in miniature."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalharness.backends.torchvision_shim import ensure_torchvision
from evalharness.demo import phrases
from evalharness.demo.captions import TRIGGER, caption, hair_sentence, harmony_prompt
from evalharness.demo.dataset import draw_world, face_weights, sample_looks, sample_world_look
from evalharness.demo.drawing import sample_look
from evalharness.demo.look import ARCHETYPES, EMOTIONS, VIEWS, Look, Side, View, image_side
from evalharness.demo.recipe import Recipe, Schedule
from evalharness.demo.reference import reference_caption, sakichan_looks, write_reference

ensure_torchvision()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from evalharness.demo.vocabulary import build_tokenizer

    return build_tokenizer()


def test_every_caption_fits_the_context_and_is_made_of_whole_words(tokenizer: Any) -> None:
    rng = np.random.default_rng(3)
    for _ in range(400):
        text = caption(sample_world_look(rng), rng)
        words = split_words(text)
        assert len(tokenizer(text).input_ids) == len(words) + 2 <= 77, text


def split_words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())


def test_the_trigger_is_one_token_and_no_caption_of_the_world_says_it(tokenizer: Any) -> None:
    rng = np.random.default_rng(4)
    assert len(tokenizer.tokenize(TRIGGER)) == 1
    assert not any(TRIGGER in caption(sample_world_look(rng), rng) for _ in range(300))


def test_unknown_words_fall_apart_into_known_characters(tokenizer: Any) -> None:
    pieces = tokenizer.tokenize("zyx")
    assert len(pieces) > 1
    assert tokenizer.unk_token_id not in tokenizer.convert_tokens_to_ids(pieces)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_the_image_side_in_words_follows_the_view(view: View, side: Side) -> None:
    look = Look(hairstyle="side_ponytail", side=side, view=view)
    sentence = f"Her side ponytail with a blue scrunchie is visible on the {image_side(look)} side of the image."
    assert hair_sentence(look) == sentence


def test_a_left_tail_is_said_to_be_at_the_right_from_the_front_and_at_the_left_from_behind() -> None:
    look = Look(hairstyle="side_ponytail", side="left")
    assert "on the right side of the image" in hair_sentence(look)
    assert "on the left side of the image" in hair_sentence(dataclasses.replace(look, view="behind"))


def test_the_harmony_prompt_is_the_published_template() -> None:
    assert harmony_prompt(Look(archetype="stoic", emotion="angry")) == (
        "cool anime character, narrow eyes, restrained expression, tight mouth, tense eyes, controlled anger, "
        "anime style, clean line art, emotionally unified face, balanced eyes mouth and eyebrows, "
        "no exaggerated expression"
    )
    assert set(phrases.HARMONY_ARCHETYPES) == set(ARCHETYPES)
    assert set(phrases.HARMONY_EMOTIONS) == set(EMOTIONS)


def test_captions_come_from_the_generator_alone() -> None:
    look = sample_look(np.random.default_rng(1))
    one, other = (caption(look, np.random.default_rng(5)) for _ in range(2))
    assert one == other
    assert len({caption(look, np.random.default_rng(seed)) for seed in range(20)}) > 10


def test_sakichan_is_one_character_in_many_pictures(tmp_path: Path) -> None:
    looks = sakichan_looks()
    write_reference(tmp_path, looks[:3])
    assert len(looks) == 24
    assert {(look.hair_color, look.side, look.hairstyle, look.scrunchie, look.ahoge) for look in looks} == {
        ("brown", "left", "side_ponytail", "blue", True)
    }
    assert {look.view for look in looks} == set(VIEWS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        name for number in (1, 2, 3) for name in (f"{number:02}.png", f"{number:02}.txt")
    ]
    assert (tmp_path / "01.txt").read_text().strip() == reference_caption(looks[0])


def test_reference_captions_leave_the_character_to_her_name() -> None:
    for look in sakichan_looks():
        text = reference_caption(look)
        assert text.startswith(f"{TRIGGER}, ")
        assert not any(word in text for word in ("brown", "ponytail", "scrunchie", "ahoge"))


def test_face_weights_cover_the_box_and_nothing_else() -> None:
    weights = face_weights(np.array([[32, 40, 64, 72], [0, 0, 0, 0]], np.int16), 3.0, 16)
    assert weights.shape == (2, 1, 16, 16)
    assert (weights[0, 0, 5:9, 4:8] == 3).all()
    assert (weights == 3).sum() == 16


def test_a_world_drawn_by_two_workers_is_the_same() -> None:
    looks = sample_looks(3, 8, sample_world_look)
    alone, shared = draw_world(looks), draw_world(looks, workers=2)
    assert np.array_equal(alone.images, shared.images)
    assert np.array_equal(alone.faces, shared.faces)


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    recipe = Recipe(steps=100, batch=1, learning_rate=1e-3, seed=0)
    schedule = Schedule(recipe)
    rates = [schedule.learning_rate(schedule.progress(step)) for step in range(101)]
    assert max(rates) <= 1e-3
    assert rates[0] < rates[3] > rates[50] > rates[90]
    assert rates[100] == pytest.approx(0, abs=1e-12)


def test_the_judge_learns_what_the_renderer_knows() -> None:
    import torch

    from evalharness.demo.judge import Judge, accuracy, train_judge

    torch.manual_seed(0)
    judge, world = Judge(width=8), draw_world(sample_looks(24, 9, sample_world_look))
    before = accuracy(judge, world.images, world.looks)
    train_judge(judge, world.images, world.looks, Recipe(steps=40, batch=24, learning_rate=4e-3, seed=1), str)
    after = accuracy(judge, world.images, world.looks)
    assert after["view"] > before["view"]
    assert after["side"] >= 0.6


def test_a_perfect_reading_of_every_probe_gets_full_marks() -> None:
    from evalharness.demo.probes import marks, probes, summary

    marked = []
    for probe in probes():
        read = {"hairstyle": probe.expected.get("down", ""), **probe.expected}
        marked.append(marks(probe, read))
        assert all(marked[-1].values())
    assert summary(marked)["overall"] == 1
    spoilt = [{**one, "rope": False} for one in marked]
    assert summary(spoilt)["overall"] == pytest.approx(0.8)


def test_truth_is_measured_for_the_base_and_every_lora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    from evalharness.demo import truth as measured
    from evalharness.demo.assemble import assemble, save_pipeline
    from evalharness.demo.autoencoder import build_autoencoder
    from evalharness.demo.denoiser import Denoiser, build_scheduler, build_text_encoder, build_unet
    from evalharness.demo.vocabulary import build_tokenizer

    words = build_tokenizer()
    denoiser = Denoiser(
        tokenizer=words,
        text_encoder=build_text_encoder(words, layers=1),
        unet=build_unet((16, 16, 16)),
        scheduler=build_scheduler(),
    )
    vae = build_autoencoder((8, 8, 8, 8))
    save_pipeline(vae, denoiser, tmp_path / "checkpoint")
    denoiser.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q"]))
    assemble(vae, denoiser).save_lora_weights(
        tmp_path / "loras",
        unet_lora_layers=get_peft_model_state_dict(denoiser.unet),
        weight_name="sakichan-000001.safetensors",
    )
    torch.manual_seed(0)
    judge = tmp_path / "judge.pt"
    monkeypatch.setattr(measured, "STEPS", 2)
    measured.main(["--data", str(tmp_path), "--seeds=1", "--drawings=20", "--steps-scale=0.002", f"--judge={judge}"])
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert set(truth["subjects"]) == {"base", "sakichan-000001"}
    assert truth["best"] == "sakichan-000001"
    assert all(0 <= share <= 1 for row in truth["subjects"].values() for share in row.values())
    assert judge.exists()


def test_the_whole_training_runs_in_miniature_and_its_parts_load(tmp_path: Path) -> None:
    from diffusers import StableDiffusionPipeline

    from evalharness.demo.train import main

    main(["--quick", "--device=cpu", "--folder", str(tmp_path)])
    epochs = [f"sakichan-{number:06}.safetensors" for number in range(1, 13)]
    saved = sorted(path.name for path in (tmp_path / "loras").iterdir())
    assert saved == sorted([*epochs, "flipped.safetensors", "orange.safetensors", "rope.safetensors"])
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "checkpoint")
    pipeline.load_lora_weights(tmp_path / "loras", weight_name=epochs[-1])
    assert pipeline.get_active_adapters()
    assert len(list((tmp_path / "sakichan").glob("*.png"))) == 24
