"""Tiny vision-language models of Qwen's kinds, made by config, in files laid out as the real repositories' are."""

import json
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from evalharness.backends.torchvision_shim import ensure_torchvision

ensure_torchvision()

import torch  # noqa: E402
from PIL import Image  # noqa: E402
from transformers import (  # noqa: E402
    AutoProcessor,
    Qwen2Tokenizer,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
WORDS = ("ĠYes", "ĠNo", "Yes", "yes", "YES", "No", "no")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LEARNT = 0.01
"""Mean cross-entropy at which every answer has nearly all of the probability."""
KINDS = ("qwen2_vl", "qwen3_vl")
PATCH: Mapping[str, int] = {"qwen2_vl": 14, "qwen3_vl": 16}


def tokenizer() -> Qwen2Tokenizer:
    """Byte-level, with whole words for yes and no alone."""
    letters = _letters()
    merges: list[tuple[str, str]] = []
    known = [*SPECIAL, *letters]
    for word in WORDS:
        for end in range(2, len(word) + 1):
            if word[:end] not in known:
                known.append(word[:end])
                merges.append((word[: end - 1], word[end - 1]))
    return Qwen2Tokenizer(
        vocab={token: number for number, token in enumerate(known)},
        merges=merges,
        additional_special_tokens=list(SPECIAL[1:]),
        chat_template=TEMPLATE,
    )


def model(kind: str, seed: int = 0) -> Any:
    """An untrained model of the kind, some 50,000 weights."""
    torch.manual_seed(seed)
    ids = {token: number for number, token in enumerate(SPECIAL)}
    size = len(tokenizer())
    text = {
        "vocab_size": size, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 1024,
        "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 0,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]},
    }  # fmt: skip
    tokens = {
        "image_token_id": ids["<|image_pad|>"], "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"], "vision_end_token_id": ids["<|vision_end|>"],
    }  # fmt: skip
    if kind == "qwen2_vl":
        seen = {"depth": 2, "embed_dim": 16, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2, "patch_size": 14}
        return Qwen2VLForConditionalGeneration(Qwen2VLConfig(text_config=text, vision_config=seen, **tokens)).eval()
    text["head_dim"] = 16
    seen = {
        "depth": 2, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32,
        "patch_size": 16, "num_position_embeddings": 16, "deepstack_visual_indexes": [0],
    }  # fmt: skip
    return Qwen3VLForConditionalGeneration(Qwen3VLConfig(text_config=text, vision_config=seen, **tokens)).eval()


def files_of(kind: str, network: Any) -> dict[str, bytes]:
    """What a repository of the kind holds, by name: of Qwen2-VL the weights in two shards."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        network.save_pretrained(here, max_shard_size="200KB" if kind == "qwen2_vl" else "5GB")
        tokenizer().save_pretrained(here)
        saved = {path.name: path.read_bytes() for path in here.iterdir()}
    saved.pop("generation_config.json", None)
    saved.pop("chat_template.jinja", None)
    told = json.loads(saved["tokenizer.json"])["model"]
    saved["vocab.json"] = json.dumps(told["vocab"]).encode()
    saved["merges.txt"] = "\n".join(" ".join(pair) for pair in told["merges"]).encode()
    saved["chat_template.json"] = json.dumps({"chat_template": TEMPLATE}).encode()
    return saved | {name: json.dumps(body).encode() for name, body in _prepared(kind).items()}


def _prepared(kind: str) -> dict[str, dict[str, Any]]:
    """How pictures are prepared, with the fields that the real repositories give."""
    shared = {"patch_size": PATCH[kind], "temporal_patch_size": 2, "merge_size": 2}
    if kind == "qwen2_vl":
        own = {"min_pixels": 3136, "max_pixels": 12845056, "image_processor_type": "Qwen2VLImageProcessor"}
        norm = {"image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}
        return {"preprocessor_config.json": {**shared, **own, **norm, "processor_class": "Qwen2VLProcessor"}}
    norm = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "size": {"shortest_edge": 4096, "longest_edge": 16777216}}
    pictures = {**shared, **norm, "image_processor_type": "Qwen2VLImageProcessorFast"}
    films = {**shared, **norm, "video_processor_type": "Qwen3VLVideoProcessor"}
    named = {"processor_class": "Qwen3VLProcessor"}
    return {"preprocessor_config.json": pictures | named, "video_preprocessor_config.json": films | named}


def taught(kind: str, lessons: Mapping[str, bool], most: int = 400) -> Any:
    """A model that answers each question about a white picture with Yes (True) or No, and the other way of a black one.

    The questions are of one length, so that all of them fit into one batch.
    """
    network, words = model(kind), tokenizer()
    yes, no = (words.encode(word)[0] for word in ("Yes", "No"))
    cases = [(text, white, so == white) for text, so in lessons.items() for white in (True, False)]
    shown = [inputs_of(kind, text, plain("white" if white else "black")) for text, white, _ in cases]
    batch = {name: torch.cat([one[name] for one in shown]) for name in shown[0]}
    said = torch.tensor([yes if so else no for _, _, so in cases])
    best = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(most):
        lost = torch.nn.functional.cross_entropy(network(**batch).logits[:, -1], said)
        if lost < LEARNT:
            return network
        best.zero_grad()
        lost.backward()  # type: ignore[no-untyped-call]
        best.step()
    raise AssertionError(f"{most} steps were not enough: {lost:.3f}")


def plain(color: str, size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A picture of one colour."""
    return Image.new("RGB", size, color)


def inputs_of(kind: str, text: str, image: Image.Image) -> dict[str, Any]:
    """A whole question as a model reads it, by the library's own processor."""
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]
    shown = _processor(kind).apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    return dict(_processor(kind)(text=[shown], images=[image], return_tensors="pt"))


@lru_cache
def _processor(kind: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        for name, body in files_of(kind, model(kind)).items():
            (Path(folder) / name).write_bytes(body)
        return AutoProcessor.from_pretrained(folder)


def _letters() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())
