"""LoRA files of every family in every layout and algebra do to the model what their formulas say, or are refused."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate import cpu_offload
from lora_files import NAMES, Named, layer_of, subject, written
from tiny_families import FAMILIES, SIZES, make_pipeline

from evalharness.backends import lora
from evalharness.backends.lora.branch import branches
from evalharness.backends.lora.names import listed
from evalharness.backends.lora.originals import unet_original
from evalharness.backends.lora.recognise import recognise
from evalharness.errors import SubjectError
from evalharness.types import Subject

PARTS = {
    "sd": ("unet", "text_encoder"),
    "sdxl": ("unet", "text_encoder", "text_encoder_2"),
    "anima": ("transformer", "text_conditioner", "text_encoder"),
    "wan": ("transformer", "transformer_2"),
}
ALGEBRAS = ("lora", "dora rows", "dora columns", "loha", "lokr whole", "lokr factored", "diff")
ELSEWHERE = ("lora", "dora rows", "lokr whole")
"""Algebras in the layouts other than kohya's; in the first diffusers LoRAs there was one."""
CASES = [
    pytest.param(family, form, kind, id=f"{family}-{form}-{kind}")
    for family, form in NAMES
    for kind in (ALGEBRAS if form == "kohya" else ("lora",) if form == "first diffusers" else ELSEWHERE)
]
Outputs = dict[str, torch.Tensor]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and lose seconds where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclasses.dataclass(frozen=True)
class Row:
    """What loading a LoRA asks of a family."""

    name: str
    pipeline: str
    backbone: str
    lora_components: tuple[str, ...]


class World:
    """A tiny pipeline of one family, and what its parts were given when it drew an image."""

    def __init__(self, name: str) -> None:
        self.pipe: Any = make_pipeline(name)
        parts = PARTS.get(name, ("transformer",))
        self.family: Any = Row(name, type(self.pipe).__name__, parts[0], parts)
        self.given = _inputs(self.pipe, name, parts)

    def outputs(self) -> Outputs:
        """What each part answers to what it was given."""
        with torch.no_grad():
            return {part: _first(getattr(self.pipe, part)(*args, **kw)) for part, (args, kw) in self.given.items()}

    def with_lora(self, subject: Subject, strength: float = 1.0) -> Outputs:
        lora.load(self.pipe, self.family, subject)
        lora.set_strength(self.pipe, subject, strength)
        try:
            return self.outputs()
        finally:
            lora.unload(self.pipe)


def _inputs(pipe: Any, name: str, parts: tuple[str, ...]) -> dict[str, Any]:
    given: dict[str, Any] = {}

    def remember(part: str) -> Any:
        return lambda _, args, kwargs: given.setdefault(part, (args, dict(kwargs))) and None

    hooks = [getattr(pipe, part).register_forward_pre_hook(remember(part), with_kwargs=True) for part in parts]
    more = {"num_frames": 1} if name == "wan" else {}
    if hasattr(pipe, "set_progress_bar_config"):
        pipe.set_progress_bar_config(disable=True)
    pipe(prompt="a girl", num_inference_steps=2, height=SIZES[name], width=SIZES[name], **more)
    for hook in hooks:
        hook.remove()
    return {part: given.get(part, given[parts[0]]) for part in parts}


def _first(answer: Any) -> torch.Tensor:
    while not isinstance(answer, torch.Tensor):
        answer = answer[0]
    return answer


@pytest.fixture(scope="module")
def worlds() -> Mapping[str, World]:
    return {}


@pytest.fixture
def world_of(worlds: dict[str, World]) -> Any:
    def made(name: str) -> World:
        if name not in worlds:
            worlds[name] = World(name)
        return worlds[name]

    return made


@contextmanager
def merged(pipe: Any, changes: Mapping[str, torch.Tensor], strength: float = 1.0) -> Iterator[None]:
    """The changes added to the weights themselves, for the time of the context."""
    layers = {name: layer_of(pipe, name) for name in changes}
    before = {name: layer.weight.detach().clone() for name, layer in layers.items()}
    with torch.no_grad():
        for name, layer in layers.items():
            layer.weight.add_(strength * changes[name])
        yield
        for name, layer in layers.items():
            layer.weight.copy_(before[name])


def same(first: Outputs, second: Outputs) -> bool:
    """Equal to within the rounding of two orders of summation."""
    return all(
        bool(((first[part] - second[part]).abs() <= 1e-5 + 1e-4 * second[part].abs().max()).all()) for part in second
    )


def bit_equal(first: Outputs, second: Outputs) -> bool:
    return all(torch.equal(first[part], second[part]) for part in second)


@pytest.mark.parametrize(("family", "form", "kind"), CASES)
def test_a_file_does_what_merging_it_by_hand_does(
    world_of: Any, tmp_path: Path, family: str, form: str, kind: str
) -> None:
    world = world_of(family)
    tensors, changes = written(world.pipe, NAMES[family, form], kind, form)
    given = subject(tmp_path / "high.safetensors", tensors)
    base = world.outputs()

    loaded, half = world.with_lora(given), world.with_lora(given, 0.5)

    with merged(world.pipe, changes):
        assert same(loaded, world.outputs())
    with merged(world.pipe, changes, 0.5):
        assert same(half, world.outputs())
    touched = {name.partition(":")[0] for name in changes}
    assert not any(same({part: loaded[part]}, {part: base[part]}) for part in touched)
    assert bit_equal(world.outputs(), base)


READ_BY_DIFFUSERS = [
    ("sd", "kohya"),
    ("sd", "diffusers"),
    ("sdxl", "kohya"),
    ("anima", "ComfyUI"),
    ("anima", "diffusers"),
    ("wan", "ComfyUI"),
    ("zimage", "kohya"),
    ("qwenimage", "kohya"),
    ("flux2", "kohya"),
    ("flux2_klein", "ComfyUI"),
]


DROPPED = ("layers_1_self_attn_q_proj", "modulation_img_lin")
"""What diffusers 0.42 drops without an error: a text encoder's attention without its out_proj, Flux 2's modulation."""


@pytest.mark.parametrize(("family", "form"), READ_BY_DIFFUSERS)
def test_diffusers_itself_does_the_same_where_it_reads_the_layout(
    world_of: Any, tmp_path: Path, family: str, form: str
) -> None:
    world = world_of(family)
    names = [named for named in NAMES[family, form] if not named.name.endswith(DROPPED)]
    tensors, _ = written(world.pipe, names, "lora", form)
    given = subject(tmp_path / "high.safetensors", tensors)
    ours = world.with_lora(given)

    world.pipe.load_lora_weights(str(given.loras[0].path), adapter_name="theirs")
    try:
        assert same(ours, world.outputs())
    finally:
        world.pipe.unload_lora_weights()


SPATIAL = {
    "lora": "unet:down_blocks.0.resnets.0.conv1",
    "loha": "unet:down_blocks.0.resnets.0.conv2",
    "lokr whole": "unet:up_blocks.1.resnets.0.conv1",
    "lokr factored": "unet:down_blocks.0.downsamplers.0.conv",
    "dora rows": "unet:up_blocks.0.upsamplers.0.conv",
    "dora columns": "unet:mid_block.resnets.1.conv2",
    "diff": "unet:conv_in",
    "locon with a core": "unet:mid_block.resnets.0.conv1",
    "loha with cores": "unet:down_blocks.0.resnets.0.conv2",
    "lokr with a core": "unet:up_blocks.1.resnets.0.conv1",
}


@pytest.mark.parametrize("kind", SPATIAL)
def test_a_convolutions_change_does_what_merging_does(world_of: Any, tmp_path: Path, kind: str) -> None:
    world, layer = world_of("sd"), SPATIAL[kind]
    name = "lora_unet_" + layer.partition(":")[2].replace(".", "_")
    tensors, changes = written(world.pipe, [Named(name, (layer,))], kind, "kohya")
    base = world.outputs()

    loaded = world.with_lora(subject(tmp_path / "x.safetensors", tensors))

    with merged(world.pipe, changes):
        assert same(loaded, world.outputs())
    assert not same(loaded, base)
    assert bit_equal(world.outputs(), base)


@pytest.mark.parametrize(("family", "layer"), [("sd", "unet:conv_in"), ("qwenimage", "transformer:img_in")])
def test_a_change_of_the_bias_is_applied(world_of: Any, tmp_path: Path, family: str, layer: str) -> None:
    world, module = world_of(family), layer_of(world_of(family).pipe, layer)
    change = torch.full_like(module.bias, 0.5)
    name = f"lora_unet_{layer.partition(':')[2]}.diff_b"
    loaded = world.with_lora(subject(tmp_path / "x.safetensors", {name: change}))

    with torch.no_grad():
        module.bias.add_(change)
        expected = world.outputs()
        module.bias.sub_(change)

    assert same(loaded, expected)


def test_experts_take_their_own_files(world_of: Any, tmp_path: Path) -> None:
    world = world_of("wan")
    tensors, changes = written(world.pipe, NAMES["wan", "kohya"], "lora", "kohya")
    low = subject(tmp_path / "girl_low_noise.safetensors", tensors)
    base = world.outputs()

    loaded = world.with_lora(low)

    assert bit_equal({"transformer": loaded["transformer"]}, {"transformer": base["transformer"]})
    with merged(world.pipe, {name.replace("transformer:", "transformer_2:"): it for name, it in changes.items()}):
        assert same(loaded, world.outputs())


@pytest.mark.parametrize(
    ("name", "told", "parts"),
    [
        ("girl", "", "both"),
        ("yellow_flower", "", "both"),
        ("girl_high_and_low", "", "both"),
        ("girl-HIGH", "", "transformer"),
        ("wan22HighNoise", "", "transformer"),
        ("flower", "flower-low-noise", "transformer_2"),
        ("t2v_lownoise_v1", "", "transformer_2"),
    ],
)
def test_a_file_is_for_both_experts_unless_it_says_for_which(
    world_of: Any, tmp_path: Path, name: str, told: str, parts: str
) -> None:
    world = world_of("wan")
    tensors, changes = written(world.pipe, NAMES["wan", "ComfyUI"], "lora", "ComfyUI")
    base = world.outputs()

    loaded = world.with_lora(subject(tmp_path / f"{name}.safetensors", tensors, {"ss_output_name": told}))

    second = {layer.replace("transformer:", "transformer_2:"): change for layer, change in changes.items()}
    meant = {"transformer": changes, "transformer_2": second, "both": changes | second}[parts]
    with merged(world.pipe, meant):
        assert same(loaded, world.outputs())
    changed = {part for part in base if not torch.equal(loaded[part], base[part])}
    assert changed == ({"transformer", "transformer_2"} if parts == "both" else {parts})


def test_keys_that_fit_neither_expert_are_counted_once(world_of: Any, tmp_path: Path) -> None:
    world = world_of("wan")
    tensors, _ = written(world.pipe, NAMES["wan", "ComfyUI"], "lora", "ComfyUI")
    tensors |= {"diffusion_model.blocks.0.nothing.lora_A.weight": torch.ones(4, 4)}

    with pytest.raises(SubjectError, match=r"1 of 5 keys found no layer .* 4 did"):
        lora.load(world.pipe, world.family, subject(tmp_path / "girl.safetensors", tensors))


NORMS = {
    "GroupNorm": ("sd", "lora_unet_mid_block_resnets_0_norm1", "unet:mid_block.resnets.0.norm1"),
    "GroupNorm by Stability's name": ("sdxl", "lora_unet_out_0", "unet:conv_norm_out"),
    "LayerNorm": ("sd", "lora_te_text_model_encoder_layers_0_layer_norm1", "text_encoder:encoder.layers.0.layer_norm1"),
    "FP32LayerNorm": ("wan", "diffusion_model.blocks.0.norm3", "transformer:blocks.0.norm2"),
    "torch's RMSNorm": ("anima", "diffusion_model.llm_adapter.blocks.0.norm_mlp", "text_conditioner:blocks.0.norm_mlp"),
    "diffusers' RMSNorm": ("zimage", "lora_unet_layers_0_attention_q_norm", "transformer:layers.0.attention.norm_q"),
    "transformers' RMSNorm": ("anima", "lora_te_layers_0_input_layernorm", "text_encoder:layers.0.input_layernorm"),
}


@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("ends", [("w_norm", "b_norm"), ("diff", "diff_b")])
def test_a_change_of_a_norm_does_what_merging_does(
    world_of: Any, tmp_path: Path, kind: str, ends: tuple[str, str]
) -> None:
    family, name, layer = NORMS[kind]
    world, module = world_of(family), layer_of(world_of(family).pipe, layer)
    generator = torch.Generator("cpu").manual_seed(1)
    has_shift = getattr(module, "bias", None) is not None
    parts = [module.weight, *([module.bias] if has_shift else [])]
    changes = [torch.randn(part.shape, generator=generator) for part in parts]
    given = {f"{name}.{end}": change for end, change in zip(ends, changes, strict=False)}
    base = world.outputs()

    loaded = world.with_lora(subject(tmp_path / "high.safetensors", given), 0.7)

    with torch.no_grad():
        before = [part.clone() for part in parts]
        for part, change in zip(parts, changes, strict=True):
            part.add_(0.7 * change)
        expected = world.outputs()
        for part, value in zip(parts, before, strict=True):
            part.copy_(value)
    assert same(loaded, expected) and not same(loaded, base)
    assert bit_equal(world.outputs(), base)


def test_a_low_rank_change_of_a_norm_is_refused(world_of: Any, tmp_path: Path) -> None:
    world = world_of("sd")
    name = NORMS["GroupNorm"][1]
    size = len(layer_of(world.pipe, NORMS["GroupNorm"][2]).weight)
    given = {f"{name}.lora_down.weight": torch.ones(4, 1), f"{name}.lora_up.weight": torch.ones(size, 4)}

    with pytest.raises(SubjectError, match="the first has down, up for a norm, which has no matrix"):
        lora.load(world.pipe, world.family, subject(tmp_path / "x.safetensors", given))


def test_stacked_files_add_up_each_at_its_own_strength(world_of: Any, tmp_path: Path) -> None:
    world = world_of("sd")
    first, ours = written(world.pipe, NAMES["sd", "kohya"], "lora", "kohya")
    second, theirs = written(world.pipe, NAMES["sd", "kohya"], "loha", "kohya")
    one_file = subject(tmp_path / "a.safetensors", first, model=0.5, clip=2.0)
    other = subject(tmp_path / "b.safetensors", second, model=1.5, clip=0.0)
    both = dataclasses.replace(one_file, loras=one_file.loras + other.loras)

    loaded = world.with_lora(both, 0.8)

    text = {name for name in ours if name.startswith("text")}
    total = {name: 0.8 * (2.0 * ours[name] if name in text else 0.5 * ours[name] + 1.5 * theirs[name]) for name in ours}
    with merged(world.pipe, total):
        assert same(loaded, world.outputs())


@pytest.mark.parametrize("family", FAMILIES)
def test_another_familys_file_is_refused_by_its_header(world_of: Any, tmp_path: Path, family: str) -> None:
    kohya = subject(
        tmp_path / "x.safetensors", written(world_of(family).pipe, NAMES[family, "kohya"], "lora", "kohya")[0]
    )
    # the widths that tell SD from SDXL are not the tiny ones
    related = {"flux2": {"flux2_klein"}, "flux2_klein": {"flux2"}, "sd": {"sdxl"}}.get(family, set()) | {family}

    for name in related:
        lora.require_families(dataclasses.replace(world_of(family).family, name=name), kohya)
    for name in set(FAMILIES) - related:
        with pytest.raises(SubjectError, match=r"x\.safetensors is a LoRA for .* by its keys \(e\.g\. .*0 of \d+ keys"):
            lora.require_families(dataclasses.replace(world_of(family).family, name=name), kohya)


@pytest.mark.parametrize(("width", "kind"), [(768, "SD 1.5"), (1024, "SD 2"), (2048, "SDXL")])
def test_the_width_of_the_prompt_tells_the_unets_apart(width: int, kind: str) -> None:
    key = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
    sign = recognise({f"{key}.lora_up.weight": [640, 8], f"{key}.lora_down.weight": [8, width]})

    assert sign is not None
    assert sign.kind == kind


def test_alpha_in_the_metadata_of_a_peft_file_counts(world_of: Any, tmp_path: Path) -> None:
    world = world_of("qwenimage")
    tensors, changes = written(world.pipe, NAMES["qwenimage", "diffusers"], "lora", "diffusers")
    told = {"lora_adapter_metadata": '{"transformer.lora_alpha": 1, "transformer.r": 4}'}

    loaded = world.with_lora(subject(tmp_path / "x.safetensors", tensors, told))

    with merged(world.pipe, changes, 0.25):
        assert same(loaded, world.outputs())


@pytest.mark.parametrize(
    ("kind", "told", "scale"),
    [
        ("loha", {"transformer.alpha": 8, "transformer.r": 4}, 8 / 4),
        ("lokr whole", {"transformer.alpha": 6, "transformer.r": 4}, 6 / 4),
        ("lokr factored", {"transformer.alpha": 6, "transformer.r": 3}, 6 / 3),
        ("lokr factored", {"transformer.alpha": 6, "transformer.r": 9, "transformer.rank_pattern": {"to_k": 3}}, 2),
        ("loha", {"transformer_2.alpha": 8, "transformer_2.r": 4}, 1),
    ],
)
def test_alpha_in_the_metadata_of_other_peft_algebras_counts(
    world_of: Any, tmp_path: Path, kind: str, told: dict[str, object], scale: float
) -> None:
    world = world_of("qwenimage")
    names = [Named("transformer.transformer_blocks.0.attn.to_k", ("transformer:transformer_blocks.0.attn.to_k",))]
    tensors, changes = written(world.pipe, names, kind, "diffusers")
    own = {"loha": 2.0 / 4, "lokr whole": 1.0, "lokr factored": 12.0 / 3}[kind]
    bare = {key: tensor for key, tensor in tensors.items() if not key.endswith("alpha")}

    loaded = world.with_lora(subject(tmp_path / "x.safetensors", bare, {"lora_adapter_metadata": json.dumps(told)}))

    with merged(world.pipe, changes, scale / own):
        assert same(loaded, world.outputs())


@pytest.mark.parametrize(
    ("config", "refused"),
    [
        ({"r": 4, "lora_alpha": 8}, True),
        ({"r": 4, "lora_alpha": 4, "use_rslora": True}, True),
        ({"r": 4, "lora_alpha": 4, "alpha_pattern": {"to_k": 1}}, True),
        ({"r": 4, "alpha": 2, "peft_type": "LOHA"}, True),
        ({"r": 4, "lora_alpha": 4}, False),
        ({"peft_type": "LORA"}, False),
        (["no mapping"], False),
    ],
)
def test_file_whose_alpha_stands_only_beside_it_is_refused(
    world_of: Any, tmp_path: Path, config: object, refused: bool
) -> None:
    world = world_of("qwenimage")
    tensors, _ = written(world.pipe, NAMES["qwenimage", "diffusers"], "lora", "diffusers")
    peft = subject(tmp_path / "x.safetensors", tensors)
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))

    with pytest.raises(SubjectError, match=r"only adapter_config\.json beside it says") if refused else nullcontext():
        lora.require_families(world.family, peft)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_name_means_two_layers(world_of: Any, family: str) -> None:
    world = world_of(family)
    for component in world.family.lora_components:
        found: dict[tuple[str, str], set[str]] = {}
        for part, name, places in listed(world.family, component, getattr(world.pipe, component)):
            found.setdefault((part, name.replace(".", "_")), set()).add(",".join(place.path for place in places))
        assert not {name: layers for name, layers in found.items() if len(layers) > 1}


SGM = {
    "down_blocks.0.resnets.0.conv1": "input_blocks.1.0.in_layers.2",
    "down_blocks.0.downsamplers.0.conv": "input_blocks.3.0.op",
    "down_blocks.1.attentions.0.proj_in": "input_blocks.4.1.proj_in",
    "down_blocks.2.attentions.1.transformer_blocks.9.attn2.to_k": "input_blocks.8.1.transformer_blocks.9.attn2.to_k",
    "mid_block.attentions.0.transformer_blocks.3.attn1.to_v": "middle_block.1.transformer_blocks.3.attn1.to_v",
    "mid_block.resnets.1.time_emb_proj": "middle_block.2.emb_layers.1",
    "up_blocks.0.attentions.2.proj_out": "output_blocks.2.1.proj_out",
    "up_blocks.0.upsamplers.0.conv": "output_blocks.2.2.conv",
    "up_blocks.1.resnets.1.conv_shortcut": "output_blocks.4.0.skip_connection",
    "up_blocks.2.resnets.2.conv2": "output_blocks.8.0.out_layers.3",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
}


@pytest.mark.parametrize("path", SGM)
def test_sdxls_blocks_are_numbered_as_stability_does(path: str) -> None:
    assert unet_original(path, 2, (True, True, False)) == SGM[path]


def test_without_attention_the_upsampler_moves_up() -> None:
    assert unet_original("up_blocks.0.upsamplers.0.conv", 2, (False, True, True, True)) == "output_blocks.2.1.conv"


@pytest.mark.parametrize("kind", ["lora", "dora rows", "loha"])
def test_offloaded_weights_are_changed_as_others_are(world_of: Any, tmp_path: Path, kind: str) -> None:
    world = world_of("sd")
    tensors, changes = written(world.pipe, NAMES["sd", "kohya"], kind, "kohya")
    with merged(world.pipe, changes):
        expected = world.outputs()
    offloaded = World("sd")
    offloaded.given = world.given
    for component in offloaded.family.lora_components:
        cpu_offload(getattr(offloaded.pipe, component), torch.device("cpu"))
    assert layer_of(offloaded.pipe, "unet:conv_in").weight.is_meta

    base = offloaded.outputs()

    loaded = offloaded.with_lora(subject(tmp_path / "x.safetensors", tensors))

    assert same(loaded, expected)
    assert not same(loaded, base)
    assert bit_equal(offloaded.outputs(), base)


def test_compiled_layers_see_the_lora_come_change_and_go(tmp_path: Path) -> None:
    torch.manual_seed(0)
    pipe = SimpleNamespace(transformer=torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)))
    pipe.components = {"transformer": pipe.transformer}
    pipe.transformer.compile(backend="eager")
    tensors = {"0.lora_A.weight": torch.ones(2, 4), "0.lora_B.weight": torch.ones(4, 2)}
    given, x = subject(tmp_path / "x.safetensors", tensors), torch.ones(1, 4)
    with torch.no_grad():
        base = pipe.transformer(x)
        lora.load(pipe, Row("qwenimage", "Tiny", "transformer", ("transformer",)), given)
        answers = []
        for strength in (0.0, 0.5, 1.0):
            lora.set_strength(pipe, given, strength)
            answers.append(pipe.transformer(x))
        lora.unload(pipe)
        after = pipe.transformer(x)

    added = pipe.transformer[1].weight.sum(dim=1) * 8  # ones (4, 2) @ ones (2, 4) @ ones = 8 in each
    assert torch.equal(answers[0], base) and torch.equal(after, base)
    for strength, answer in ((0.5, answers[1]), (1.0, answers[2])):
        assert torch.allclose(answer, base + strength * added, atol=1e-5)


@pytest.mark.parametrize("family", ["anima", "wan", "zimage"])
def test_kohyas_factors_under_comfyuis_names_are_read(world_of: Any, tmp_path: Path, family: str) -> None:
    world = world_of(family)
    tensors, changes = written(world.pipe, NAMES[family, "ComfyUI"], "lora", "kohya")

    loaded = world.with_lora(subject(tmp_path / "high.safetensors", tensors))

    with merged(world.pipe, changes):
        assert same(loaded, world.outputs())


def test_a_text_encoder_that_no_lora_may_change_refuses_its_keys(world_of: Any, tmp_path: Path) -> None:
    world = world_of("anima")
    fixed = dataclasses.replace(world.family, lora_components=("transformer", "text_conditioner"))
    text = written(world.pipe, NAMES["anima", "text"], "lora", "kohya")[0]
    both = text | written(world.pipe, NAMES["anima", "kohya"], "lora", "kohya")[0]

    with pytest.raises(SubjectError, match=r"0 of 3 keys match AnimaModularPipeline \(e\.g\. 'lora_te_layers_1"):
        lora.load(world.pipe, fixed, subject(tmp_path / "text.safetensors", text))
    with pytest.raises(SubjectError, match=r"3 of 27 keys found no layer .* 24 did \(e\.g\. 'lora_te_layers_1"):
        lora.load(world.pipe, fixed, subject(tmp_path / "both.safetensors", both))
    assert not list(branches(world.pipe))


LONE = "lora_unet_transformer_blocks_0_attn_to_q"


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"lora_down.weight": (4, 32)}, "has down only, which is no whole LoRA"),
        ({"lora_down.weight": (4, 32), "lora_up.weight": (32, 8)}, "has factors 32 x 8 and 4 x 32"),
        ({"lora_down.weight": (4, 31), "lora_up.weight": (32, 4)}, "has factors 32 x 4 and 4 x 31"),
        ({"lora_down.weight": (4, 32), "lora_up.weight": (32, 4), "hada_t1": (4, 4)}, "has hada_t1 beside down, up"),
        ({"lokr_w1": (2, 2)}, "has no lokr_w2"),
        ({"lokr_w1": (2, 2), "lokr_w2": (16, 8)}, "has factors 2 x 2 and 16 x 8 where the layer has 32 x 32"),
        (
            {"hada_w1_a": (32, 4), "hada_w1_b": (4, 32), "hada_w2_a": (32, 4), "hada_w2_b": (3, 32)},
            "has Hadamard factors",
        ),
        ({"diff": (32, 31)}, "has the shape 32 x 31 where the layer has 32 x 32"),
        ({"diff_b": (31,)}, "has 31 biases where the layer has 32 outputs"),
    ],
)
def test_tensors_that_are_no_whole_algebra_are_refused_with_the_reason(
    world_of: Any, tmp_path: Path, tensors: Mapping[str, tuple[int, ...]], reason: str
) -> None:
    world = world_of("qwenimage")
    given = {f"{LONE}.{end}": torch.ones(shape) for end, shape in tensors.items()}

    with pytest.raises(SubjectError, match=f"0 of {len(given)} keys match .*the first {reason}"):
        lora.load(world.pipe, world.family, subject(tmp_path / "x.safetensors", given))
