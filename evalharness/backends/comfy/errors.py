"""What a ComfyUI server says of a job that it refused or that failed, as one sentence with node and input."""

from collections.abc import Mapping
from typing import Any, TypeGuard

SHOWN = 3
LONGEST = 200


def refusal(body: Any, graph: Mapping[str, Mapping[str, Any]]) -> str:
    """What stands in the answer 400 to a prompt: the first errors of its nodes, else its own error."""
    nodes = body.get("node_errors") if isinstance(body, Mapping) else None
    said = [text for key, node in nodes.items() for text in _of_node(key, node, graph)] if _is_map(nodes) else []
    if said:
        more = f", and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
        return "; ".join(said[:SHOWN]) + more
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(error, Mapping):
        return _short(f"{error.get('message', error.get('type', ''))} {error.get('details', '')}")
    return _short(error)


def failure(messages: Any) -> str:
    """Why an executed job has no image, by the messages of its /history."""
    told = {message[0]: message[1] for message in messages or () if isinstance(message, list) and len(message) == 2}
    if _is_map(told.get("execution_error")):
        data = told["execution_error"]
        kind = str(data.get("exception_type", "error")).rsplit(".", 1)[-1]
        where = f"node {data.get('node_id', '?')} ({data.get('node_type', '?')})"
        return f"ComfyUI failed at {where}: {kind}: {_short(data.get('exception_message', ''))}{_inputs(data)}"
    if "execution_interrupted" in told:
        return "ComfyUI was told to interrupt the job"
    return "ComfyUI failed without saying why; its log says more"


def _of_node(key: str, node: Any, graph: Mapping[str, Mapping[str, Any]]) -> list[str]:
    errors = node.get("errors") if _is_map(node) else None
    kind = graph.get(key, {}).get("class_type", "?")
    return [_of_error(f"node {key} ({kind})", error) for error in errors or () if _is_map(error)]


def _of_error(node: str, error: Mapping[str, Any]) -> str:
    extra = error.get("extra_info")
    name = extra.get("input_name") if _is_map(extra) else None
    where = f"{node}, input {name}" if name else node
    details = f" ({error['details']})" if error.get("details") else ""
    return _short(f"{where}: {error.get('message', error.get('type', 'refused'))}{details}")


def _inputs(data: Mapping[str, Any]) -> str:
    """The names of the failed node's inputs."""
    inputs = data.get("current_inputs")
    return f" (inputs {', '.join(sorted(map(str, inputs)))})" if _is_map(inputs) and inputs else ""


def _is_map(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
