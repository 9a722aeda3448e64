"""A trainer that only saves: `python tests/fake_trainer.py FOLDER LAST KEEP PAUSE RUN [SOURCE]`.

It writes epochs one by one. Each file is written in two halves with a pause of seconds between, as a slow disk does,
and only the last KEEP epochs stay. An epoch is deleted as soon as the watch of the folder RUN has taken it in: what is
gone before anybody could look at it is no watch's fault, but on a busy machine it happens after any pause.
"""

import json
import struct
import sys
import time
from pathlib import Path


def weights(epoch: int) -> bytes:
    """A LoRA file's bytes, of other weights in every epoch; safetensors itself would shuffle the metadata."""
    metadata = {"ss_epoch": str(epoch), "ss_steps": str(100 * epoch)}
    tensor = {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]}
    header = json.dumps({"__metadata__": metadata, "lora_A.weight": tensor}).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack("<64f", *[float(epoch)] * 64)


def train(folder: Path, last: int, keep: int, pause: float, run: Path, source: Path | None = None) -> None:
    """Save the epochs from 1 to the last: weights of our own, or those in `source`, in the order of their names."""
    trained = sorted(source.glob("*.safetensors")) if source else []
    for epoch in range(1, last + 1):
        body = trained[epoch - 1].read_bytes() if trained else weights(epoch)
        with name(folder, epoch).open("wb") as file:
            file.write(body[: len(body) // 2])
            file.flush()
            time.sleep(pause)
            file.write(body[len(body) // 2 :])
        if epoch > keep:
            wait_until_taken(name(folder, epoch - keep), run)
            name(folder, epoch - keep).unlink()


def wait_until_taken(file: Path, run: Path) -> None:
    """Raises TimeoutError after two minutes, so that a watch that takes nothing ends the test."""
    end = time.monotonic() + 120
    listed = run / "watched.json"
    while not listed.is_file() or file.name not in listed.read_text():
        if time.monotonic() > end:
            raise TimeoutError(f"nobody took {file.name}")
        time.sleep(0.02)


def name(folder: Path, epoch: int) -> Path:
    """The name that kohya gives an epoch."""
    return folder / f"girl-{epoch:06}.safetensors"


if __name__ == "__main__":
    out, last_epoch, kept, seconds, watching, *trained_before = sys.argv[1:]
    train(Path(out), int(last_epoch), int(kept), float(seconds), Path(watching), *map(Path, trained_before))
