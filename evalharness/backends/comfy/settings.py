"""The options of the comfyui maker, checked: where the server is, what it runs, and how long it is waited for."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from evalharness.backends.options import checked_options, number, words
from evalharness.errors import BackendError

DEFAULTS: Mapping[str, object] = {
    "url": "http://127.0.0.1:8188",
    "workflow": "",
    "nodes": {},
    "loras": (),
    "lora_folder": "",
    "start_seconds": 60,
    "answer_seconds": 30,
    "stall_seconds": 300,
    "retries": 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long the server is waited for, in seconds, and how often it is asked again.

    `start`: until it answers at all. `answer`: for one answer. `stall`: without any sign of life while a job runs.
    """

    start: float = 60.0
    answer: float = 30.0
    stall: float = 300.0
    retries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`nodes` maps fields to places ('6.text'), several of them, or None; `loras` are ids of nodes."""

    url: str
    workflow: str
    nodes: Mapping[str, object]
    loras: tuple[str, ...]
    lora_folder: str
    waits: Waits


def read_settings(options: Mapping[str, object]) -> Settings:
    """The options, checked; raises BackendError, one sentence with the option's name."""
    chosen = checked_options(options, DEFAULTS)
    nodes = chosen["nodes"] or {}
    if not isinstance(nodes, Mapping):
        raise BackendError(f"backend.options.nodes is {nodes!r}; it maps fields to inputs, such as prompt: 6.text.")
    waits = Waits(
        start=number(chosen, "start_seconds"),
        answer=number(chosen, "answer_seconds") or 1.0,
        stall=number(chosen, "stall_seconds"),
        retries=int(number(chosen, "retries")),
    )
    return Settings(
        url=_url(_text(chosen, "url")),
        workflow=_text(chosen, "workflow"),
        nodes=nodes,
        loras=words({"loras": chosen["loras"] or ()}, "loras"),
        lora_folder=_text(chosen, "lora_folder").strip("/\\"),
        waits=waits,
    )


def _text(options: Mapping[str, object], name: str) -> str:
    value = options[name]
    if not isinstance(value, str):
        raise BackendError(f"backend.options.{name} is {value!r}; it must be text.")
    return value


def _url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BackendError(f"backend.options.url is '{url}'; it is the server's address, such as {DEFAULTS['url']}.")
    return url.rstrip("/")
