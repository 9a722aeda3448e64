"""The demo's tokenizer: a byte-pair vocabulary in which every word of our captions is one token."""

import json
import re
from typing import Any

import numpy as np

from evalharness.demo import phrases
from evalharness.demo.captions import TRIGGER, caption, prose, tags
from evalharness.demo.drawing import sample_fault_look, sample_look

POSITIONS = 77
START, END = "<|startoftext|>", "<|endoftext|>"
CAPTIONS = 4000
"""So many random captions hold every word of every phrase."""


def caption_words() -> list[str]:
    """All words of our captions, and the trigger, sorted; letters, digits and punctuation apart as CLIP splits them."""
    rng = np.random.default_rng(0)
    texts = [TRIGGER, phrases.HARMONY_ENDING, *phrases.HARMONY_ARCHETYPES.values(), *phrases.HARMONY_EMOTIONS.values()]
    for _ in range(CAPTIONS // 4):
        for look in (sample_look(rng), sample_fault_look(rng)):
            texts += [tags(look, rng), prose(look, rng), caption(look, rng)]
    return sorted({word for text in texts for word in re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())})


def build_tokenizer() -> Any:
    """A CLIPTokenizer of 77 positions; words that no caption uses fall apart into characters."""
    from tokenizers import Tokenizer, models, trainers
    from transformers import CLIPTokenizer

    trainer = trainers.BpeTrainer(
        vocab_size=10_000,
        min_frequency=1,
        special_tokens=[START, END],
        initial_alphabet=[chr(code) for code in range(33, 127)],
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=END))
    learner.train_from_iterator(caption_words(), trainer)
    state = json.loads(learner.to_str())["model"]
    vocabulary: dict[str, int] = dict(state["vocab"])
    # single characters at a word's end, so that unknown words can be spelt
    for code in range(33, 127):
        for token in (chr(code), f"{chr(code)}</w>"):
            vocabulary.setdefault(token, len(vocabulary))
    merges = [tuple(pair) for pair in state["merges"]]
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=POSITIONS)
