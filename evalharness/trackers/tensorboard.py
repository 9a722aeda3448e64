"""TensorBoard's event files, written by its own library; torch is not needed for it."""

import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalharness.trackers.base import Entry
from evalharness.trackers.choices import checked

PREFIX = "evalharness"


class TensorBoard:
    """Writes scalars, images and the verdict's text below `options.folder`, or below tensorboard/ in the run's folder.

    The axis is the training's step, so that the curves stand beside the trainer's own in the same folder of logs.
    """

    def __init__(self, run: Path, suite: str, options: Mapping[str, Any]) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        chosen = checked("tensorboard", options, {"folder": str(run / "tensorboard")})
        self._writer = EventFileWriter(str(Path(chosen["folder"]).expanduser() / f"{PREFIX}-{suite}"))

    def log(self, entry: Entry) -> None:
        """One event with all that is known of the subject."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=f"{PREFIX}/{name}", simple_value=value) for name, value in entry.metrics.items()]
        values += [_image(f"{PREFIX}/{caption}", path) for caption, path in entry.images.items()]
        values.append(_text(f"{PREFIX}/verdict", words(entry)))
        self._writer.add_event(Event(wall_time=time.time(), step=entry.at, summary=Summary(value=values)))
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()


def words(entry: Entry) -> str:
    """The verdict in Markdown, for loggers that show text."""
    return f"**{entry.subject}: {entry.verdict}**\n\n{entry.reason}\n\n{entry.best}\n\nreport: {entry.report}"


def _image(tag: str, path: Path) -> Any:
    """A stored PNG as it is; its size stands in its header (two big-endian integers after 16 bytes)."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=data)
    return Summary.Value(tag=tag, image=image)


def _text(tag: str, text: str) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING

    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    return Summary.Value(tag=tag, metadata=metadata, tensor=TensorProto(dtype=DT_STRING, string_val=[text.encode()]))
