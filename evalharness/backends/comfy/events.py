"""What a ComfyUI server says while it works, over its websocket; without one, the passing of time.

The websocket only shortens the waiting and shows that a job makes progress: results always come from /history, so that
a connection that drops, or a missing library, costs no image.
"""

import contextlib
import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

_FINISHING = ("execution_success", "execution_error", "execution_interrupted")
_LARGEST = 64 * 2**20
"""Bytes of a message; previews of large images exceed the library's default of one megabyte."""

_RECONNECT = 5.0
"""Seconds before a dropped websocket is opened again."""


_CONNECTION: Mapping[str, Any] = {
    "open_timeout": _RECONNECT,
    "close_timeout": 1.0,
    "max_size": _LARGEST,
    # unread messages would hold up the closing by a second
    "max_queue": None,
    # the server stands on the user's machine
    "proxy": None,
}


class Events:
    """The messages for one client id; raises nothing, whatever the server does."""

    def __init__(self, url: str, client_id: str) -> None:
        self._address = f"ws{url.removeprefix('http')}/ws?clientId={client_id}"
        self._stack = contextlib.ExitStack()
        self._socket: Any = None
        self._next_try = 0.0

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._drop()

    def wait(self, seconds: float) -> bool:
        """Wait until a job may have ended, at most so long; whether any job made progress meanwhile."""
        deadline, alive = time.monotonic() + seconds, False
        while (left := deadline - time.monotonic()) > 0:
            self._open()
            if self._socket is None:
                time.sleep(min(left, _RECONNECT))
                continue
            progress, ended = _meaning(self._receive(left))
            alive = alive or progress
            if ended:
                break
        return alive

    def _receive(self, seconds: float) -> str | bytes | None:
        try:
            received: str | bytes = self._socket.recv(timeout=seconds)
            return received
        except TimeoutError:
            return None
        except Exception:  # the library's errors, and those of the socket below it
            self._drop()
            return None

    def _open(self) -> None:
        if self._socket is not None or time.monotonic() < self._next_try:
            return
        self._next_try = time.monotonic() + _RECONNECT
        # ImportError: without the extra `comfyui` there is polling alone
        with contextlib.suppress(Exception):
            from websockets.sync.client import connect

            self._socket = self._stack.enter_context(connect(self._address, **_CONNECTION))

    def _drop(self) -> None:
        with contextlib.suppress(Exception):
            self._stack.close()
        self._socket = None


def _meaning(message: str | bytes | None) -> tuple[bool, bool]:
    """Whether a message shows progress of a job, and whether one may have ended.

    Extensions send messages of their own all the time, and `status` comes with every connection: they show nothing.
    """
    if not isinstance(message, str):
        return message is not None, False  # bytes are a preview
    try:
        told = json.loads(message)
        kind, data = str(told.get("type")), told.get("data") or {}
        ended = kind in _FINISHING or (kind == "executing" and data.get("node") is None)
    except (ValueError, AttributeError, RecursionError):
        return False, False
    return kind.startswith(("execut", "progress")), ended
