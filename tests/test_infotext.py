"""Infotext: what is written reads back the same, other tools' lines are read as they mean them, and none does harm."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evalharness import infotext
from evalharness.infotext import Infotext, of_cell, read, write
from evalharness.types import Cell, Prompt, Setting

A1111 = """masterpiece, 1girl, (smile:1.2) <lora:nova-000004:0.8>, looking at viewer
BREAK window
Negative prompt: worst quality, blurry
jpeg artifacts
Steps: 24, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 3051432109, Size: 832x1216, \
Model hash: c3688ee04c, Model: waiNSFW_v11, Lora hashes: "nova-000004: 1b2c3d4e5f60", Version: v1.10.1"""

TEXTS = st.text() | st.lists(
    st.sampled_from(
        ["a girl", "\n", '"', ",", ":", "Negative prompt:", " ", "Steps: 1, a: b, c: d", "<lora:x:1>", "\\", "髪", "é"]
    )
).map("".join)
NAMES = st.sampled_from(["Steps", "Sampler", "CFG scale", "Seed", "Size", "Model hash", "Lora hashes"])
INFOS = st.builds(
    Infotext,
    prompt=TEXTS,
    negative=TEXTS,
    loras=st.lists(st.tuples(TEXTS, st.floats(allow_nan=False, allow_infinity=False))).map(tuple),
    fields=st.dictionaries(NAMES, TEXTS),
)


@given(INFOS)
@example(Infotext(prompt="a girl\nNegative prompt: is said here", fields={"Steps": "1", "Seed": "2", "Size": "8x8"}))
@example(Infotext(prompt="one, two: three", loras=(("a:b>", 0.1), ("plain", 1 / 3))))
def test_what_is_written_reads_back_the_same(info: Infotext) -> None:
    assert read(write(info)) == info


def test_ordinary_texts_are_written_as_other_tools_do() -> None:
    cell = Cell(
        key="k",
        pair_key="p",
        subject="nova-000004",
        strength=0.8,
        prompt=Prompt(id="happy", text="1girl, smile\nwindow", negative="blurry, text"),
        setting=Setting(sampler="euler", steps=20, guidance_scale=5.5, width=512, height=768),
        seed=7,
    )
    prompt, more, negative, fields = write(of_cell(cell)).split("\n")
    assert (prompt, more) == ("1girl, smile", "window <lora:nova-000004:0.8>")
    assert negative == "Negative prompt: blurry, text"
    assert fields.startswith("Steps: 20, Sampler: euler, CFG scale: 5.5, Seed: 7, Size: 512x768, Version: evalharness ")
    assert infotext.EXACT not in fields


def test_baseline_names_no_lora_and_a_known_checkpoint_is_named() -> None:
    cell = Cell(
        key="k", pair_key="p", subject="base", strength=0.0, prompt=Prompt(id="a", text="a"), setting=Setting(), seed=1
    )
    assert of_cell(cell, "anima.safetensors").loras == ()
    assert "Model: anima.safetensors" in write(of_cell(cell, "anima.safetensors"))


def test_lines_of_a1111_mean_what_it_means_by_them() -> None:
    info = read(A1111)
    assert info.prompt == "masterpiece, 1girl, (smile:1.2), looking at viewer\nBREAK window"
    assert info.negative == "worst quality, blurry\njpeg artifacts"
    assert info.loras == (("nova-000004", 0.8),)
    assert info.fields["Sampler"] == "DPM++ 2M" and info.fields["Schedule type"] == "Karras"
    assert info.fields["Seed"] == "3051432109" and info.fields["Lora hashes"] == "nova-000004: 1b2c3d4e5f60"


def test_fields_beside_json_without_quotes_are_still_read() -> None:
    line = 'a\nSteps: 8, Hashes: {"vae": "735e", "model": "6ce0"}, CFG scale: 7, Seed: 3, Civitai resources: [{"a":1}]'
    assert {key: read(line).fields.get(key) for key in ("Steps", "CFG scale", "Seed")} == {
        "Steps": "8",
        "CFG scale": "7",
        "Seed": "3",
    }


def test_text_without_fields_is_a_prompt() -> None:
    assert read("a girl, smiling: happily") == Infotext(prompt="a girl, smiling: happily")
    assert read("") == Infotext(prompt="")


def test_longer_text_than_any_tool_writes_is_refused() -> None:
    with pytest.raises(ValueError, match="10,000,000 characters"):
        read("a" * 10_000_000)


@pytest.mark.parametrize("piece", ["a", " ", "a:", "a: b, ", '"', '\\"', "<lora:", "<lora:a:1", "a b c/", "\n", ","])
def test_longest_text_of_any_piece_is_read_in_seconds(piece: str) -> None:
    start = time.process_time()
    read(piece * (infotext.LONGEST // len(piece)))
    read('a: "' + piece * (infotext.LONGEST // len(piece) - 10))
    assert time.process_time() - start < 20.0


@pytest.mark.parametrize("exact", ["1", "[1, 2, 3]", '["a", "b", [["c"]]]', "[" * 100_000, '["a", "b"'])
def test_exact_texts_that_are_none_are_not_believed(exact: str) -> None:
    text = f"a girl\nSteps: 1, {infotext.EXACT}: {json.dumps(exact)}"
    assert read(text).prompt == "a girl" and infotext.EXACT not in read(text).fields


def test_characters_that_are_no_text_are_replaced() -> None:
    shown = read('\ud800 girl\nSteps: 1, Seed: 2, Model: "\\ud800:"')
    assert shown.prompt == "? girl" and shown.fields["Model"] == "?:"
