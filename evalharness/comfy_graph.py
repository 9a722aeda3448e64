"""A ComfyUI workflow in API format: which inputs of which nodes hold the prompt, the seed, the size, the LoRAs, ...

A graph maps ids of nodes to {"class_type": name, "inputs": {name: value}}, where a value [node, output] is a link.
Nothing is known of node types beyond the names of their inputs, which also fit nodes of third parties; what cannot be
followed without a guess is not found.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Node = Mapping[str, Any]
Graph = Mapping[str, Node]

MOST_NODES = 5_000
MOST_SAMPLERS = 20
FIELDS = ("prompt", "negative", "seed", "steps", "cfg", "sampler", "scheduler", "width", "height", "checkpoint")
"""What is looked for, beside LoRAs; each may stand in several places (SDXL's two text encoders)."""

TEXTS = ("text", "text_g", "text_l", "clip_l", "t5xxl", "prompt")
CHECKPOINTS = ("ckpt_name", "unet_name", "model_name")
LITERALS = ("value", "text", "string", "String", "seed", "int", "float", "number")
_CONDITIONS = ("conditioning", "positive", "cond")


class Place(NamedTuple):
    """An input of a node."""

    node: str
    name: str

    def __str__(self) -> str:
        return f"{self.node}.{self.name}"


def read_graph(value: object) -> dict[str, Node]:
    """A graph in API format; raises ValueError, which says what it is instead."""
    if isinstance(value, Mapping) and isinstance(value.get("nodes"), list):
        raise ValueError("it is a workflow as the editor saves it; export it with 'Export (API)'")
    if not isinstance(value, Mapping) or not value:
        raise ValueError("it is no workflow in API format")
    if len(value) > MOST_NODES:
        raise ValueError(f"it has {len(value):,} nodes, more than the {MOST_NODES:,} that are read")
    nodes = {str(key): node for key, node in value.items() if isinstance(node, Mapping) and "class_type" in node}
    for key, node in nodes.items():
        if not isinstance(node["class_type"], str) or not isinstance(node.get("inputs"), Mapping):
            raise ValueError(f"its node {key} has no class_type and inputs")
    if not nodes:
        raise ValueError("it is no workflow in API format")
    return nodes


def samplers(graph: Graph) -> list[str]:
    """The nodes that make an image from noise, the first of a chain (before a hires pass) first."""
    found = [key for key, node in graph.items() if _samples(node["inputs"])][:MOST_SAMPLERS]
    above = {key: _above(graph, key) for key in found}
    return sorted(found, key=lambda key: sum(other in above[key] for other in found if other != key))


def places(graph: Graph, sampler: str) -> dict[str, tuple[Place, ...]]:
    """Where the fields of FIELDS stand for one sampler, without those that are not found."""
    found = {**_numbers(graph, sampler), **_conditions(graph, sampler), **_size(graph, sampler)}
    found["checkpoint"] = _checkpoint(graph, sampler)
    return {name: found[name] for name in FIELDS if found.get(name)}


def lora_nodes(graph: Graph, sampler: str) -> list[str]:
    """The LoRA loaders between the sampler's model and its checkpoint, in the order they are applied."""
    return [key for key in reversed(list(_models(graph, sampler))) if "lora_name" in graph[key]["inputs"]]


def value_at(graph: Graph, place: Place) -> Any:
    """What stands there."""
    return graph[place.node]["inputs"].get(place.name)


def link(graph: Graph, place: Place) -> str | None:
    """The node whose output is led to this place, or None for a literal value."""
    value = value_at(graph, place)
    linked = isinstance(value, list | tuple) and len(value) == 2 and str(value[0]) in graph
    return str(value[0]) if linked else None


def settle(graph: Graph, place: Place, kind: type | tuple[type, ...]) -> Place | None:
    """The place of the literal value that reaches `place` through any links, or None where that is not clear."""
    seen = set()
    while place not in seen:
        seen.add(place)
        source = link(graph, place)
        if source is None:
            return place if _literal(value_at(graph, place), kind) else None
        inputs = graph[source]["inputs"]
        named = [name for name in (place.name, *LITERALS) if _literal(inputs.get(name), kind)]
        linked = [name for name in inputs if link(graph, Place(source, name)) is not None]
        if not named and len(linked) != 1:
            return None
        place = Place(source, (named or linked)[0])
    return None


def _literal(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _samples(inputs: Mapping[str, Any]) -> bool:
    classic = {"positive", "latent_image"} <= inputs.keys() and bool({"seed", "noise_seed"} & inputs.keys())
    return classic or {"noise", "guider", "sampler", "sigmas"} <= inputs.keys()


def _above(graph: Graph, key: str) -> set[str]:
    """All nodes whose outputs reach this one."""
    seen: set[str] = set()
    waiting = [key]
    while waiting:
        node = waiting.pop()
        sources = {source for name in graph[node]["inputs"] if (source := link(graph, Place(node, name)))}
        waiting += sources - seen
        seen |= sources
    return seen


def _first(graph: Graph, starts: tuple[Place, ...], kind: type | tuple[type, ...]) -> tuple[Place, ...]:
    """The first of several places that is there, as the place of its literal value."""
    for start in starts:
        if start.name in graph[start.node]["inputs"]:
            place = settle(graph, start, kind)
            return (place,) if place else ()
    return ()


def _beside(graph: Graph, sampler: str, name: str) -> str:
    """The helper node of a custom sampler (its noise, guider, sigmas, ...), else the sampler itself."""
    return link(graph, Place(sampler, name)) or sampler


def _numbers(graph: Graph, sampler: str) -> dict[str, tuple[Place, ...]]:
    noise, sigmas, guider, chosen = (_beside(graph, sampler, name) for name in ("noise", "sigmas", "guider", "sampler"))
    conditions = list(_walk(graph, guider, ("positive", "conditioning"), _CONDITIONS))
    guidance = [Place(key, "guidance") for key in conditions if "guidance" in graph[key]["inputs"]]
    return {
        "seed": _first(graph, (Place(noise, "noise_seed"), Place(noise, "seed")), int),
        "steps": _first(graph, (Place(sigmas, "steps"),), int),
        "cfg": _first(graph, (Place(guider, "cfg"), *guidance), (int, float)),
        "sampler": _first(graph, (Place(chosen, "sampler_name"),), str),
        "scheduler": _first(graph, (Place(sigmas, "scheduler"),), str),
    }


def _conditions(graph: Graph, sampler: str) -> dict[str, tuple[Place, ...]]:
    guider = _beside(graph, sampler, "guider")
    return {
        "prompt": _texts(graph, list(_walk(graph, guider, ("positive", "conditioning"), _CONDITIONS))),
        "negative": _texts(graph, list(_walk(graph, guider, ("negative",), ("negative", *_CONDITIONS)))),
    }


def _texts(graph: Graph, walked: list[str]) -> tuple[Place, ...]:
    """The texts of the node at the end of a walk; none where the last word is not a text (a zeroed condition)."""
    if not walked or any("zeroout" in graph[key]["class_type"].lower() for key in walked):
        return ()
    last = walked[-1]
    starts = [Place(last, name) for name in TEXTS if name in graph[last]["inputs"]]
    settled = [settle(graph, start, str) for start in starts]
    return tuple(dict.fromkeys(place for place in settled if place is not None)) if None not in settled else ()


def _size(graph: Graph, sampler: str) -> dict[str, tuple[Place, ...]]:
    """Width and height of the latent that the sampler starts from."""
    last = [sampler, *_walk(graph, sampler, ("latent_image",), ("latent_image", "samples", "latent"))][-1]
    return {name: _first(graph, (Place(last, name),), int) for name in ("width", "height")}


def _models(graph: Graph, sampler: str) -> Iterator[str]:
    """The nodes that the sampler's model comes through, back to the one that loads it."""
    return _walk(graph, _beside(graph, sampler, "guider"), ("model",), ("model",))


def _checkpoint(graph: Graph, sampler: str) -> tuple[Place, ...]:
    last = [sampler, *_models(graph, sampler)][-1]
    return _first(graph, tuple(Place(last, name) for name in CHECKPOINTS), str)


def _walk(graph: Graph, start: str, first: tuple[str, ...], then: tuple[str, ...]) -> Iterator[str]:
    """The nodes behind links, from node to node by the first of these inputs that is one; ends at a cycle.

    A node of a single input, of any name, passes on what it is given (a reroute).
    """
    key, names, seen = start, first, {start}
    while True:
        inputs = graph[key]["inputs"]
        followed = tuple(inputs) if len(inputs) == 1 else names
        sources = [source for name in followed if (source := link(graph, Place(key, name)))]
        if not sources or sources[0] in seen:
            return
        key, names = sources[0], then
        seen.add(key)
        yield key
