"""A1111's infotext: the lines by which image tools tell each other how a picture was made, written and read.

    a girl, smiling <lora:nova:0.8>
    Negative prompt: blurry
    Steps: 20, Sampler: euler, CFG scale: 5, Seed: 1, Size: 512x512, Version: evalharness 1.0.0

The format cannot hold every text: a prompt with a line 'Negative prompt:' reads back as another. Where that would
happen, `write` adds one more field with the exact texts, which other tools show and ignore and `read` prefers.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from evalharness import __version__
from evalharness.types import Cell

LONGEST = 1_000_000
"""Characters of a text that is read; what image tools write has a few thousand."""

EXACT = "Exact texts"
NEGATIVE = "Negative prompt:"
FEWEST = 3
"""Fields that make a last line one of fields, and not the prompt's end: the rule of A1111 itself."""

_KEY = re.compile(r"\s{0,9}(\w[\w /-]{1,60}):[ \t]{0,9}")
_QUOTED = re.compile(r'"(?:\\.|[^\\"])*"')
_NEEDS_QUOTES = re.compile(r'[,:\n\r"\\]|^\s|\s$|^$')
_LORA = re.compile(r"\s?<lora:([^:<>\n]{1,200})(?::([^:<>\n]{1,40})(?::[^:<>\n]{0,40}){0,4})?>")
_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})(e[+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Infotext:
    """How a picture was made: `loras` as (name, strength), `fields` as the format names them ('CFG scale': '5').

    The texts hold no `<lora:NAME:STRENGTH>` tags: those are `loras`.
    """

    prompt: str
    negative: str = ""
    loras: tuple[tuple[str, float], ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)


def of_cell(cell: Cell, checkpoint: str = "") -> Infotext:
    """What is known of a cell's image; its subject's name stands for its LoRA, which is none at strength 0."""
    setting = cell.setting
    fields = {
        "Steps": str(setting.steps),
        "Sampler": setting.sampler,
        "CFG scale": f"{setting.guidance_scale:g}",
        "Seed": str(cell.seed),
        "Size": f"{setting.width}x{setting.height}",
        **({"Frames": str(setting.frames), "Frame": str(setting.frame)} if setting.frames > 1 else {}),
        **({"Model": checkpoint} if checkpoint else {}),
        "Version": f"evalharness {__version__}",
    }
    loras = ((cell.subject, cell.strength),) if cell.strength else ()
    return Infotext(prompt=cell.prompt.text, negative=cell.prompt.negative, loras=loras, fields=fields)


def write(info: Infotext) -> str:
    """The infotext, such that `read` gives the same again; names of fields are words, values any text."""
    plain = _lines(info, info.fields)
    if read(plain) == info:
        return plain
    exact = json.dumps([info.prompt, info.negative, info.loras])
    return _lines(info, {**info.fields, EXACT: exact})


def read(text: str) -> Infotext:
    """What an infotext says, by A1111's own rules; raises ValueError for one beyond any that tools write.

    Any text can be read: without fields it is a prompt. Characters that are no text (lone surrogates) become '?'.
    """
    if len(text) > LONGEST:
        raise ValueError(f"its text has {len(text):,} characters, more than the {LONGEST:,} that are read")
    lines = text.encode("utf-8", "replace").decode().strip().split("\n")
    fields = dict(_fields(lines[-1]))
    if len(fields) >= FEWEST or EXACT in fields:
        lines.pop()
    else:
        fields = {}
    prompt, negative = _texts(lines)
    shown = [match for match in _LORA.finditer(prompt) if match[2] is None or number(match[2]) is not None]
    loras = tuple((match[1], float(match[2] or 1)) for match in shown)
    found = Infotext(prompt=without_tags(prompt), negative=without_tags(negative), loras=loras, fields=fields)
    return _exactly(fields.pop(EXACT), found) if EXACT in fields else found


def without_tags(text: str) -> str:
    """A prompt without its LoRA tags."""
    return _LORA.sub("", text).strip()


def number(text: str) -> float | None:
    """A finite number as tools write it, or None."""
    return float(text) if _NUMBER.fullmatch(text) and abs(float(text)) < float("inf") else None


def _lines(info: Infotext, fields: Mapping[str, str]) -> str:
    tags = [f"<lora:{name}:{strength:g}>" for name, strength in info.loras]
    lines = [" ".join([info.prompt, *tags])]
    if info.negative:
        lines.append(f"{NEGATIVE} {info.negative}")
    return "\n".join([*lines, ", ".join(f"{key}: {_quoted(value)}" for key, value in fields.items())])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if _NEEDS_QUOTES.search(value) else value


def _fields(line: str) -> Iterator[tuple[str, str]]:
    """The `key: value` pairs of a line; what is none of them (JSON without quotes, by some tools) is passed over."""
    at = 0
    while at < len(line):
        key = _KEY.match(line, at)
        start = key.end() if key else at
        quoted = _QUOTED.match(line, start) if key else None
        comma = line.find(",", quoted.end() if quoted else start)
        end = comma if comma >= 0 else len(line)
        if key:
            yield key[1], _unquoted(quoted[0]) if quoted else line[start:end].strip()
        at = end + 1


def _unquoted(text: str) -> str:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return str(value).encode("utf-8", "replace").decode()


def _texts(lines: list[str]) -> tuple[str, str]:
    """The prompt's and the negative prompt's lines, each stripped as A1111 does."""
    plain = [line.strip() for line in lines]
    start = next((index for index, line in enumerate(plain) if line.startswith(NEGATIVE)), len(plain))
    negative = [line.removeprefix(NEGATIVE).strip() for line in plain[start:]]
    return "\n".join(plain[:start]).strip(), "\n".join(negative).strip()


def _exactly(exact: str, found: Infotext) -> Infotext:
    """The exact texts where the field holds them; what else stands there is not ours, and not believed."""
    try:
        prompt, negative, loras = json.loads(exact)
        pairs = tuple((str(name), float(strength)) for name, strength in loras)
    except (ValueError, TypeError, RecursionError):
        return found
    if not (isinstance(prompt, str) and isinstance(negative, str)):
        return found
    clean = [part.encode("utf-8", "replace").decode() for part in (prompt, negative)]
    return Infotext(prompt=clean[0], negative=clean[1], loras=pairs, fields=found.fields)
