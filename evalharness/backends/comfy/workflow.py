"""The user's workflow, and where our fields stand in it: as the option `nodes` says, else where only one place can be.

Raises BackendError everywhere, one sentence with the field and an example.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalharness.comfy_graph import FIELDS, Graph, Place, lora_nodes, places, read_graph, samplers, value_at
from evalharness.digest import digest
from evalharness.errors import BackendError, unknown
from evalharness.paths import resolve

SAVE = "save"
PREFIX = "filename_prefix"
LORA_NAME = "lora_name"
STRENGTHS = ("strength_model", "strength_clip", "strength")
OWN_VALUES = ("sampler", "scheduler", "checkpoint")
"""Fields whose own values stay where a cell does not say otherwise, so that they count for the pixels."""

NEEDED = ("prompt", "seed", "steps", "cfg", "width", "height")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A graph; `places` of our fields, without those in `kept`; the ids of its LoRA loaders, and of what saves."""

    graph: Graph
    places: Mapping[str, tuple[Place, ...]]
    kept: frozenset[str]
    loras: tuple[str, ...]
    save: str

    @property
    def digest(self) -> str:
        """SHA-256 of all in it that no cell decides: the graph without the values we set, and where we set them."""
        ours = {place for name, found in self.places.items() if name not in OWN_VALUES for place in found}
        ours |= {Place(key, name) for key in self.loras for name in (LORA_NAME, *STRENGTHS)} | {
            Place(self.save, PREFIX)
        }
        rest = {
            key: [
                node["class_type"],
                {name: given for name, given in node["inputs"].items() if Place(key, name) not in ours},
            ]
            for key, node in self.graph.items()
        }
        return digest(
            [rest, {name: [str(place) for place in found] for name, found in self.places.items()}, self.loras]
        )

    def own(self, name: str) -> Any:
        """The value that the workflow itself has for a field, or None."""
        found = self.places.get(name)
        return value_at(self.graph, found[0]) if found else None

    def filled(self, values: Mapping[str, object], loras: Sequence[tuple[str, float]]) -> dict[str, dict[str, Any]]:
        """A graph of its own with these values of fields, and (name, strength) of each LoRA loader in order."""
        graph = {key: {**node, "inputs": dict(node["inputs"])} for key, node in self.graph.items()}
        for name, value in values.items():
            for place in self.places.get(name, ()):
                graph[place.node]["inputs"][place.name] = value
        for key, (lora, strength) in zip(self.loras, loras, strict=True):
            inputs = graph[key]["inputs"]
            inputs[LORA_NAME] = lora
            inputs.update({name: strength for name in STRENGTHS if name in inputs})
        return graph


def read_workflow(path: str, nodes: Mapping[str, object], loras: Sequence[str]) -> Workflow:
    """The workflow of a JSON file in API format with our fields' places."""
    if not path:
        raise BackendError("backend.options.workflow names no file; give one that ComfyUI wrote with 'Export (API)'.")
    graph = _graph(path)
    for name in nodes:
        if name not in (*FIELDS, SAVE):
            raise BackendError(unknown("field in backend.options.nodes", str(name), (*FIELDS, SAVE)))
    kept = frozenset(name for name, value in nodes.items() if value is None)
    given = {name: tuple(_place(graph, name, value)) for name, value in nodes.items() if name not in {*kept, SAVE}}
    found = {**_agreed(graph), **given}
    made = {name: found[name] for name in FIELDS if name in found and name not in kept}
    missing = [name for name in NEEDED if name not in made and name not in kept]
    if missing or kept & {"prompt", "seed"}:
        raise BackendError(_not_found(graph, path, missing or sorted(kept & {"prompt", "seed"})))
    return Workflow(graph=graph, places=made, kept=kept, loras=_loras(graph, loras), save=_save(graph, nodes.get(SAVE)))


def _graph(path: str) -> Graph:
    file = resolve(path)
    try:
        return read_graph(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise BackendError(f"workflow '{path}' cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        reason = "it is no JSON" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else error
        raise BackendError(f"workflow '{path}' cannot be used: {reason}.") from None


def _agreed(graph: Graph) -> dict[str, tuple[Place, ...]]:
    """The places that all samplers of the workflow agree on: those of a single one, or what a chain of them shares."""
    found = [places(graph, sampler) for sampler in samplers(graph)]
    return (
        {name: place for name, place in found[0].items() if all(one.get(name) == place for one in found)}
        if found
        else {}
    )


def _place(graph: Graph, field: str, value: object) -> Iterator[Place]:
    """The places that the option gives a field: 'node.input', or a list of these."""
    for one in value if isinstance(value, list | tuple) else [value]:
        node, _, name = str(one).partition(".")
        if node not in graph:
            raise BackendError(f"backend.options.nodes.{field} is '{one}': {unknown('node', node, graph)}")
        if name not in graph[node]["inputs"]:
            raise BackendError(
                f"backend.options.nodes.{field} is '{one}': {unknown('input', name, graph[node]['inputs'])}"
            )
        yield Place(node, name)


def _not_found(graph: Graph, path: str, missing: Sequence[str]) -> str:
    count = len(samplers(graph))
    why = (
        "has no sampler that is known" if not count else f"has {count} samplers" if count > 1 else "is not clear about"
    )
    return (
        f"workflow '{path}' {why}{'' if count == 1 else ', so that it is not clear about'} {', '.join(missing)}; name "
        f"the inputs in backend.options.nodes, such as {missing[0]}: NODE.INPUT, or null (not for prompt and seed) to "
        "leave one as it is."
    )


def _loras(graph: Graph, given: Sequence[str]) -> tuple[str, ...]:
    """The LoRA loaders that are ours to set: those given, else a single one."""
    known = [key for key, node in graph.items() if LORA_NAME in node["inputs"]]
    for key in given:
        if key not in known:
            raise BackendError(f"backend.options.loras: {unknown('LoRA loader', key, known)}")
    if not given and len(known) > 1:
        chain = [key for sampler in samplers(graph)[:1] for key in lora_nodes(graph, sampler)] or known
        raise BackendError(
            f"the workflow has {len(known)} LoRA loaders; say in backend.options.loras which are for the subject's "
            f"files, such as ['{chain[0]}'], and the others stay as they are."
        )
    return tuple(given or known)


def _save(graph: Graph, given: object) -> str:
    """The node that saves the image."""
    known = [key for key, node in graph.items() if PREFIX in node["inputs"]]
    if given is not None and str(given) not in known:
        raise BackendError(f"backend.options.nodes.save: {unknown('node with a filename_prefix', str(given), known)}")
    if given is None and len(known) != 1:
        raise BackendError(
            f"the workflow has {len(known)} nodes that save images ({', '.join(known) or 'none'}); "
            "keep one SaveImage, or name it in backend.options.nodes.save."
        )
    return known[0] if given is None else str(given)
