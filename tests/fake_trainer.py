"""A trainer that only saves: `python tests/fake_trainer.py FOLDER FIRST LAST KEEP PAUSE [SOURCE]`.

It writes epochs one by one. Each file is written in two halves with a pause between, as a slow disk does, and only the
last KEEP epochs stay.
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


def train(folder: Path, first: int, last: int, keep: int, pause: float, source: Path | None = None) -> None:
    """Save the epochs from first to last: weights of our own, or those in `source`, in the order of their names."""
    trained = sorted(source.glob("*.safetensors")) if source else []
    for epoch in range(first, last + 1):
        body = trained[epoch - 1].read_bytes() if trained else weights(epoch)
        with name(folder, epoch).open("wb") as file:
            file.write(body[: len(body) // 2])
            file.flush()
            time.sleep(pause)
            file.write(body[len(body) // 2 :])
        time.sleep(pause)
        name(folder, epoch - keep).unlink(missing_ok=True)


def name(folder: Path, epoch: int) -> Path:
    """The name that kohya gives an epoch."""
    return folder / f"girl-{epoch:06}.safetensors"


if __name__ == "__main__":
    trained_before = Path(sys.argv[6]) if len(sys.argv) > 6 else None
    train(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:5]), pause=float(sys.argv[5]), source=trained_before)
