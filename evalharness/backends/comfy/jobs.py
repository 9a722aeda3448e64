"""Jobs of a ComfyUI server: queued together, so that it never idles between them, and their images fetched."""

import contextlib
import io
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from evalharness.backends.comfy.client import DROPPED, Client, RefusedError
from evalharness.backends.comfy.errors import failure, refusal
from evalharness.backends.comfy.events import Events
from evalharness.backends.comfy.workflow import PREFIX
from evalharness.errors import BackendError
from evalharness.types import Failure

LARGEST_PIXELS = 64_000_000
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between looks at a job, doubled from the first to the longest."""

Filled = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True, kw_only=True)
class _Job:
    graph: Filled
    id: str = ""
    attempts: int = 0


class Jobs:
    """The jobs of one client; `save` is the node whose image is wanted."""

    def __init__(self, client: Client, save: str) -> None:
        self._client = client
        self._save = save
        self._client_id = uuid.uuid4().hex

    def run(self, graphs: Sequence[Filled]) -> list[Image.Image | Failure]:
        """The image of each graph, in order, or why there is none; raises BackendError for a refused graph.

        What is still queued when this is interrupted is taken out of the server's queue again.
        """
        waiting = deque(_Job(graph=graph) for graph in graphs)
        images: list[Image.Image | Failure] = []
        with Events(self._client.url, self._client_id) as events:
            try:
                for job in waiting:
                    self._submit(job)
                while waiting:
                    entry = self._finished(waiting[0], events)
                    image = self._image(entry)
                    if image is None and self._again(waiting[0]):
                        continue
                    images.append(image or Failure(reason=self._nothing(waiting[0])))
                    waiting.popleft()
            except BaseException:
                self._withdraw(waiting)
                raise
        return images

    def _submit(self, job: _Job) -> None:
        """Queue a job under a new file name: for an old one the server would answer with the old file."""
        token = str(uuid.uuid4())
        node = job.graph[self._save]
        saving = {**node, "inputs": {**node["inputs"], PREFIX: f"evalharness/{token}"}}
        body = {"prompt": {**job.graph, self._save: saving}, "client_id": self._client_id, "prompt_id": token}
        job.id = token
        job.attempts += 1
        try:
            answer = self._client.retried(lambda: self._post(body, token))
        except RefusedError as error:
            if error.status != 400:
                raise self._client.strange(error) from None
            raise BackendError(f"ComfyUI refuses the workflow: {refusal(error.body, job.graph)}.") from None
        if isinstance(answer, Mapping) and isinstance(answer.get("prompt_id"), str):
            job.id = answer["prompt_id"]

    def _post(self, body: Mapping[str, Any], token: str) -> Any:
        try:
            return self._client.post("/prompt", body)
        except DROPPED:
            # the job may have arrived before its answer was lost
            if self._known(token):
                return {"prompt_id": token}
            raise

    def _known(self, token: str) -> bool:
        # in this order: a job that ends between the two looks is found by the second
        return token in _queued(self._client.get("/queue")) or token in self._client.get(f"/history/{token}")

    def _finished(self, job: _Job, events: Events) -> Mapping[str, Any]:
        """The job's entry in the history, waited for as long as the server shows signs of life."""
        pause, seen, since = FIRST_PAUSE, None, time.monotonic()
        while True:
            answer = self._client.get(f"/history/{job.id}")
            if isinstance(answer, Mapping) and isinstance(answer.get(job.id), Mapping):
                entry: Mapping[str, Any] = answer[job.id]
                return entry
            queue = _queued(self._client.get("/queue"))
            if job.id not in queue and not self._known(job.id):
                self._resubmit(job)
            alive = events.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            if alive or queue != seen:
                seen, since = queue, time.monotonic()
            elif time.monotonic() - since > self._client.waits.stall:
                raise BackendError(
                    f"ComfyUI at {self._client.url} shows no progress for {self._client.waits.stall:g} s; look at its "
                    "log, or raise backend.options.stall_seconds."
                )

    def _resubmit(self, job: _Job) -> None:
        """Queue a job again that the server has forgotten, as it does when it is started anew."""
        if not self._again(job):
            raise BackendError(
                f"ComfyUI at {self._client.url} forgot a job {job.attempts} times; does it crash? Its log says more."
            )

    def _again(self, job: _Job) -> bool:
        if job.attempts > self._client.waits.retries:
            return False
        self._submit(job)
        return True

    def _nothing(self, job: _Job) -> str:
        return f"ComfyUI answered {job.attempts} times without an image of node {self._save}, as for a cached prompt"

    def _image(self, entry: Mapping[str, Any]) -> Image.Image | Failure | None:
        """The image of a finished job, why it has none, or None where the server took its outputs for cached."""
        status = entry.get("status") or {}
        if status.get("status_str") == "error":
            return Failure(reason=failure(status.get("messages")))
        files = (entry.get("outputs") or {}).get(self._save, {}).get("images") or []
        if len(files) > 1:
            raise BackendError(
                f"the workflow makes {len(files)} images for a prompt; set the batch_size of its latent to 1."
            )
        return self._fetch(files[0]) if files else None

    def _fetch(self, file: Mapping[str, str]) -> Image.Image | Failure:
        query = {key: str(file.get(key, "")) for key in ("filename", "subfolder", "type")}
        try:
            data = self._client.get_bytes("/view", **query)
        except RefusedError as error:
            return Failure(reason=f"ComfyUI does not give its image '{query['filename']}' ({error})")
        return _opened(data, query["filename"])

    def _withdraw(self, waiting: Sequence[_Job] | deque[_Job]) -> None:
        with contextlib.suppress(Exception):
            self._client.post("/queue", {"delete": [job.id for job in waiting if job.id]})


def _queued(answer: Any) -> tuple[str, ...]:
    """The ids of the running and the waiting jobs; an entry is [number, id, ...]."""
    listed = (
        [answer.get(key) or [] for key in ("queue_running", "queue_pending")] if isinstance(answer, Mapping) else []
    )
    return tuple(str(entry[1]) for entries in listed for entry in entries if isinstance(entry, list) and len(entry) > 1)


def _opened(data: bytes, name: str) -> Image.Image | Failure:
    """A picture as RGB with the texts it carries, bounded before it is decoded."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > LARGEST_PIXELS:
                return Failure(
                    reason=f"ComfyUI's image '{name}' has {image.width} x {image.height} pixels; 64 M are read"
                )
            converted: Image.Image = image.convert("RGB")
            return converted
    except Exception as error:  # a damaged file makes Pillow raise nearly every built-in type
        return Failure(reason=f"ComfyUI's image '{name}' cannot be read ({error})")
