"""HTTP to a ComfyUI server: asked again when a connection drops, waited for while it starts."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from evalharness.backends.comfy.settings import Waits
from evalharness.errors import BackendError

T = TypeVar("T")
STARTING = (502, 503, 504)
"""What a proxy says for a server that is not up yet."""

DROPPED = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


class RefusedError(Exception):
    """The server answered with an HTTP status of 400 or more; `body` is its answer, read as JSON where it is that."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"HTTP {status}: {str(body)[:300]}")
        self.status = status
        self.body = body


class Client:
    """One server. Connections go to it directly, past any proxy of the environment: it stands on the user's machine."""

    def __init__(self, url: str, waits: Waits) -> None:
        self.url = url
        self.waits = waits
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ready(self) -> Any:
        """The server's /system_stats as soon as it answers; raises BackendError after `waits.start` seconds."""
        deadline = time.monotonic() + self.waits.start
        for pause in _pauses():
            try:
                return _json(self.once("/system_stats"), "/system_stats")
            except DROPPED as error:
                reason = _reason(error)
            except RefusedError as error:
                if error.status not in STARTING:
                    raise self.strange(error) from None
                reason = str(error)
            if time.monotonic() + pause > deadline:
                break
            time.sleep(pause)
        raise BackendError(
            f"no ComfyUI answers at {self.url} ({reason}, waited {self.waits.start:g} s); start it, "
            "or set backend.options.url."
        )

    def get(self, path: str, **query: str) -> Any:
        """An answer as JSON; raises RefusedError, and BackendError for a server that is gone."""
        return self.retried(lambda: _json(self.once(path, query), path))

    def get_bytes(self, path: str, **query: str) -> bytes:
        """An answer as it is; raises as `get`."""
        return self.retried(lambda: self.once(path, query))

    def post(self, path: str, body: object) -> Any:
        """Send JSON once: whether it arrived before a connection dropped is the caller's to find out."""
        answer = self.once(path, body=json.dumps(body).encode())
        return _json(answer, path) if answer.strip() else None

    def retried(self, ask: Callable[[], T]) -> T:
        """The answer, asked for again `waits.retries` times when the connection drops; raises BackendError then."""
        for again, pause in zip(range(self.waits.retries + 1), _pauses(), strict=False):
            try:
                return ask()
            except DROPPED as error:
                reason = _reason(error)
            if again < self.waits.retries:
                time.sleep(pause)
        raise BackendError(
            f"ComfyUI at {self.url} no longer answers ({reason}, asked {self.waits.retries + 1} times); "
            "start it again, and the same command goes on."
        )

    def strange(self, error: RefusedError) -> BackendError:
        """What is said of an answer that no ComfyUI gives to such a question."""
        return BackendError(f"{self.url} answers {error}; is that ComfyUI?")

    def once(self, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None) -> bytes:
        """One request; raises RefusedError, and any of DROPPED."""
        address = self.url + path + (f"?{urlencode(query)}" if query else "")
        request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=self.waits.answer) as answer:
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError as error:
            with error:
                raise RefusedError(error.code, _json_or_text(error.read())) from None


def _pauses() -> Iterator[float]:
    """Seconds between attempts: 0.1, doubled up to 5."""
    pause = 0.1
    while True:
        yield pause
        pause = min(2 * pause, 5.0)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "reason", "") or error or type(error).__name__)


def _json(data: bytes, path: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise BackendError(f"the server's answer to {path} is no JSON; is it ComfyUI?") from None


def _json_or_text(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return data[:300].decode("utf-8", "replace")
