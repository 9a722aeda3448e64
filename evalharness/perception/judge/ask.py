"""Questions of yes or no about one picture, answered without writing a word: by the logits of the first one."""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from evalharness.errors import PerceptionError
from evalharness.models.table import Input, Model
from evalharness.perception.anime.picture import RESAMPLE
from evalharness.perception.judge.network import Opened, Runtime, opened_judge

BATCH = 16
"""Questions asked at once; each needs room for what the model remembers of the picture (some 100 MB of one of 2B)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`odds` are the natural logarithm of P(yes) / P(no); `said` is the probability of either, 0..1."""

    odds: float
    said: float


def answers_to(image: Image.Image, texts: Sequence[str], model: Model, runtime: Runtime) -> list[Answer]:
    """One answer per question, in order; the picture is looked at once, and what was seen is shared by all questions.

    P(yes) is the sum over the tokens Yes, yes, YES, with a blank before or without, at the place where the answer
    begins; P(no) likewise.
    """
    import torch

    opened = opened_judge(model, runtime)
    before, rests = _split(opened, texts)
    with torch.inference_mode():
        seen = opened.processor(text=[before], images=[shrunk(image, model.input)], return_tensors="pt")
        known = opened.network(**seen.to(runtime.device), use_cache=True, logits_to_keep=1).past_key_values
        found: list[Answer] = []
        for start in range(0, len(rests), BATCH):
            found += _ask(opened, known, rests[start : start + BATCH])
    return found


def shrunk(image: Image.Image, told: Input) -> Image.Image:
    """A picture whose longest side is at most the model's; the rest is its own processor's work."""
    factor = told.size / max(image.size)
    if factor >= 1.0:
        return image
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), RESAMPLE[told.resample])


def _split(opened: Opened, texts: Sequence[str]) -> tuple[str, list[list[int]]]:
    """What stands before the questions, the picture's place at its end, and the tokens of each after it.

    The picture's place is a token of its own, so that cutting behind it changes no token.
    """
    processor, mark = opened.processor, opened.processor.image_token
    chats = [[{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}] for text in texts]
    shown = [processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in chats]
    parts = [text.partition(mark) for text in shown]
    if len({before for before, _, _ in parts}) != 1 or not all(rest for _, _, rest in parts):
        raise PerceptionError(f"the chat template of {opened.network.config.model_type} does not put pictures first.")
    tokens = [processor.tokenizer.encode(rest, add_special_tokens=False) for _, _, rest in parts]
    return parts[0][0] + mark, tokens


def _ask(opened: Opened, known: Any, rests: Sequence[list[int]]) -> list[Answer]:
    """Questions beside each other, after the same picture; what fills up shorter ones comes last and is not seen."""
    import torch

    network, longest, past = opened.network, max(map(len, rests)), known.get_seq_length()
    ids = torch.tensor([[*rest, *[rest[-1]] * (longest - len(rest))] for rest in rests], device=network.device)
    remembered = copy.deepcopy(known)
    remembered.batch_repeat_interleave(len(rests))
    told: dict[str, Any] = {"input_ids": ids, "past_key_values": remembered, "use_cache": True}
    # pictures take fewer places than tokens (M-RoPE), which these models remember of the last picture
    if (shift := getattr(network.model, "rope_deltas", None)) is not None:
        places = torch.arange(past, past + longest, device=ids.device) + shift.reshape(-1)[0].to(ids.device)
        told["position_ids"] = places.expand(3, len(rests), -1)
    hidden = network.model(**told).last_hidden_state
    last = hidden[torch.arange(len(rests)), torch.tensor([len(rest) - 1 for rest in rests])]
    logits = network.get_output_embeddings()(last).float()
    yes, no = (logits[:, list(tokens)].logsumexp(1) for tokens in (opened.yes, opened.no))
    said = (torch.logaddexp(yes, no) - logits.logsumexp(1)).exp()
    return [_answer(*pair) for pair in zip((yes - no).tolist(), said.tolist(), strict=True)]


def _answer(odds: float, said: float) -> Answer:
    if not (math.isfinite(odds) and math.isfinite(said)):
        raise PerceptionError(
            "the judge answers with numbers that are not finite; try perception.options.dtype=float32"
        )
    return Answer(odds=odds, said=said)
