"""Keep the scores of a finished demo run for the tests.

evalharness run "subjects=['demo:loras/*.safetensors']" folder=runs/demo-all
python bench/store_demo_run.py runs/demo-all
"""

import gzip
import sys
from dataclasses import replace
from pathlib import Path

from evalharness.codec import encode
from evalharness.record import load_run

TARGET = Path(__file__).parent.parent / "tests" / "data" / "demo_run.json.gz"


def main(folder: Path) -> None:
    """Write cells, subjects, metrics and scores; images, observations, evidence and paths stay behind."""
    run = load_run(folder)
    scores = {key: tuple(replace(score, evidence=()) for score in own) for key, own in run.scores.items()}
    # where the files lay on one machine is nobody's business
    subjects = tuple(replace(subject, loras=()) for subject in run.subjects)
    kept = {"subjects": subjects, "cells": run.cells, "scores": scores, "metrics": run.metrics}
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(gzip.compress(encode(kept), mtime=0))
    print(f"{TARGET}: {TARGET.stat().st_size} bytes, {len(run.cells)} cells")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
