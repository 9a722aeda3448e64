"""What image files say about themselves: our record, A1111's infotext, or ComfyUI's graph, whichever is there first."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from evalharness import comfy_graph, infotext
from evalharness.codec import DecodeError, decode
from evalharness.comfy_graph import Graph, Place
from evalharness.infotext import Infotext
from evalharness.types import Cell

RECORD, PARAMETERS, PROMPT, WORKFLOW = "evalharness", "parameters", "prompt", "workflow"
"""The text chunks of a PNG: ours, A1111's, and ComfyUI's graph in API format and as its editor shows it."""

CLIP = "clip"
"""Where the image of a frame holds the clip it is of, in its `info`, on its way from a maker to the store."""

_EXIF, _USER_COMMENT, _MAKE, _MODEL = 0x8769, 0x9286, 0x010F, 0x0110
_FIELDS = {"Steps": "steps", "CFG scale": "cfg", "Seed": "seed", "Sampler": "sampler", "Schedule type": "scheduler"}


@dataclass(frozen=True, slots=True)
class _Record:
    """The part of our own text chunk that is needed here."""

    cell: Cell


def described(image: Image.Image) -> Infotext | None:
    """How an opened image was made, or None where it does not say; raises ValueError for what cannot be read."""
    texts = dict(_texts(image))
    for key, text in texts.items():
        if len(text) > infotext.LONGEST:
            raise ValueError(
                f"its text '{key}' has {len(text):,} characters, more than the {infotext.LONGEST:,} that are read"
            )
    if own := _own(texts.get(RECORD)):
        return own
    if PARAMETERS in texts:
        return infotext.read(texts[PARAMETERS])
    return of_graph(_json(texts[PROMPT])) if PROMPT in texts else None


def texts_to_write(cell: Cell, image: Image.Image, checkpoint: str = "") -> dict[str, str]:
    """The text chunks by which other tools know a cell's image: its infotext, and ComfyUI's graph where it has one.

    An image that was only scored keeps what it said; `checkpoint` is the model's name, where the maker knows one.
    """
    kept = {key: image.info.get(key) for key in (PARAMETERS, PROMPT, WORKFLOW)}
    said = {key: text for key, text in kept.items() if isinstance(text, str) and len(text) <= infotext.LONGEST}
    made = {PARAMETERS: infotext.write(infotext.of_cell(cell, checkpoint))} if cell.source is None else {}
    return said | made


def clip_of(image: object) -> bytes | None:
    """The clip, as an animated WebP, that an image is a frame of; None for stills and for failures."""
    body = image.info.get(CLIP) if isinstance(image, Image.Image) else None
    return body if isinstance(body, bytes) else None


def of_graph(value: object) -> Infotext:
    """What a ComfyUI graph says of its first sampler; raises ValueError for no graph, no sampler, and no prompt."""
    graph = comfy_graph.read_graph(value)
    samplers = comfy_graph.samplers(graph)
    if not samplers:
        raise ValueError("its ComfyUI graph has no sampler")
    at = {name: comfy_graph.value_at(graph, found[0]) for name, found in _places(graph, samplers[0]).items()}
    if "prompt" not in at:
        raise ValueError(f"its ComfyUI graph leads no single text to sampler {samplers[0]}")
    said = {key: _plain(at[name]) for key, name in _FIELDS.items() if name in at}
    size = {"Size": f"{at['width']}x{at['height']}"} if {"width", "height"} <= at.keys() else {}
    model = {"Model": _stem(at["checkpoint"])} if "checkpoint" in at else {}
    return Infotext(
        prompt=infotext.without_tags(_plain(at["prompt"])),
        negative=infotext.without_tags(_plain(at.get("negative", ""))),
        loras=tuple(_loras(graph, samplers[0])),
        fields={**said, **size, **model},
    )


def _places(graph: Graph, sampler: str) -> Mapping[str, tuple[Place, ...]]:
    return comfy_graph.places(graph, sampler)


def _loras(graph: Graph, sampler: str) -> Iterator[tuple[str, float]]:
    """Names and strengths of the LoRA loaders; one without a readable strength is taken at 1, its node's default."""
    for key in comfy_graph.lora_nodes(graph, sampler):
        inputs = graph[key]["inputs"]
        strength = inputs.get("strength_model", inputs.get("strength", 1.0))
        known = isinstance(strength, int | float) and abs(strength) < float("inf")
        if isinstance(inputs["lora_name"], str):
            yield _stem(inputs["lora_name"]), float(strength) if known else 1.0


def _stem(name: str) -> str:
    """A model's name without folders, by either slash, and without its suffix."""
    last = _plain(name).replace("\\", "/").rsplit("/", 1)[-1]
    return last.removesuffix(".safetensors").removesuffix(".ckpt")


def _plain(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _own(text: str | None) -> Infotext | None:
    """The cell of our own record; None where it is of another version, since the other texts say the same."""
    if text is None:
        return None
    try:
        cell = decode(text, _Record).cell
    except DecodeError:
        return None
    # an image that was only scored has no more settings than it came with
    return None if cell.source is not None else infotext.of_cell(cell)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("its text 'prompt' is no JSON, as ComfyUI's would be") from None


def _texts(image: Image.Image) -> Iterator[tuple[str, str]]:
    """The texts we know, by the names of PNG's chunks; those of JPEG and WebP stand in their EXIF data."""
    for key in (RECORD, PARAMETERS, PROMPT):
        if isinstance(image.info.get(key), str):
            yield key, str(image.info[key])
    exif = image.getexif()
    comment = exif.get_ifd(_EXIF).get(_USER_COMMENT)
    if isinstance(comment, bytes):
        yield PARAMETERS, user_comment(comment)
    for tag in (_MAKE, _MODEL):
        # ComfyUI's WebP nodes put "prompt:{...}" into a tag meant for cameras
        name, _, text = str(exif.get(tag, "")).partition(":")
        if name.lower() == PROMPT:
            yield PROMPT, text


def user_comment(data: bytes) -> str:
    """EXIF's UserComment: 8 bytes with the name of the coding, then the text; UTF-16 of either byte order."""
    coding, text = data[:8], data[8:]
    if not coding.startswith(b"UNICODE"):
        return (text if coding.startswith(b"ASCII") or coding == bytes(8) else data).decode("utf-8", "replace")
    # most characters are below 256: the zero bytes show which half comes first
    little = text[1::2].count(0) > text[0::2].count(0)
    return text.decode("utf-16-le" if little else "utf-16-be", "replace").removeprefix("\ufeff")
