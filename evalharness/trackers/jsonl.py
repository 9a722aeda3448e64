"""A tracker without any library: one JSON object a line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalharness.codec import encode
from evalharness.trackers.base import Entry
from evalharness.trackers.choices import checked


class JsonLines:
    """Appends every entry to `options.file`, or to tracker.jsonl in the run's folder."""

    def __init__(self, run: Path, suite: str, options: Mapping[str, Any]) -> None:
        chosen = checked("jsonl", options, {"file": str(run / "tracker.jsonl")})
        self._file, self._suite, self._run = Path(chosen["file"]).expanduser(), suite, run

    def log(self, entry: Entry) -> None:
        """Append a line; it is on the disk's way before the next step of the run."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            file.write(encode({"run": self._run, "suite": self._suite, "at": entry.at, "entry": entry}) + b"\n")

    def close(self) -> None:
        """Nothing is left to write."""
