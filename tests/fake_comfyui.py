"""A small ComfyUI: HTTP and websocket as a real server (0.3.64) speaks them, drawn pictures instead of a model.

It answers as recorded: 400 with node_errors, execution_error, a cached prompt with the old file or with no output,
connections that drop, and a start that takes its time. Prompts run one after another in a thread.
"""

import base64
import hashlib
import io
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np
from PIL import Image, PngImagePlugin

Graph = dict[str, dict[str, Any]]

WORKFLOW: Graph = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 1,
            "steps": 20,
            "cfg": 8.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "anima.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a castle", "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text", "clip": ["10", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "ComfyUI"}},
    "10": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "someone-elses.safetensors",
            "strength_model": 1.0,
            "strength_clip": 1.0,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
    },
}
"""The workflow of every tutorial, with one LoRA loader."""


@dataclass
class FakeComfy:
    """What the server has, what it shall do wrong, and what it did."""

    checkpoints: list[str] = field(default_factory=lambda: ["anima.safetensors", "other.safetensors"])
    loras: dict[str, dict[str, str]] = field(default_factory=dict)
    samplers: list[str] = field(default_factory=lambda: ["euler", "euler_ancestral", "dpmpp_2m"])
    combo: bool = False
    """List names as newer servers do."""

    busy: int = 0
    """Requests still answered by 503, as while a server starts behind a proxy."""
    drop: int = 0
    """Requests whose connection closes without an answer."""
    drop_accepted: int = 0
    """Prompts that are queued, but whose answer is lost."""
    drop_sockets: int = 0
    """Websockets that close in the middle of a job."""
    sockets: bool = True
    """False: no websocket at all."""
    empty: int = 0
    """Jobs that end with outputs that count as cached and are not told."""
    forget: int = 0
    """Jobs that vanish, as when the server starts anew."""
    hang: bool = False
    """Jobs never end."""
    fail_on: str = ""
    """A text; prompts that hold it end with execution_error."""
    step_seconds: float = 0.0
    ignores_lora: bool = False

    url: str = ""
    rendered: int = 0
    posted: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    messages: int = 0

    def __post_init__(self) -> None:
        self.history: dict[str, Any] = {}
        self.running: list[Any] = []
        self.pending: list[Any] = []
        self.files: dict[str, bytes] = {}
        self.cache: dict[str, list[dict[str, str]]] = {}
        self.clients: dict[str, socket.socket] = {}
        self.changed = threading.Condition()
        self.closing = False

    # The nodes it has

    def object_info(self) -> dict[str, Any]:
        def names(*listed: str) -> list[Any]:
            return ["COMBO", {"options": list(listed)}] if self.combo else [list(listed)]

        loader = {"lora_name": names(*self.loras), "strength_model": ["FLOAT", {}], "strength_clip": ["FLOAT", {}]}
        sampler = {"seed": ["INT", {}], "sampler_name": names(*self.samplers), "scheduler": names("normal", "karras")}
        required: dict[str, dict[str, Any]] = {
            "KSampler": {**sampler, "model": ["MODEL"], "positive": ["CONDITIONING"]},
            "CheckpointLoaderSimple": {"ckpt_name": names(*self.checkpoints)},
            "EmptyLatentImage": {"width": ["INT", {}], "height": ["INT", {}], "batch_size": ["INT", {}]},
            "CLIPTextEncode": {"text": ["STRING", {"multiline": True}], "clip": ["CLIP"]},
            "ConditioningZeroOut": {"conditioning": ["CONDITIONING"]},
            "Reroute (rgthree)": {},
            "PrimitiveString": {"value": ["STRING", {}]},
            "VAEDecode": {"samples": ["LATENT"], "vae": ["VAE"]},
            "SaveImage": {"images": ["IMAGE"], "filename_prefix": ["STRING", {}]},
            "LoraLoader": loader,
        }
        return {
            kind: {"input": {"required": inputs}, "output_node": kind == "SaveImage"}
            for kind, inputs in required.items()
        }

    def validate(self, graph: Graph) -> dict[str, Any] | None:
        """The body of the answer 400, or None for a graph that can run."""
        known, errors = self.object_info(), {}
        for key, node in graph.items():
            if node["class_type"] not in known:
                return {
                    "error": {"type": "invalid_prompt", "message": "Cannot execute", "details": f"Node ID '#{key}'"}
                }
            for name, spec in known[node["class_type"]]["input"]["required"].items():
                listed = spec[1]["options"] if spec[0] == "COMBO" else spec[0]
                given = node["inputs"].get(name)
                if isinstance(listed, list) and given not in listed:
                    wrong = {
                        "type": "value_not_in_list",
                        "message": "Value not in list",
                        "details": f"{name}: '{given}' not in {listed}",
                        "extra_info": {"input_name": name, "received_value": given},
                    }
                    errors[key] = {"errors": [wrong], "dependent_outputs": ["9"], "class_type": node["class_type"]}
        failed = {
            "type": "prompt_outputs_failed_validation",
            "message": "Prompt outputs failed validation",
            "details": "",
        }
        return {"error": failed, "node_errors": errors} if errors else None

    # The queue

    def post_prompt(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.posted.append(body)
        if refused := self.validate(body["prompt"]):
            return 400, refused
        with self.changed:
            if self.forget > 0:
                self.forget -= 1
            else:
                self.pending.append(
                    [len(self.posted), body["prompt_id"], body["prompt"], {"client_id": body["client_id"]}]
                )
                self.changed.notify_all()
        return 200, {"prompt_id": body["prompt_id"], "number": len(self.posted), "node_errors": {}}

    def where(self, kind: str, token: str) -> dict[str, Any]:
        """The history of a job, or the queue, as of one moment."""
        with self.changed:
            if kind == "queue":
                return {"queue_running": list(self.running), "queue_pending": list(self.pending)}
            return {token: self.history[token]} if token in self.history else {}

    def work(self) -> None:
        """Run the queued prompts until the server closes."""
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.closing or (self.pending and not self.hang), timeout=30)
                if self.closing:
                    return
                if not self.pending:
                    continue
                job = self.pending.pop(0)
                self.running = [job]
            self.execute(job[1], job[2], job[3]["client_id"])

    def execute(self, token: str, graph: Graph, client: str) -> None:
        self.tell(client, "execution_start", {"prompt_id": token})
        key = json.dumps(graph, sort_keys=True)
        cached = list(graph) if key in self.cache else []
        self.tell(client, "execution_cached", {"nodes": cached, "prompt_id": token})
        messages: list[Any] = [["execution_start", {"prompt_id": token}]]
        outputs: dict[str, Any] = {}
        status = "success"
        for step in range(2):
            self.tell(client, "progress_state", {"prompt_id": token, "nodes": {"3": {"value": step, "max": 2}}})
            time.sleep(self.step_seconds)
        if self.drop_sockets > 0 and client in self.clients:
            self.drop_sockets -= 1
            self.clients.pop(client).shutdown(socket.SHUT_RDWR)
        if self.fail_on and self.fail_on in graph["6"]["inputs"]["text"]:
            status, error = "error", self.execution_error(token)
            messages.append(["execution_error", error])
        elif self.empty > 0:
            self.empty -= 1
        else:
            outputs = {"9": {"images": self.cache.setdefault(key, []) or self.render(graph, self.cache[key])}}
        kind = "execution_error" if status == "error" else "execution_success"
        self.tell(client, kind, {"prompt_id": token})
        with self.changed:
            done = {"status_str": status, "completed": status == "success", "messages": messages}
            self.history[token] = {"prompt": [], "outputs": outputs, "status": done, "meta": {}}
            self.running = []
        self.tell(client, "executing", {"node": None, "prompt_id": token})

    def execution_error(self, token: str) -> dict[str, Any]:
        return {
            "prompt_id": token,
            "node_id": "3",
            "node_type": "KSampler",
            "executed": ["4", "6"],
            "exception_message": "Allocation on device\nThis error means you ran out of memory on your GPU.",
            "exception_type": "torch.OutOfMemoryError",
            "traceback": ["File ..."],
            "current_inputs": {"seed": [1], "steps": [20]},
        }

    # Pictures

    def render(self, graph: Graph, images: list[dict[str, str]]) -> list[dict[str, str]]:
        """One PNG with the graph in its chunk `prompt`, below a number as the server gives it."""
        self.rendered += 1
        prefix, _, name = str(graph["9"]["inputs"]["filename_prefix"]).rpartition("/")
        file = f"{name}_{self.rendered:05}_.png"
        text = PngImagePlugin.PngInfo()
        text.add_text("prompt", json.dumps(graph))
        buffer = io.BytesIO()
        self.draw(graph).save(buffer, "PNG", pnginfo=text)
        self.files[f"{prefix}/{file}"] = buffer.getvalue()
        images.append({"filename": file, "subfolder": prefix, "type": "output"})
        return images

    def draw(self, graph: Graph) -> Image.Image:
        """A bright plain ground that prompt, seed and setting decide, shifted by every LoRA that is not at 0."""
        sampler, size = graph["3"]["inputs"], graph["5"]["inputs"]
        told = [graph[sampler[side][0]]["inputs"].get("text") for side in ("positive", "negative")]
        told += [sampler[key] for key in ("seed", "steps", "cfg", "sampler_name", "scheduler")]
        color = 160 + 60 * _random(told, graph["4"]["inputs"]["ckpt_name"])
        for node in graph.values():
            if node["class_type"] == "LoraLoader" and not self.ignores_lora:
                color = color + 30 * node["inputs"]["strength_model"] * _random(node["inputs"]["lora_name"])
        plain = np.broadcast_to(color, (size["height"], size["width"], 3))
        return Image.fromarray(plain.clip(0, 255).round().astype(np.uint8))

    # The websocket, one way: text frames without a mask (RFC 6455)

    def tell(self, client: str, kind: str, data: Mapping[str, Any]) -> None:
        if client in self.clients:
            payload = json.dumps({"type": kind, "data": data}).encode()
            length = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + struct.pack(">H", len(payload))
            try:
                self.clients[client].sendall(b"\x81" + length + payload)
                self.messages += 1
            except OSError:
                self.clients.pop(client, None)


def _random(*parts: object) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Three numbers in 0..1 that anything decides."""
    seed = int.from_bytes(hashlib.sha256(json.dumps(parts).encode()).digest()[:8])
    return np.random.default_rng(seed).uniform(0, 1, 3)


def _handler(comfy: FakeComfy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            if path == "/ws":
                return self.talk(query["clientId"])
            comfy.requests.append(path)
            if self.troubled():
                return None
            if path == "/view":
                data = comfy.files.get(f"{query['subfolder']}/{query['filename']}")
                return self.answer(200, data, "image/png") if data else self.answer(404, b"")
            return self.answer(*self.json_answer(path, query))

        def json_answer(self, path: str, query: Mapping[str, str]) -> tuple[int, object]:
            first, _, rest = unquote(path).strip("/").partition("/")
            if first == "object_info":
                known = comfy.object_info()
                return 200, {rest: known[rest]} if rest in known else {}
            if first in ("history", "queue"):
                return 200, comfy.where(first, rest)
            if first == "system_stats":
                system = {"comfyui_version": "0.3.64", "pytorch_version": "2.8.0+cpu"}
                return 200, {"system": system, "devices": [{"name": "cpu", "type": "cpu", "index": 0}]}
            metadata = comfy.loras.get(query.get("filename", "")) if first == "view_metadata" else None
            return (200, metadata) if metadata else (404, {})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            comfy.requests.append(self.path)
            if self.troubled():
                return
            if self.path == "/queue":
                comfy.deleted += body["delete"]
                self.answer(200, b"")
                return
            status, answer = comfy.post_prompt(body)
            if comfy.drop_accepted > 0:
                comfy.drop_accepted -= 1
                self.close_connection = True
                return
            self.answer(status, answer)

        def troubled(self) -> bool:
            """Whether this request gets what the test asked for instead of an answer."""
            if comfy.busy > 0:
                comfy.busy -= 1
                self.answer(503, b"starting")
                return True
            if comfy.drop > 0:
                comfy.drop -= 1
                self.close_connection = True
                return True
            return False

        def answer(self, status: int, body: object, kind: str = "application/json") -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def talk(self, client: str) -> None:
            """Shake hands, and keep the connection until the other side, or the test, closes it."""
            self.close_connection = True
            if not comfy.sockets:
                return self.answer(404, b"")
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
            self.send_response(101)
            for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
                self.send_header(name, value)
            self.end_headers()
            comfy.clients[client] = self.connection
            comfy.tell(client, "status", {"status": {"exec_info": {"queue_remaining": 0}}, "sid": client})
            try:
                while (head := self.rfile.read(2)) and head[0] & 0x0F != 8:
                    self.rfile.read(4 + (head[1] & 0x7F))
                self.connection.sendall(b"\x88\x00")
            except OSError:
                pass
            comfy.clients.pop(client, None)

    return Handler


@contextmanager
def serving(comfy: FakeComfy, port: int = 0) -> Iterator[FakeComfy]:
    """The server on a free port of this machine (or the given one), until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler(comfy))
    comfy.url = f"http://127.0.0.1:{server.server_port}"
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)), threading.Thread(target=comfy.work)]
    for thread in threads:
        thread.start()
    try:
        yield comfy
    finally:
        with comfy.changed:
            comfy.closing = True
            comfy.changed.notify_all()
        server.shutdown()
        for connection in list(comfy.clients.values()):
            connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        server.server_close()
