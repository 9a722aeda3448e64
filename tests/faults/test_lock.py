"""Two processes and one run folder: the second is told who has it, and a dead one has nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from faulty import FINISHED, Command, one_sentence

HOLD = """
import sys, time
from pathlib import Path
from evalharness.store import Store
with Store(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(run: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run)], env=environment, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_second_process_is_told_which_one_has_the_folder(command: Command, tmp_path: Path) -> None:
    with holder(tmp_path / "run") as process:
        code, errors = command(tmp_path / "run")
        process.kill()

    assert code == 2
    assert one_sentence(errors), errors
    assert f"another process is using '{tmp_path / 'run'}' (process {process.pid} on " in errors
    assert not list((tmp_path / "run").rglob("*.png"))


def test_lock_of_a_killed_process_holds_nobody_up(command: Command, tmp_path: Path) -> None:
    with holder(tmp_path / "run") as process:
        os.kill(process.pid, signal.SIGKILL)
    assert f"process {process.pid} " in (tmp_path / "run" / "lock").read_text()

    assert command(tmp_path / "run")[0] in FINISHED


def test_run_beside_unmerged_shards_says_that_it_makes_all_again(command: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "shard-1-of-2").mkdir(parents=True)
    code, errors = command(run)

    assert code in FINISHED
    assert one_sentence(errors), errors
    assert f"'{run}' holds shards that were never merged (1)" in errors
    assert command(run)[1] == "", "said once: the folder holds a run now"
