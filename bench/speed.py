"""What the harness costs beside the drawing itself: ratios of things measured in one run, by turns.

    python bench/speed.py          # about six minutes on one core; writes bench/speed.json and prints the table

Images are drawn by the demo's checkpoint on the processor, with one thread. Every arm loads its own pipeline and stores
its images. Where the table says so, a maker that waits stands in for a device that draws while the processor is idle.
Processor seconds are those of this process and its children: they hold where other programs share the machine.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from timing.device import device
from timing.drawing import drawing
from timing.memory import flat
from timing.rows import Row, table
from timing.stand_ins import register
from timing.switching import switching

from evalharness.backends import loading

TARGET = Path(__file__).with_name("speed.json")


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2, help="rounds in which every arm has its turn")
    parser.add_argument("--only", choices=("drawing", "device", "switching", "memory"), help="one part; writes no file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    register()
    parts: dict[str, Callable[[], list[Row]]] = {
        "drawing": lambda: drawing(options.repeats),
        "device": lambda: device(1),
        "switching": lambda: switching(6),
        "memory": flat,
    }
    start = time.perf_counter()
    rows = [row for name, part in parts.items() if options.only in (None, name) for row in part()]
    print(table(rows))
    if options.only is None:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "threads": 1}
        facts = {"machine": machine, "versions": loading.versions(), "seconds": round(time.perf_counter() - start)}
        TARGET.write_text(
            json.dumps({**facts, "load": os.getloadavg()[0], "rows": [asdict(row) for row in rows]}, indent=1)
        )


if __name__ == "__main__":
    main()
