"""`evalharness score` on images that say themselves how they were made: by A1111, by ComfyUI, by us; or nothing."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import small_run
from PIL import Image, PngImagePlugin

from evalharness import registry
from evalharness.cli import main
from evalharness.embedded import PARAMETERS, PROMPT, of_graph, user_comment
from evalharness.errors import SuiteError
from evalharness.plan import Plan, list_files, plan_existing
from evalharness.store import Store
from evalharness.suite import Suite, read_suite
from evalharness.types import BASELINE

RED = Image.new("RGB", (64, 96), (200, 10, 10))
GRAPH: Mapping[str, Mapping[str, object]] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 18446744073709551615,
            "steps": 12,
            "cfg": 4.5,
            "sampler_name": "euler",
            "scheduler": "karras",
            "denoise": 1.0,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "anime\\noob.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 96, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0], "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["10", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
    "10": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "chars/nova.safetensors",
            "strength_model": 0.7,
            "strength_clip": 1.0,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
    },
    "12": {"class_type": "PrimitiveString", "inputs": {"value": "a happy girl"}},
}


def suite(**changes: object) -> Suite:
    prompts = [{"id": "happy", "text": "a happy girl"}, {"id": "sad", "text": "a sad girl, crying"}]
    return read_suite({"name": "small", "prompts": prompts, "seeds": [1], "scorers": ["faces"], **changes})


def picture(path: Path, **texts: str) -> None:
    """A PNG with these text chunks."""
    chunks = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        chunks.add_itxt(key, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    RED.save(path, pnginfo=chunks)


def line(prompt: str, lora: float = 0.0, negative: str = "", **fields: object) -> str:
    """What A1111 writes; `fields` take the place of its own."""
    tag = f" <lora:nova:{lora:g}>" if lora else ""
    shown = {"Steps": 20, "Sampler": "Euler a", "CFG scale": 7, "Seed": 5, "Size": "64x96", "Model": "noob", **fields}
    return f"{prompt}{tag}\nNegative prompt: {negative}\n" + ", ".join(
        f"{key}: {value}" for key, value in shown.items()
    )


def existing(folder: Path, given: Suite | None = None, *patterns: str) -> Plan:
    return plan_existing(given or suite(), list_files(folder, patterns))[0]


def test_folder_of_a1111s_x_y_images_is_a_grid_without_any_pattern(tmp_path: Path) -> None:
    number = 0
    for prompt in ("A happy  girl,", "a sad girl,crying"):
        for lora in (1.0, 0.5, 0.0):
            for cfg in (4, 7.5):
                number += 1
                text = line(prompt, lora, "blurry", **{"CFG scale": cfg})
                picture(tmp_path / "2025-01-01" / f"{number:05}-5.png", parameters=text)
    plan = existing(tmp_path)
    assert [subject.name for subject in plan.subjects] == [BASELINE, "nova"]
    draws = {(cell.prompt.id, cell.setting.guidance_scale) for cell in plan.cells}
    assert draws == {("happy", 4.0), ("happy", 7.5), ("sad", 4.0), ("sad", 7.5)}
    assert {(cell.subject, cell.strength) for cell in plan.cells} == {(BASELINE, 0.0), ("nova", 0.5), ("nova", 1.0)}
    assert len({cell.pair_key for cell in plan.cells}) == 4 and len({cell.key for cell in plan.cells}) == 12
    assert plan.cells[0].subject == "nova"
    one = plan.cells[-1]
    assert (one.seed, one.prompt.negative, one.setting.sampler, one.setting.steps) == (5, "blurry", "Euler a", 20)
    assert (one.setting.width, one.setting.height) == (64, 96)


def test_comfyuis_graph_says_prompt_lora_seed_and_setting(tmp_path: Path) -> None:
    picture(tmp_path / "ComfyUI_00001_.png", prompt=json.dumps(GRAPH), workflow="{}")
    (cell,) = existing(tmp_path).cells
    assert (cell.prompt.id, cell.prompt.negative) == ("happy", "blurry")
    assert (cell.subject, cell.strength, cell.seed) == ("nova", 0.7, 18446744073709551615)
    assert (cell.setting.sampler, cell.setting.steps, cell.setting.guidance_scale) == ("euler karras", 12, 4.5)
    assert of_graph(GRAPH).fields["Model"] == "noob"


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
def test_jpeg_and_webp_say_it_in_their_exif_data(tmp_path: Path, suffix: str, order: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + line("a happy girl", 0.5, "悪い").encode(order)
    RED.save(tmp_path / f"x.{suffix}", exif=exif)
    (cell,) = existing(tmp_path).cells
    assert (cell.prompt.id, cell.prompt.negative, cell.strength) == ("happy", "悪い", 0.5)


def test_comment_of_any_coding_is_read() -> None:
    assert user_comment(b"ASCII\0\0\0a girl") == "a girl"
    assert user_comment(bytes(8) + b"a girl") == "a girl"
    assert user_comment(b"a girl without a coding") == "a girl without a coding"
    assert user_comment(b"UNICODE\0\x00a\x00") == "a\ufffd"
    assert user_comment(b"") == ""


def test_images_of_our_own_run_are_the_same_cells_again(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png", parameters=line("a happy girl", 0.8, Steps=9, Seed=3))
    cell = existing(tmp_path / "in").cells[0]
    with Store(tmp_path / "run") as store:
        store.save_images([(dataclasses.replace(cell, source=None), RED)], {"maker": "fake"})
    (again,) = existing(tmp_path / "run" / "images").cells
    assert (again.subject, again.strength, again.prompt, again.seed) == ("nova", 0.8, cell.prompt, 3)
    assert again.setting == cell.setting and again.pair_key == cell.pair_key


def test_image_that_was_only_scored_is_what_its_maker_said(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png", parameters=line("a happy girl", 0.8, Steps=9))
    cell = existing(tmp_path / "in").cells[0]
    with Image.open(str(cell.source)) as image, Store(tmp_path / "run") as store:
        store.save_images([(dataclasses.replace(cell, subject="renamed"), image)], {"maker": "folder"})
    (again,) = existing(tmp_path / "run" / "images").cells
    assert (again.subject, again.setting.steps) == ("nova", 9)


def test_pattern_speaks_first_and_metadata_for_what_it_does_not_fit(tmp_path: Path) -> None:
    picture(tmp_path / "nova_sad.png", parameters=line("a happy girl", 0.8))
    picture(tmp_path / "00001-5.png", parameters=line("a happy girl", 0.8))
    cells = {Path(str(cell.source)).name: cell for cell in existing(tmp_path, None, "{subject}_{prompt}").cells}
    assert (cells["nova_sad.png"].prompt.id, cells["nova_sad.png"].strength) == ("sad", 1.0)
    assert (cells["00001-5.png"].prompt.id, cells["00001-5.png"].strength) == ("happy", 0.8)


def test_infotext_speaks_before_comfyuis_graph(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", prompt=json.dumps(GRAPH), parameters=line("a sad girl, crying"))
    assert existing(tmp_path).cells[0].prompt.id == "sad"


def test_checkpoints_that_differ_are_the_subjects(tmp_path: Path) -> None:
    for model in ("noob", "anima"):
        picture(tmp_path / f"{model}.png", parameters=line("a happy girl", Model=model))
        picture(tmp_path / f"{model}-lora.png", parameters=line("a happy girl", 0.5, Model=model))
    made = {(cell.subject, cell.strength) for cell in existing(tmp_path).cells}
    assert made == {("anima", 1.0), ("anima + nova", 0.5), ("noob", 1.0), ("noob + nova", 0.5)}


def test_several_loras_are_one_subject_of_their_common_strength(tmp_path: Path) -> None:
    picture(tmp_path / "a.png", parameters=line("a happy girl <lora:style:0.5>", 0.5))
    picture(tmp_path / "b.png", parameters=line("a happy girl <lora:style:0.2>", 0.5))
    assert [(cell.subject, cell.strength) for cell in existing(tmp_path).cells] == [
        ("style + nova", 0.5),
        ("style:0.2 + nova:0.5", 1.0),
    ]


def test_negative_tells_apart_prompts_of_one_text(tmp_path: Path) -> None:
    prompts = [{"id": name, "text": "a girl", "negative": name} for name in ("rope", "hat")]
    picture(tmp_path / "a.png", parameters=line("a girl", negative="hat"))
    assert existing(tmp_path, suite(prompts=prompts)).cells[0].prompt.id == "hat"
    picture(tmp_path / "a.png", parameters=line("a girl", negative="shoes"))
    with pytest.raises(SuiteError, match=r"'a.png' was made from 'a girl', which 2 prompts .*'rope', 'hat'"):
        existing(tmp_path, suite(prompts=prompts))


BAD_TEXTS = {
    "no prompt of the suite": (PARAMETERS, line("a happy gril"), "the nearest, 'happy', says 'a happy girl'"),
    "a seed too large": (PARAMETERS, line("a happy girl", Seed="9" * 5000), "'x.png' says Seed '9999"),
    "a seed of 20 digits": (PARAMETERS, line("a happy girl", Seed="9" * 20), "at most 18446744073709551615"),
    "a graph of two megabytes": (PROMPT, json.dumps({"1": "a" * 2_000_000}), "2,000,009 characters"),
    "a scale that is none": (PARAMETERS, line("a happy girl", **{"CFG scale": "nan"}), "says CFG scale 'nan'"),
    "ten megabytes": (PARAMETERS, "a" * 10_000_000, "'x.png' cannot be read .*10,000,000 characters"),
    "broken JSON": (PROMPT, '{"3": {', "'x.png' cannot be read .*no JSON"),
    "endless brackets": (PROMPT, "[" * 900_000, "no JSON"),
    "another JSON": (PROMPT, "[1, 2]", "no workflow in API format"),
    "the editor's format": (PROMPT, '{"nodes": [], "links": []}', r"export it with 'Export \(API\)'"),
    "a node without inputs": (PROMPT, '{"3": {"class_type": "KSampler"}}', "node 3 has no class_type and inputs"),
    "no sampler": (PROMPT, '{"3": {"class_type": "Note", "inputs": {}}}', "has no sampler"),
    "a LoRA called base": (PARAMETERS, line("a happy girl <lora:base:1>"), "names a LoRA 'base'"),
}


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_metadata_that_cannot_be_used_is_said_with_the_files_name(tmp_path: Path, case: str) -> None:
    key, text, message = BAD_TEXTS[case]
    picture(tmp_path / "x.png", **{key: text})
    with pytest.raises(SuiteError, match=message) as caught:
        existing(tmp_path)
    assert "x.png" in str(caught.value) and len(str(caught.value)) < 500


def test_graph_that_runs_in_circles_is_left(tmp_path: Path) -> None:
    graph = json.loads(json.dumps(GRAPH))
    graph["12"]["inputs"]["value"] = ["13", 0]
    graph["13"] = {"class_type": "PrimitiveString", "inputs": {"value": ["12", 0]}}
    graph["10"]["inputs"]["model"] = ["10", 0]
    picture(tmp_path / "x.png", prompt=json.dumps(graph))
    with pytest.raises(SuiteError, match=r"'x.png' .*no single text to sampler 3"):
        existing(tmp_path)


def test_large_graph_of_samplers_is_read_in_a_moment() -> None:
    graph = {
        str(key): {"class_type": "KSampler", "inputs": GRAPH["3"]["inputs"] | {"latent_image": [str(key + 1), 0]}}  # type: ignore[operator]
        for key in range(4_000)
    }
    with pytest.raises(ValueError, match="no single text"):
        of_graph(graph)


def test_file_without_metadata_is_named_or_left_out(tmp_path: Path) -> None:
    picture(tmp_path / "b.png", parameters=line("a happy girl"))
    for name in ("a", "c"):
        picture(tmp_path / f"{name}.png")
    with pytest.raises(SuiteError, match=r"'a.png' says nothing of how it was made; so it is with 1 more; say what"):
        list_files(tmp_path)
    assert [file.path.name for file in list_files(tmp_path, skip_unmatched=True)] == ["b.png"]
    (tmp_path / "b.png").unlink()
    with pytest.raises(SuiteError, match="says nothing"):
        list_files(tmp_path, skip_unmatched=True)


def test_file_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no image")
    with pytest.raises(SuiteError, match=r"'x.png' cannot be read \(cannot identify image file"):
        list_files(tmp_path)


def test_images_of_a_whole_run_are_judged_again_by_what_they_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    perception = {**registry.PERCEPTION, "brightness": "small_run:Brightness"}
    monkeypatch.setitem(registry.TABLES, "perception", perception)  # type: ignore[index]
    small_run.write_inputs(tmp_path / "inputs")
    made = small_run.arguments(tmp_path / "inputs", tmp_path / "made")
    made_code = main(made)
    for path in (tmp_path / "made" / "images").rglob("*.png"):
        # as another tool leaves them that keeps A1111's text alone
        with Image.open(path) as image:
            text = PngImagePlugin.PngInfo()
            text.add_text(PARAMETERS, str(image.info[PARAMETERS]))
            image.save(path, pnginfo=text)
    chosen = ["--config-dir", str(tmp_path / "inputs"), "suite=small", "perception=brightness"]
    code = main(["score", str(tmp_path / "made" / "images"), *chosen, f"folder='{tmp_path / 'scored'}'"])
    before, after = (json.loads((tmp_path / run / "verdict.json").read_text()) for run in ("made", "scored"))
    assert code == made_code
    assert means(after) == means(before) and len(means(after)) == 5


def means(verdict: Mapping[str, list[dict[str, dict[str, float]]]]) -> dict[tuple[object, object], float]:
    """The mean of the only metric by subject and strength."""
    return {(one["subject"], one["strength"]): one["estimate"]["mean"] for one in verdict["summaries"]}  # type: ignore[misc]
