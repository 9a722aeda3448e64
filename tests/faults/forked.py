"""`python forked.py JOB.json`: one run in many forks of a warm process, killed at chosen steps of our own code or not.

The job: `config` (overrides), `config_dir`, and `runs`, pairs of a folder and a share of the way, or null for no kill.
The way is counted in a first, unbroken run, from the opening of its folder on. A step is a call or a return in a file
of ours that makes or stores, so that a kill may come between any two. Writes the exit codes (-9 = killed) as JSON.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

import evalharness
from evalharness import registry, store
from evalharness.config import RunConfig, compose
from evalharness.errors import HarnessError
from evalharness.verbs.whole_run import whole_run

BRIGHTNESS = {"brightness": "small_run:Brightness"}
OURS = Path(evalharness.__file__).parent
# the judgement and its page are most of a small run's steps, and little of a real one's
COUNTED = {
    str(OURS / f"{name}.py") for name in ("run", "measure", "generate", "observe", "store", "replacing", "lookers")
}
OPENED = store.Store.__init__.__code__


class Steps:
    """Counts our steps, and kills this process at the given one."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.count = 0
        self.opened = False

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        self.opened = self.opened or frame.f_code is OPENED
        if not self.opened or frame.f_code.co_filename not in COUNTED:
            return
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


def fork(config: RunConfig, steps: Steps | None, counted: Path) -> int:
    """The exit code of the configured run in a fork; its steps are written into `counted`."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.setprofile(steps)
    try:
        code = whole_run(config)
    except HarnessError as error:
        sys.stderr.write(f"{error}\n")
        os._exit(error.exit_code)
    sys.setprofile(None)
    counted.write_text(str(steps and steps.count))
    os._exit(code)


def main(file: Path) -> None:
    job = json.loads(file.read_text())
    registry.TABLES = {**registry.TABLES, "perception": {**registry.TABLES["perception"], **BRIGHTNESS}}
    config = compose(job["config"], Path(job["config_dir"]))
    answer = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    # what a run imports is imported before the first fork
    whole_run(replace(config, folder_path=str(file.parent / "warm")))
    counted = file.with_suffix(".steps")
    fork(replace(config, folder_path=str(file.parent / "counted")), Steps(None), counted)
    way = int(counted.read_text())
    codes = []
    for folder, at in job["runs"]:
        steps = None if at is None else Steps(max(1, round(at * way)))
        codes.append(fork(replace(config, folder_path=folder), steps, counted))
    os.write(answer, json.dumps(codes).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
