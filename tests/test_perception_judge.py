"""perception=judge on tiny models of Qwen's kinds, in a Hugging Face cache on disk, hub off: untrained, and taught."""

import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stand_ins
import tiny_judges
from PIL import Image

from evalharness.cli import main
from evalharness.errors import ConfigError, PerceptionError
from evalharness.models.cache import located
from evalharness.models.fetch import fetch
from evalharness.models.state import State, state_of
from evalharness.models.table import find_model, models
from evalharness.perception.judge.ask import BATCH, Answer, answers_to
from evalharness.perception.judge.calibrated import Scaling, probability, scaling_of
from evalharness.perception.judge.network import NO, YES, Runtime, opened_judge
from evalharness.perception.judge.perceiver import JudgePerceiver
from evalharness.perception.judge.questions import TABLE, read_questions
from evalharness.record import load_run
from evalharness.types import Decision, Observation

NAMES = {"qwen2_vl": "qwen2-vl-2b-instruct", "qwen3_vl": "qwen3-vl-2b-instruct"}
NAME = NAMES["qwen3_vl"]
SHARDED = NAMES["qwen2_vl"]
WHITE, BLACK = "Is it white?", "Is it black?"
ASKS = f'[tone]\nwhite = ["{WHITE}", "{BLACK}"]\nblack = ["{BLACK}"]\n'


def put(folder: Path, patch: pytest.MonkeyPatch, kind: str, files: Mapping[str, bytes]) -> None:
    """A model's files where the table's entry has them, of which it says what they must be."""
    name = NAMES[kind]
    made = {name: {file: files[file] for file in models()[name].files}}
    stand_ins.write_table(folder / "models.toml", models(), made)
    stand_ins.use_cache(folder / "hub", patch)
    patch.setenv("EVALHARNESS_MODELS", str(folder / "models.toml"))
    stand_ins.put(folder / "hub", find_model(name), made[name])
    fetch(find_model(name))
    (folder / "asks.toml").write_text(ASKS)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """What a model learns differs with the number of threads, and many of them only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An untrained model in the cache."""
    put(tmp_path, monkeypatch, "qwen3_vl", untrained("qwen3_vl"))
    return tmp_path


@pytest.fixture(scope="module")
def lessons(one_thread: None) -> dict[str, bytes]:
    return tiny_judges.files_of("qwen3_vl", tiny_judges.taught("qwen3_vl", {WHITE: True, BLACK: False}))


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lessons: dict[str, bytes]) -> Path:
    """A model in the cache that tells white pictures from black ones."""
    put(tmp_path, monkeypatch, "qwen3_vl", lessons)
    return tmp_path


def untrained(kind: str) -> dict[str, bytes]:
    return tiny_judges.files_of(kind, tiny_judges.model(kind))


def perceiver(folder: Path, **more: Any) -> JudgePerceiver:
    return JudgePerceiver(judge=NAME, asks=str(folder / "asks.toml"), **more)


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8))


# what it answers


@pytest.mark.parametrize("kind", tiny_judges.KINDS)
@pytest.mark.parametrize("size", [(64, 64), (131, 90), (33, 200)])
def test_answers_are_those_of_the_whole_question_read_at_once(
    kind: str, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture is read once and its memory shared; transformers reads picture and question each time."""
    import torch

    network, words = tiny_judges.model(kind), tiny_judges.tokenizer()
    put(tmp_path, monkeypatch, kind, tiny_judges.files_of(kind, network))
    texts = [f"Is this number {number * 'long '}?" for number in range(BATCH + 3)]
    found = answers_to(noise(*size), texts, find_model(NAMES[kind]), Runtime())
    for text, answer in list(zip(texts, found, strict=True))[:: BATCH // 4]:
        with torch.no_grad():
            shares = network(**tiny_judges.inputs_of(kind, text, noise(*size))).logits[0, -1].softmax(0)
        spelt = ((words.encode(word), words.encode(f" {word}")) for group in (YES, NO) for word in group)
        single = [ids[0] for pair in spelt for ids in pair if len(ids) == 1]
        yes, no = (shares[[one for one in single if one in group]].sum() for group in (_ids(YES), _ids(NO)))
        assert answer.odds == pytest.approx(float((yes / no).log()), abs=1e-5)
        assert answer.said == pytest.approx(float(yes + no), abs=1e-6)
    assert len({round(one.odds, 6) for one in found}) == len(texts), "each question has an answer of its own"


def _ids(spelt: tuple[str, ...]) -> set[int]:
    words = tiny_judges.tokenizer()
    return {words.encode(text)[0] for word in spelt for text in (word, f" {word}") if len(words.encode(text)) == 1}


def test_yes_and_no_count_in_all_their_spellings(raw: Path) -> None:
    opened, words = opened_judge(find_model(NAME), Runtime()), tiny_judges.tokenizer()
    assert set(words.convert_ids_to_tokens(list(opened.yes))) == {"Yes", "yes", "YES", "ĠYes"}
    assert set(words.convert_ids_to_tokens(list(opened.no))) == {"No", "no", "ĠNo"}


def test_taught_judge_tells_white_from_black_and_says_who_said_it(taught: Path) -> None:
    white, black = perceiver(taught).observe([tiny_judges.plain("white", (80, 64)), tiny_judges.plain("black")])
    assert white.affirmed["tone.white"] > 0.9
    assert white.affirmed["tone.black"] < 0.1
    assert black.affirmed["tone.black"] > 0.9
    assert black.affirmed["tone.white"] < 0.1
    assert white.judges["affirmed"] == NAME
    assert white.layout, "offline perception looked, too"
    assert not any(key.startswith("judge ") for key in white.blind)


def test_what_is_answered_with_neither_yes_nor_no_is_left_out_with_the_reason(raw: Path) -> None:
    (seen,) = perceiver(raw).observe([tiny_judges.plain("white")])
    assert seen.affirmed == {}
    assert seen.judges["affirmed"] == NAME
    assert "answered neither yes nor no" in seen.blind["judge tone.white"]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_says_nearly_the_same(taught: Path, dtype: str) -> None:
    whole, half = (
        answers_to(tiny_judges.plain("white"), [WHITE, BLACK], find_model(NAME), Runtime(dtype=one))
        for one in ("float32", dtype)
    )
    for one, other in zip(whole, half, strict=True):
        assert other.odds == pytest.approx(one.odds, rel=0.1)
        assert other.odds != one.odds


def test_large_picture_is_shrunk_to_what_the_model_reads(raw: Path) -> None:
    opened, sizes = opened_judge(find_model(NAME), Runtime()), []
    prepare = type(opened.processor.image_processor).preprocess

    class Spy(type(opened.processor.image_processor)):  # type: ignore[misc]
        def preprocess(self, images: Any, *given: Any, **more: Any) -> Any:
            sizes.extend(image.size for image in images)
            return prepare(self, images, *given, **more)

    opened.processor.image_processor.__class__ = Spy
    answers_to(Image.new("RGB", (1536, 300)), [WHITE], find_model(NAME), Runtime())
    answers_to(Image.new("RGB", (100, 300)), [WHITE], find_model(NAME), Runtime())
    assert sizes == [(768, 150), (100, 300)]


# from log odds to probabilities


def heard(*odds: float) -> list[Answer]:
    return [Answer(odds=one, said=1.0) for one in odds]


def test_bent_for_yes_cancels_where_the_negation_was_asked_too() -> None:
    plainly, bent = heard(2.0, -1.0), heard(2.0 + 3.0, -1.0 + 3.0)
    assert probability(bent, Scaling()) == pytest.approx(probability(plainly, Scaling()))
    assert probability(plainly, Scaling()) == pytest.approx(1 / (1 + np.exp(-1.5)))
    assert probability(heard(5.0, 5.0), Scaling()) == 0.5, "yes to both is no answer"
    assert probability(heard(5.0), Scaling()) == pytest.approx(1 / (1 + np.exp(-5.0)))
    assert (probability(heard(1e4), Scaling()), probability(heard(-1e4), Scaling())) == (1.0, 0.0)


def test_temperature_and_bias_scale_log_odds_and_are_none_by_default() -> None:
    assert scaling_of(None) == Scaling(temperature=1.0, bias=0.0)
    assert probability(heard(4.0), scaling_of({"temperature": 2})) == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert probability(heard(4.0), scaling_of({"bias": -4.0})) == 0.5


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"temperature": 0.0}, "a temperature is above 0"),
        ({"bias": float("nan")}, "bias nan"),
        ({"temprature": 1.0}, "Did you mean 'temperature'"),
        ({"bias": "much"}, "it is a number"),
    ],
)
def test_calibration_that_is_none_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(PerceptionError, match=why):
        scaling_of(given)


# who it is


def test_fingerprint_tells_revision_questions_and_calibration_and_needs_no_weights(raw: Path) -> None:
    first = perceiver(raw).fingerprint()
    assert find_model(NAME).revision in str(first["model"])
    assert (first["dtype"], perceiver(raw, device="cuda").fingerprint()["dtype"]) == ("float32", "bfloat16")
    changed = perceiver(raw, calibration={"temperature": 1.5}).fingerprint()
    assert {key for key in first if first[key] != changed[key]} == {"temperature"}
    (raw / "asks.toml").write_text(ASKS.replace("Is it", "Is that"))
    for path in located(find_model(NAME)).values():
        assert path is not None
        path.unlink()
    second = perceiver(raw).fingerprint()
    assert {key for key in first if first[key] != second[key]} == {"questions"}
    assert "offline version" in second


def test_perceiver_goes_to_another_process_and_looks_alike_there(taught: Path) -> None:
    there, pictures = pickle.loads(pickle.dumps(perceiver(taught))), [tiny_judges.plain("white", (70, 90))]
    assert there.observe(pictures) == perceiver(taught).observe(pictures)


def test_judge_looks_beside_a_clip_which_reads_prompts(taught: Path) -> None:
    both = perceiver(taught, beside="clip", clip="demo-clip")
    (seen,) = both.observe([tiny_judges.plain("white")])
    assert {"likeness", "answers", "affirmed"} <= set(seen.judges)
    assert seen.affirmed["tone.white"] > 0.9 and seen.answers["emotion"]
    assert both.observe_texts(["a coat"])[0].embeddings
    assert perceiver(taught).observe_texts(["a coat"]) == [Observation(width=0, height=0)]
    with pytest.raises(PerceptionError, match=r"give perception\.options\.clip="):
        perceiver(taught, beside="clip")
    with pytest.raises(PerceptionError, match="looks beside another perceiver"):
        perceiver(taught, beside="judge")


# files


def test_missing_model_is_a_sentence_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins.use_cache(tmp_path / "hub", monkeypatch)
    with pytest.raises(PerceptionError, match=r"fetch it: evalharness models fetch qwen2-vl-2b-instruct"):
        JudgePerceiver(judge=SHARDED).observe([tiny_judges.plain("white")])
    with pytest.raises(PerceptionError, match=r"no digest of model .* fetch it: evalharness models fetch qwen3-vl"):
        JudgePerceiver(judge=NAME).fingerprint()


def test_missing_or_changed_shard_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, monkeypatch, "qwen2_vl", untrained("qwen2_vl"))
    judge, shard = JudgePerceiver(judge=SHARDED), located(find_model(SHARDED))["model-00002-of-00002.safetensors"]
    assert shard is not None
    assert state_of(find_model(SHARDED), verify=True) is State.VERIFIED
    shard.write_bytes(shard.read_bytes() + b" ")
    with pytest.raises(PerceptionError, match="is not the file that was pinned"):
        judge.observe([tiny_judges.plain("white")])
    shard.unlink()
    with pytest.raises(PerceptionError, match=r"model-00002-of-00002.safetensors .*fetch it"):
        judge.observe([tiny_judges.plain("white")])


def test_index_that_names_weights_which_are_not_pinned_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = untrained("qwen2_vl")
    index = json.loads(files["model.safetensors.index.json"])
    index["weight_map"]["model.visual.merger.mlp.0.bias"] = "other.safetensors"
    put(tmp_path, monkeypatch, "qwen2_vl", files | {"model.safetensors.index.json": json.dumps(index).encode()})
    with pytest.raises(PerceptionError, match=r"names other.safetensors, which model qwen2-vl-2b-instruct .* not list"):
        JudgePerceiver(judge=SHARDED).observe([tiny_judges.plain("white")])


def test_weights_that_lack_a_part_of_the_model_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load, save

    files = untrained("qwen3_vl")
    weights = load(files["model.safetensors"])
    weights.pop("model.visual.merger.norm.weight")
    put(tmp_path, monkeypatch, "qwen3_vl", files | {"model.safetensors": save(weights, metadata={"format": "pt"})})
    with pytest.raises(PerceptionError, match=r"lacks weights of its own model: model.visual.merger.norm.weight"):
        JudgePerceiver(judge=NAME).observe([tiny_judges.plain("white")])


def test_files_of_another_kind_of_model_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = untrained("qwen3_vl") | {"config.json": b'{"model_type": "bert"}'}
    put(tmp_path, monkeypatch, "qwen3_vl", files)
    with pytest.raises(PerceptionError, match="is no vision-language model that can be opened"):
        JudgePerceiver(judge=NAME).observe([tiny_judges.plain("white")])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"judge": "qwen3-vl-2b-instrukt"}, "unknown judge model"),
        ({"judge": "demo-clip"}, "unknown judge model"),
        ({"judge": NAME, "device": "tpu"}, "unknown device"),
        ({"judge": NAME, "dtype": "int8"}, "unknown dtype"),
    ],
)
def test_unknown_options_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises((ConfigError, PerceptionError), match=why):
        JudgePerceiver(**options)


# questions


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("a = 3\n", "cannot be read"),
        ("", "asks nothing"),
        ("[a]\nb = []\n", "has 0 texts"),
        ("[a]\nb = ['x', 'y', 'z']\n", "has 3 texts"),
        ("[form]\nquestion = 'Well?'\n[a]\nb = ['x']\n", "must hold {question}"),
    ],
)
def test_table_of_questions_that_is_none_is_refused(tmp_path: Path, body: str, why: str) -> None:
    (tmp_path / "asks.toml").write_text(body)
    with pytest.raises(PerceptionError, match=why):
        read_questions(tmp_path / "asks.toml")


def test_questions_as_they_ship_are_put_in_one_form_and_both_ways() -> None:
    asked = read_questions(TABLE)
    texts = [text for one in asked.values() for text in one]
    assert all(len(one) == 2 for one in asked.values())
    assert all(text.endswith("? Answer with one word, Yes or No.") for text in texts)
    assert len(set(texts)) == len(texts)


# a whole run

SUITE = """
name: tones
prompts:
  - {id: white, text: white, axes: {tone: white}}
  - {id: black, text: black, axes: {tone: black}}
seeds: [1, 2, 3]
scorers: [judged]
gates:
  - {metric: judged, aggregate: share_passing, passing: 0.5, at_least: 0.2, minimum_scored: 4, judge_alone: %s}
files: {pattern: "{tone}_{seed}.png"}
"""


@pytest.mark.parametrize(("allowed", "decision"), [("false", Decision.INCONCLUSIVE), ("true", Decision.PROMOTE)])
def test_run_that_only_a_judge_vouches_for_is_promoted_only_where_the_gate_allows_it(
    taught: Path, allowed: str, decision: Decision
) -> None:
    (taught / "suites").mkdir()
    (taught / "suites" / "tones.yaml").write_text(SUITE % allowed)
    (taught / "pictures").mkdir()
    for tone in ("white", "black"):
        for seed in (1, 2, 3):
            tiny_judges.plain(tone, (64 + seed, 64)).save(taught / "pictures" / f"{tone}_{seed}.png")
    command = ["score", str(taught / "pictures"), "--config-dir", str(taught), "suite=tones", "perception=judge"]
    main([*command, f"perception.options.asks={taught / 'asks.toml'}", f"folder='{taught / 'run'}'"])
    found = load_run(taught / "run")
    scores = [one for given in found.scores.values() for one in given]
    assert len(scores) == 6
    assert all(one.value is not None and one.value > 0.8 and one.judge_alone for one in scores)
    assert NAME in scores[0].reason
    (verdict,) = found.judgement.verdicts
    assert verdict.decision is decision
    assert ("judge alone vouches for" in verdict.reason) == (decision is Decision.INCONCLUSIVE)
