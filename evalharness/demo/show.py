"""`make demo`: what `evalharness run` does alone, then whether its verdicts are the ones known to be true.

The truth is in data/truth.json: made from many images per LoRA by a judge that shares nothing with the harness.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from evalharness.cli import main as command_line
from evalharness.config import compose
from evalharness.demo.expected import surprises
from evalharness.errors import InputError
from evalharness.record import load_run


def main(overrides: Sequence[str]) -> int:
    """Run the demo, print what differs from the truth, and return 0 where nothing does."""
    code = command_line(["run", "suite=demo", *overrides])
    folder: Path = compose(["suite=demo", *overrides]).folder
    if code not in (0, 3, 4):
        return code
    try:
        wrong = surprises(load_run(folder).judgement)
    except InputError as error:
        sys.stderr.write(f"demo       {error}\n")
        return error.exit_code
    if code != 0:
        wrong = (*wrong, f"the run ends with exit code {code}, and 0 is expected: its best epoch is a good one")
    for sentence in wrong:
        sys.stdout.write(f"demo       UNEXPECTED: {sentence}\n")
    if not wrong:
        sys.stdout.write("demo       as expected: the verdicts agree with what is known of the demo's LoRAs\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
