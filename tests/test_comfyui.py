"""The comfyui maker against a small server that speaks the recorded protocol, well and badly."""

import copy
import json
import re
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_run
from fake_comfyui import WORKFLOW, FakeComfy, Graph, serving
from PIL import Image

from evalharness.backends.comfyui import ComfyMaker
from evalharness.cli import main
from evalharness.embedded import PROMPT
from evalharness.errors import BackendError, SubjectError
from evalharness.types import BASELINE, Cell, Failure, LoraFile, Prompt, Setting, Subject

BASE = Subject(name=BASELINE, identity=BASELINE)
QUICK: Mapping[str, object] = {"start_seconds": 0.3, "answer_seconds": 5, "stall_seconds": 20, "retries": 2}


@pytest.fixture
def comfy() -> Iterator[FakeComfy]:
    with serving(FakeComfy(loras={"chars/nova.safetensors": {"ss_epoch": "4"}, "style.safetensors": {}})) as server:
        yield server


@pytest.fixture
def maker(comfy: FakeComfy, tmp_path: Path) -> Callable[..., ComfyMaker]:
    """Makes a maker of this server; `graph` is its workflow, the rest are options."""

    def make(graph: Graph | None = None, model: str = "", **options: object) -> ComfyMaker:
        file = tmp_path / "workflow.json"
        file.write_text(json.dumps(graph or WORKFLOW))
        return ComfyMaker(model=model, options={**QUICK, "url": comfy.url, "workflow": str(file), **options})

    return make


def changed(**inputs: object) -> Graph:
    """The workflow with other inputs: `changed(**{"3.cfg": 2})`; None takes a node away."""
    graph = copy.deepcopy(WORKFLOW)
    for place, value in inputs.items():
        node, _, name = place.partition(".")
        if name:
            graph[node]["inputs"][name] = value
        elif value is None:
            del graph[node]
        else:
            graph[node] = value  # type: ignore[assignment]
    return graph


def cell(text: str = "a girl", **changes: Any) -> Cell:
    strength = changes.pop("strength", 0.0)
    negative, seed = changes.pop("negative", ""), changes.pop("seed", 7)
    setting = replace(Setting(steps=4, guidance_scale=5.0, width=64, height=48), **changes)
    key = str((text, strength, negative, seed, setting))
    prompt = Prompt(id="p", text=text, negative=negative)
    return Cell(key=key, pair_key=key, subject=BASELINE, strength=strength, prompt=prompt, setting=setting, seed=seed)


def nova(*names: str, **metadata: str) -> Subject:
    files = names or ("nova.safetensors",)
    told = metadata or {"ss_epoch": "4"}
    loras = [LoraFile(path=Path("/loras") / name, digest=name * 4, metadata=told) for name in files]
    return Subject(name="nova", identity="n" * 64, loras=tuple(loras))


def one(made: list[Image.Image | Failure]) -> Image.Image:
    (image,) = made
    assert isinstance(image, Image.Image), image
    return image


def pixels(image: Image.Image) -> np.ndarray[Any, Any]:
    return np.asarray(image)


# Images


def test_every_field_of_a_cell_reaches_its_node(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    asked = cell("a happy girl", negative="blurry", seed=99, steps=11, guidance_scale=3.5, width=128, height=72)
    image = one(maker(model="other.safetensors").generate(nova(), [replace(asked, strength=0.8)]))
    assert image.size == (128, 72) and image.mode == "RGB"
    graph = comfy.posted[0]["prompt"]
    sampler = graph["3"]["inputs"]
    assert [graph[key]["inputs"]["text"] for key in ("6", "7")] == ["a happy girl", "blurry"]
    assert {key: sampler[key] for key in ("seed", "steps", "cfg")} == {"seed": 99, "steps": 11, "cfg": 3.5}
    assert graph["4"]["inputs"]["ckpt_name"] == "other.safetensors"
    lora = graph["10"]["inputs"]
    assert (lora["lora_name"], lora["strength_model"], lora["strength_clip"]) == ("chars/nova.safetensors", 0.8, 0.8)
    assert sampler["sampler_name"] == "euler" and sampler["model"] == ["10", 0]


def test_images_are_those_of_their_cells_whatever_their_number(maker: Callable[..., ComfyMaker]) -> None:
    cells = [cell(f"girl {number}") for number in range(5)]
    together = maker().generate(BASE, cells)
    alone = [one(maker().generate(BASE, [single])) for single in cells]
    assert all(
        np.array_equal(pixels(a), pixels(b)) for a, b in zip(map(lambda x: one([x]), together), alone, strict=True)
    )
    assert len({pixels(image).tobytes() for image in alone}) == 5


def test_lora_loader_stands_at_zero_for_the_base_under_a_name_that_is_accepted(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker]
) -> None:
    made = maker()
    base, weak, strong = (
        one(made.generate(subject, [cell(strength=strength)]))
        for subject, strength in ((BASE, 0.0), (nova(), 0.5), (nova(), 1.0))
    )
    idle = comfy.posted[0]["prompt"]["10"]["inputs"]
    assert (idle["lora_name"], idle["strength_model"], idle["strength_clip"]) == ("chars/nova.safetensors", 0, 0)
    assert len({pixels(image).tobytes() for image in (base, weak, strong)}) == 3


def test_same_cell_again_is_rendered_under_a_new_name(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    for _ in range(2):
        one(maker().generate(BASE, [cell()]))
    assert comfy.rendered == 2
    prefixes = [body["prompt"]["9"]["inputs"]["filename_prefix"] for body in comfy.posted]
    assert len(set(prefixes)) == 2 and all(body["client_id"] for body in comfy.posted)


def test_image_keeps_the_graph_that_made_it(maker: Callable[..., ComfyMaker]) -> None:
    image = one(maker().generate(BASE, [cell("a happy girl")]))
    assert json.loads(image.info[PROMPT])["6"]["inputs"]["text"] == "a happy girl"


def test_websocket_tells_when_a_job_ends(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    comfy.step_seconds = 0.4
    one(maker().generate(BASE, [cell()]))
    assert comfy.messages >= 6
    asked = sum(path.startswith("/history") for path in comfy.requests)
    assert asked <= 8


def test_server_without_a_websocket_is_asked_again_and_again(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker]
) -> None:
    comfy.sockets = False
    one(maker().generate(BASE, [cell()]))
    assert comfy.messages == 0


def test_missing_websocket_library_costs_no_image(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "websockets.sync.client", None)
    one(maker().generate(BASE, [cell()]))
    assert comfy.messages == 0


# What the fingerprint holds


def test_fingerprint_holds_what_no_cell_decides(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    told = maker().fingerprint()
    assert {**told, "workflow": ""} == {
        "maker": "comfyui",
        "workflow": "",
        "checkpoint": "anima.safetensors",
        "comfyui": "0.3.64",
        "pytorch": "2.8.0+cpu",
        "device": "cpu",
    }
    ours = {
        "6.text": "x",
        "3.seed": 5,
        "3.cfg": 1.0,
        "5.width": 512,
        "9.filename_prefix": "y",
        "10.strength_model": 0.3,
    }
    assert maker(changed(**ours)).fingerprint() == told
    for place, value in {"3.denoise": 0.5, "3.sampler_name": "dpmpp_2m", "4.ckpt_name": "other.safetensors"}.items():
        assert maker(changed(**{place: value})).fingerprint() != told


def test_native_size_is_the_workflows(maker: Callable[..., ComfyMaker]) -> None:
    assert maker().native_size() == (64, 48)
    with pytest.raises(BackendError, match="set the suite's size"):
        maker(nodes={"width": None, "height": None}).native_size()


# Names


@pytest.mark.parametrize("combo", [False, True])
def test_names_are_checked_before_the_first_image_with_the_nearest(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker], combo: bool
) -> None:
    comfy.combo = combo
    no_scheduler = changed(**{"3.scheduler": "nomal"})
    no_node = changed(**{"8": {"class_type": "VAEX", "inputs": {}}})
    cases: list[tuple[Callable[[], object], str]] = [
        (
            lambda: maker(model="anma.safetensors").fingerprint(),
            r"node 4 .*ckpt_name 'anma.safetensors'. Did you mean 'anima.s",
        ),
        (lambda: maker().prove(nova("nowa.safetensors")), r"LoRA .* 'nowa.safetensors'. Did you mean"),
        (lambda: maker().generate(BASE, [cell(sampler="eulr")]), r"sampler 'eulr'. Did you mean 'euler'\?"),
        (lambda: maker().generate(BASE, [cell(sampler="euler karas")]), r"scheduler 'karas'. Did you mean 'karras'\?"),
        (lambda: maker(no_scheduler).fingerprint(), r"node 3 .*scheduler 'nomal'. Did you mean 'normal'"),
        (lambda: maker(no_node).fingerprint(), r"no node type 'VAEX' \(node 8"),
    ]
    for act, message in cases:
        with pytest.raises((BackendError, SubjectError), match=message):
            act()
    assert comfy.posted == []


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("dpmpp_2m", ("dpmpp_2m", "normal")),
        ("dpmpp_2m_karras", ("dpmpp_2m", "karras")),
        ("euler_a karras", ("euler_ancestral", "karras")),
        ("default", ("euler", "normal")),
    ],
)
def test_sampler_may_name_its_scheduler_and_other_makers_names_fit(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker], asked: str, sent: tuple[str, str]
) -> None:
    maker().generate(BASE, [cell(sampler=asked)])
    inputs = comfy.posted[0]["prompt"]["3"]["inputs"]
    assert (inputs["sampler_name"], inputs["scheduler"]) == sent


def test_lora_of_one_name_in_two_folders_needs_the_folder(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    comfy.loras["old\\nova.safetensors"] = {"ss_epoch": "4"}
    with pytest.raises(SubjectError, match=r"2 LoRAs called 'nova.safetensors'.*lora_folder"):
        maker().prove(nova())
    maker(lora_folder="old").generate(nova(), [cell(strength=1.0)])
    assert comfy.posted[0]["prompt"]["10"]["inputs"]["lora_name"] == "old\\nova.safetensors"


def test_another_file_of_the_same_name_on_the_server_is_refused(maker: Callable[..., ComfyMaker]) -> None:
    with pytest.raises(SubjectError, match=r"another file than .*nova\.safetensors"):
        maker().prove(nova(ss_epoch="5"))


def test_more_files_than_loaders_are_refused_and_several_loaders_take_them_in_order(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker]
) -> None:
    two = nova("nova.safetensors", "style.safetensors")
    comfy.loras["style.safetensors"] = {"ss_epoch": "4"}
    with pytest.raises(SubjectError, match=r"2 LoRA file.* 1 LoRA loader"):
        maker().prove(two)
    second = copy.deepcopy(WORKFLOW["10"])
    graph = changed(**{"11": second, "10.model": ["11", 0], "10.clip": ["11", 1]})
    with pytest.raises(BackendError, match=r"2 LoRA loaders; .*such as \['11'\]"):
        maker(graph).prove(two)
    made = maker(graph, loras=["11", "10"])
    made.generate(two, [cell(strength=0.5)])
    made.generate(nova(), [cell(strength=0.5)])
    both, single = (
        [
            (body["prompt"][key]["inputs"]["lora_name"], body["prompt"][key]["inputs"]["strength_clip"])
            for key in ("11", "10")
        ]
        for body in comfy.posted
    )
    assert both == [("chars/nova.safetensors", 0.5), ("style.safetensors", 0.5)]
    assert single == [("chars/nova.safetensors", 0.5), ("chars/nova.safetensors", 0.0)]


# The mapping


def test_links_are_followed_to_the_value_behind_them(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    text = {"class_type": "PrimitiveString", "inputs": {"value": "behind a link"}}
    zero = {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}
    reroute = {"class_type": "Reroute (rgthree)", "inputs": {"": ["6", 0]}}
    links = {"6.text": ["12", 0], "3.positive": ["14", 0], "3.negative": ["13", 0]}
    graph = changed(**{"12": text, "13": zero, "14": reroute, **links})
    with pytest.raises(BackendError, match="negative prompt, which the workflow has no clear place for"):
        maker(graph).generate(BASE, [cell(negative="blurry")])
    maker(graph).generate(BASE, [cell("found")])
    sent = comfy.posted[0]["prompt"]
    assert sent["12"]["inputs"]["value"] == "found" and sent["6"]["inputs"]["text"] == ["12", 0]


def test_mapped_fields_win_and_may_stand_in_several_places(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    maker(nodes={"prompt": ["6.text", "7.text"], "negative": None, "save": "9"}).generate(BASE, [cell("twice")])
    assert [comfy.posted[0]["prompt"][key]["inputs"]["text"] for key in ("6", "7")] == ["twice", "twice"]


def test_field_that_the_workflow_keeps_may_have_one_value(maker: Callable[..., ComfyMaker]) -> None:
    made = maker(nodes={"cfg": None})
    made.generate(BASE, [cell(guidance_scale=5.0)])
    with pytest.raises(BackendError, match=r"cfg 5.0 and 7.0, and backend.options.nodes.cfg is null"):
        made.generate(BASE, [cell(guidance_scale=7.0)])


COMBINED = {"conditioning_1": ["6", 0], "conditioning_2": ["7", 0]}
SECOND_SAMPLER = {**WORKFLOW["3"], "inputs": {**WORKFLOW["3"]["inputs"], "latent_image": ["3", 0]}}
BAD_WORKFLOWS: dict[str, tuple[Graph, Mapping[str, object], str]] = {
    "two samplers": (
        changed(**{"20": SECOND_SAMPLER}),
        {},
        "has 2 samplers, .*about seed, steps, cfg; name the inputs",
    ),
    "no sampler": (changed(**{"3": None}), {}, "has no sampler that is known.*about prompt, seed"),
    "combined texts": (
        changed(**{"3.positive": ["20", 0], "20": {"class_type": "ConditioningCombine", "inputs": COMBINED}}),
        {},
        "is not clear about prompt; name the inputs",
    ),
    "a field that is none": (WORKFLOW, {"nodes": {"promt": "6.text"}}, "field .*'promt'. Did you mean 'prompt'"),
    "a node that is none": (WORKFLOW, {"nodes": {"prompt": "66.text"}}, r"'66.text': unknown node '66'"),
    "an input that is none": (WORKFLOW, {"nodes": {"prompt": "6.txt"}}, "unknown input 'txt'. Did you mean 'text'"),
    "a prompt that is kept": (WORKFLOW, {"nodes": {"prompt": None}}, "prompt"),
    "nothing saved": (changed(**{"9": None}), {}, r"0 nodes that save images \(none\)"),
    "a loader that is none": (WORKFLOW, {"loras": ["6"]}, "unknown LoRA loader '6'"),
    "the editor's format": ({"nodes": [], "links": []}, {}, r"export it with 'Export \(API\)'"),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("case", BAD_WORKFLOWS)
def test_workflow_that_is_not_clear_is_refused_in_one_sentence(maker: Callable[..., ComfyMaker], case: str) -> None:
    graph, options, message = BAD_WORKFLOWS[case]
    with pytest.raises(BackendError, match=message):
        maker(graph, **options).native_size()


def test_chain_of_samplers_needs_only_what_they_do_not_share(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker]
) -> None:
    nodes = {"seed": ["3.seed", "20.seed"], "steps": "3.steps", "cfg": ["3.cfg", "20.cfg"]}
    maker(changed(**{"20": SECOND_SAMPLER}), nodes=nodes).generate(BASE, [cell(seed=5)])
    assert [comfy.posted[0]["prompt"][key]["inputs"]["seed"] for key in ("3", "20")] == [5, 5]


def test_custom_sampler_of_newer_models_is_understood(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    from evalharness.comfy_graph import places, samplers

    graph: Graph = {
        "1": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux2.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a girl"}},
        "3": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["2", 0]}},
        "4": {"class_type": "BasicGuider", "inputs": {"model": ["1", 0], "conditioning": ["3", 0]}},
        "5": {"class_type": "RandomNoise", "inputs": {"noise_seed": 5}},
        "6": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
        "7": {"class_type": "Flux2Scheduler", "inputs": {"steps": 20, "width": ["9", 0], "height": 64}},
        "8": {"class_type": "EmptyFlux2LatentImage", "inputs": {"width": ["9", 0], "height": 64, "batch_size": 1}},
        "9": {"class_type": "PrimitiveInt", "inputs": {"value": 128}},
        "10": {
            "class_type": "SamplerCustomAdvanced",
            "inputs": {
                "noise": ["5", 0],
                "guider": ["4", 0],
                "sampler": ["6", 0],
                "sigmas": ["7", 0],
                "latent_image": ["8", 0],
            },
        },
    }
    (key,) = samplers(graph)
    found = {name: str(place) for name, (place,) in places(graph, key).items()}
    assert found == {
        "prompt": "2.text",
        "seed": "5.noise_seed",
        "steps": "7.steps",
        "cfg": "3.guidance",
        "sampler": "6.sampler_name",
        "width": "9.value",
        "height": "8.height",
        "checkpoint": "1.unet_name",
    }


# Trouble


def test_refused_graph_is_told_with_node_and_input(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    made = maker()
    made.fingerprint()
    comfy.samplers = ["ddim"]
    with pytest.raises(
        BackendError, match=r"node 3 \(KSampler\), input sampler_name: Value not in list \(sampler_name: 'e"
    ):
        made.generate(BASE, [cell()])


def test_failed_job_is_a_failure_with_its_node_and_the_others_are_made(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker]
) -> None:
    comfy.fail_on = "sad"
    happy, sad, angry = maker().generate(BASE, [cell("happy"), cell("sad"), cell("angry")])
    assert isinstance(happy, Image.Image) and isinstance(angry, Image.Image)
    assert isinstance(sad, Failure)
    assert re.search(r"node 3 \(KSampler\): OutOfMemoryError: Allocation on device .*inputs seed, steps", sad.reason)


def test_outputs_taken_for_cached_are_asked_for_again(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    comfy.empty = 2
    one(maker().generate(BASE, [cell()]))
    assert len(comfy.posted) == 3
    comfy.empty = 99
    (made,) = maker().generate(BASE, [cell()])
    assert isinstance(made, Failure) and "answered 3 times without an image of node 9" in made.reason


def test_dropped_connections_are_opened_again(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    made = maker()
    made.fingerprint()
    comfy.drop = 2
    one(made.generate(BASE, [cell()]))
    comfy.drop = 99
    with pytest.raises(BackendError, match=r"no longer answers .*asked 3 times\); start it again"):
        made.generate(BASE, [cell()])


def test_prompt_whose_answer_was_lost_is_not_rendered_twice(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    comfy.drop_accepted = 1
    one(maker().generate(BASE, [cell()]))
    assert comfy.rendered == 1 and len(comfy.posted) == 1


def test_websocket_that_drops_costs_no_image(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    comfy.drop_sockets, comfy.step_seconds = 1, 0.05
    made = maker().generate(BASE, [cell("a"), cell("b")])
    assert all(isinstance(image, Image.Image) for image in made) and comfy.rendered == 2


def test_jobs_that_the_server_forgot_are_queued_again(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    comfy.forget = 1
    images = maker().generate(BASE, [cell("a"), cell("b")])
    assert all(isinstance(image, Image.Image) for image in images) and len(comfy.posted) == 3
    comfy.forget = 99
    with pytest.raises(BackendError, match="forgot a job 3 times"):
        maker().generate(BASE, [cell("c")])


@pytest.mark.parametrize("sockets", [True, False])
def test_server_that_hangs_is_left_and_its_queue_cleared(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker], sockets: bool
) -> None:
    comfy.hang, comfy.sockets = True, sockets
    with pytest.raises(BackendError, match=r"no progress for 0.3 s; look at its log"):
        maker(stall_seconds=0.3).generate(BASE, [cell("a"), cell("b")])
    assert len(comfy.deleted) == 2 and comfy.deleted == [body["prompt_id"] for body in comfy.posted]


def test_job_that_takes_longer_than_the_stall_but_progresses_is_waited_for(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker]
) -> None:
    comfy.step_seconds = 2.0
    one(maker(stall_seconds=3.5).generate(BASE, [cell()]))


def test_server_that_starts_slowly_is_waited_for(comfy: FakeComfy, maker: Callable[..., ComfyMaker]) -> None:
    comfy.busy = 3
    assert maker(start_seconds=10).fingerprint()["comfyui"] == "0.3.64"


def test_server_that_is_not_there_yet_is_waited_for_and_not_forever(maker: Callable[..., ComfyMaker]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    late = maker(url=f"http://127.0.0.1:{port}")
    start = time.monotonic()
    with pytest.raises(BackendError, match=rf"no ComfyUI answers at http://127.0.0.1:{port} \(.*refused.*waited 0.3 s"):
        late.fingerprint()
    assert time.monotonic() - start < 60
    patient = maker(url=f"http://127.0.0.1:{port}", start_seconds=120)
    told: list[Mapping[str, object]] = []
    waiting = threading.Thread(target=lambda: told.append(patient.fingerprint()))
    waiting.start()
    time.sleep(0.3)
    with serving(FakeComfy(), port):
        waiting.join()
    assert told[0]["maker"] == "comfyui"


def test_workflow_that_makes_several_images_is_refused(
    comfy: FakeComfy, maker: Callable[..., ComfyMaker], monkeypatch: pytest.MonkeyPatch
) -> None:
    once = FakeComfy.render
    monkeypatch.setattr(FakeComfy, "render", lambda self, graph, images: once(self, graph, images) * 2)
    with pytest.raises(BackendError, match="makes 2 images for a prompt; set the batch_size"):
        maker().generate(BASE, [cell()])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "127.0.0.1:8188"}, "it is the server's address, such as http://127.0.0.1:8188"),
        ({"workflow": ""}, "names no file"),
        ({"workflow": "/nowhere.json"}, "'/nowhere.json' cannot be read: No such file"),
        ({"nodes": "6.text"}, "maps fields to inputs"),
        ({"retrys": 3}, "unknown backend option 'retrys'. Did you mean 'retries'"),
    ],
)
def test_option_that_cannot_be_used_is_named(
    maker: Callable[..., ComfyMaker], options: Mapping[str, object], message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        maker(**options).native_size()


# A whole run


def command(tmp_path: Path, inputs: Path, comfy: FakeComfy, *more: str) -> list[str]:
    workflow = tmp_path / "workflow.json"
    workflow.write_text(json.dumps(WORKFLOW))
    chosen = [text for text in small_run.arguments(inputs, tmp_path / "run", *more) if text != "backend=fake"]
    options = [f"backend.options.url={comfy.url}", f"backend.options.workflow='{workflow}'"]
    return [*chosen, "backend=comfyui", *options]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    small_run.write_inputs(tmp_path / "inputs")
    return tmp_path / "inputs"


@pytest.fixture
def trained(comfy: FakeComfy) -> FakeComfy:
    """The server with the two LoRA files of the small run."""
    comfy.loras |= {f"girl-{epoch:06}.safetensors": {"ss_epoch": str(epoch)} for epoch in (1, 2)}
    return comfy


@pytest.fixture(autouse=True)
def _brightness(monkeypatch: pytest.MonkeyPatch) -> None:
    from evalharness import registry

    perception = {**registry.PERCEPTION, "brightness": "small_run:Brightness"}
    monkeypatch.setitem(registry.TABLES, "perception", perception)  # type: ignore[index]


def test_whole_run_is_made_by_the_server_and_goes_on_where_it_stopped(
    trained: FakeComfy, inputs: Path, tmp_path: Path
) -> None:
    assert main(command(tmp_path, inputs, trained)) in (0, 3, 4)
    # 3 prompts x 3 seeds, of the base once and of two subjects at two strengths
    assert trained.rendered == 45
    with sqlite3.connect(tmp_path / "run" / "run.sqlite") as database:
        rows = database.execute("select path, failure from images").fetchall()
    assert len(rows) == 45 and all(path and failure is None for path, failure in rows)
    with Image.open(tmp_path / "run" / rows[0][0]) as image:
        assert {"parameters", "prompt", "evalharness"} <= image.info.keys()
    assert json.loads((tmp_path / "run" / "run.json").read_text())["maker"]["comfyui"] == "0.3.64"
    (tmp_path / "run" / rows[0][0]).unlink()
    assert main(command(tmp_path, inputs, trained)) in (0, 3, 4)
    assert trained.rendered == 46


def test_lora_that_the_server_drops_silently_is_refused_by_its_images(
    trained: FakeComfy, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained.ignores_lora = True
    assert main(command(tmp_path, inputs, trained)) == 2
    assert "changes no pixel of the base's images" in capsys.readouterr().err


def test_server_that_goes_away_in_a_run_ends_it_with_one_sentence(
    trained: FakeComfy, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = trained.execute

    def leave(token: str, graph: Graph, client: str) -> None:
        once(token, graph, client)
        if trained.rendered == 20:
            trained.drop = 10_000

    trained.execute = leave  # type: ignore[method-assign]
    assert main(command(tmp_path, inputs, trained, "backend.options.retries=1")) == 2
    assert "no longer answers" in capsys.readouterr().err
    trained.drop = 0
    assert main(command(tmp_path, inputs, trained)) in (0, 3, 4)
    assert 45 <= trained.rendered <= 47
