"""The names a ComfyUI server knows: node types, checkpoints, LoRAs, samplers; checked before the first image."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from evalharness.backends.comfy.client import Client, RefusedError
from evalharness.backends.comfy.workflow import LORA_NAME, Workflow
from evalharness.comfy_graph import Place
from evalharness.errors import BackendError, SubjectError, unknown
from evalharness.types import LoraFile

ALIASES: Mapping[str, str] = {"euler_a": "euler_ancestral", "unipc": "uni_pc"}
"""The names of other makers' samplers, so that one suite serves several."""

KARRAS = "_karras"
LONGEST_LIST = 12


class Names:
    """What one server's /object_info says of the node types in a workflow, asked once for each."""

    def __init__(self, client: Client, workflow: Workflow) -> None:
        self._client = client
        self._workflow = workflow
        self._types: dict[str, Mapping[str, Any]] = {}

    def check(self, values: Mapping[str, object]) -> None:
        """Raise BackendError unless the server has every node type, and every name that the graph would send."""
        ours = {
            place: values[name] for name, found in self._workflow.places.items() if name in values for place in found
        }
        for key, node in self._workflow.graph.items():
            for name, value in node["inputs"].items():
                if key not in self._workflow.loras or name != LORA_NAME:
                    self._check_value(Place(key, name), ours.get(Place(key, name), value))
            self._of(key)

    def choices(self, place: Place) -> tuple[str, ...]:
        """The names that an input takes; empty where it takes no names."""
        inputs = self._of(place.node).get("input", {})
        spec = {**inputs.get("required", {}), **inputs.get("optional", {})}.get(place.name)
        if not isinstance(spec, list) or not spec:
            return ()
        # newer servers write ["COMBO", {"options": [...]}]
        listed = spec[1].get("options") if spec[0] == "COMBO" and len(spec) > 1 else spec[0]
        return tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else ()

    def lora(self, lora: LoraFile, folder: str) -> str:
        """The name under which the server has a LoRA file; raises SubjectError where it has none, or another file.

        The bytes cannot be compared over HTTP. Where the server tells a file's metadata, those must be equal.
        """
        known = self.choices(Place(self._workflow.loras[0], LORA_NAME))
        name = _lora_name(lora.path.name, folder, known)
        try:
            theirs = self._client.get("/view_metadata/loras", filename=name)
        except RefusedError:
            return name  # an older server, or a file without metadata
        told = isinstance(theirs, Mapping) and theirs
        if told and {key: str(value) for key, value in theirs.items()} != dict(lora.metadata):
            raise SubjectError(
                f"the server's '{name}' is another file than {lora.path} (their metadata differ); copy it there again."
            )
        return name

    def sampler(self, asked: str) -> dict[str, str]:
        """The fields `sampler` and `scheduler` for a cell's sampler: 'euler', 'euler karras' or 'euler_karras'."""
        place = self._workflow.places.get("sampler")
        if place is None:
            raise BackendError(
                f"the suite asks for sampler '{asked}', which the workflow has no place for; map "
                "backend.options.nodes.sampler, or leave the suite's sampler at 'default'."
            )
        known = self.choices(place[0])
        name, _, scheduler = asked.partition(" ")
        if name not in known and name.endswith(KARRAS):
            name, scheduler = name.removesuffix(KARRAS), "karras"
        name = name if name in known else ALIASES.get(name, name)
        if known and name not in known:
            raise BackendError(_unknown("sampler", asked, known))
        return {"sampler": name, **({"scheduler": self._scheduler(scheduler, asked)} if scheduler else {})}

    def _scheduler(self, scheduler: str, asked: str) -> str:
        place = self._workflow.places.get("scheduler")
        if place is None:
            raise BackendError(
                f"the suite asks for sampler '{asked}', and the workflow has no place for a scheduler; map "
                "backend.options.nodes.scheduler."
            )
        known = self.choices(place[0])
        if known and scheduler not in known:
            raise BackendError(f"sampler '{asked}': {_unknown('scheduler', scheduler, known)}")
        return scheduler

    def _check_value(self, place: Place, value: object) -> None:
        known = self.choices(place)
        if isinstance(value, str) and known and value not in known:
            kind = self._workflow.graph[place.node]["class_type"]
            raise BackendError(f"node {place.node} ({kind}): {_unknown(place.name, value, known)}")

    def _of(self, key: str) -> Mapping[str, Any]:
        kind = self._workflow.graph[key]["class_type"]
        if kind not in self._types:
            try:
                answer = self._client.get(f"/object_info/{quote(kind, safe='')}")
            except RefusedError as error:
                raise self._client.strange(error) from None
            if not isinstance(answer, Mapping) or not isinstance(answer.get(kind), Mapping):
                raise BackendError(
                    f"the server has no node type '{kind}' (node {key} of the workflow); install it there."
                )
            self._types[kind] = answer[kind]
        return self._types[kind]


def _lora_name(file: str, folder: str, known: Sequence[str]) -> str:
    """The server's name for a file: below `folder` of its LoRAs, or the only one of that file name anywhere."""
    plain = {name: name.replace("\\", "/") for name in known}
    wanted = str(PurePosixPath(folder.replace("\\", "/"), file)) if folder else file
    exact = [name for name, text in plain.items() if text == wanted]
    found = exact or [name for name, text in plain.items() if not folder and PurePosixPath(text).name == file]
    if len(found) == 1:
        return found[0]
    if found:
        raise SubjectError(
            f"the server has {len(found)} LoRAs called '{file}' ({', '.join(found[:3])}); say which folder with "
            "backend.options.lora_folder."
        )
    raise SubjectError(f"{_unknown('LoRA of the server', wanted, known)} Copy it to its folder models/loras.")


def _unknown(kind: str, given: str, known: Sequence[str]) -> str:
    """As `unknown`, with the nearest names alone where there are too many: servers have hundreds of LoRAs."""
    if len(known) <= LONGEST_LIST:
        return unknown(kind, given, known)
    sentence, _, _ = unknown(kind, given, known).partition(" Known: ")
    return f"{sentence} The server knows {len(known)}."
