"""The demo's twelve epochs, saved one by one beside a watch: a real pipeline judges each while the next is written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import fake_trainer
from test_watch import wait_for, watched

from evalharness.paths import resolve

PROMPTS = """suite.prompts=[
  {id: a, text: "sakichan, 1girl, front view, happy", expect: {emotion: happy, hair_side: right, faces: 1},
   axes: {view: front, hair: kept, emotion: happy}},
  {id: b, text: "sakichan, 1girl, from behind", expect: {view: behind, hair_side: left, faces: 0},
   axes: {view: behind, hair: kept, emotion: unseen}}]""".replace("\n", " ")


def test_twelve_epochs_of_the_demo_are_judged_while_they_are_saved(tmp_path: Path) -> None:
    out, source, run, best = (tmp_path / name for name in ("out", "source", "run", "best"))
    out.mkdir()
    source.mkdir()
    for path in resolve("demo:loras").glob("sakichan-*.safetensors"):
        shutil.copy(path, source)
    words = ["suite.seeds=[1]", "suite.settings.steps=4", PROMPTS, f"folder='{run}'", "--keep-best", str(best)]
    watch = [sys.executable, "-m", "evalharness.cli", "watch", str(out), "--poll", "0.1", "--until", "12", *words]
    command = [*watch, "--timeout", "600"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for epoch in range(1, 13):
            # a watch that the machine holds up has taken a save before it is deleted
            fake_trainer.train(out, epoch, epoch, keep=2, pause=0.4, source=source)
            wait_for(lambda count=epoch: len(watched(run)) == count, process)  # type: ignore[misc]
        output, errors = process.communicate()

    assert process.returncode == 0, errors
    judged = [verdict["subject"] for verdict in json.loads((run / "verdict.json").read_text())["verdicts"]]
    assert judged == [f"girl-{epoch:06}" for epoch in range(1, 13)]
    assert len(list(out.glob("*.safetensors"))) == 2, "the trainer deleted nothing: nothing was tested"
    assert len(list(run.glob("images/*/*.png"))) == 13 * 2
    leader = json.loads((run / "verdict.json").read_text())["selection"]["leader"]
    assert [path.stem for path in best.glob("*.safetensors")] == [leader]
    assert "12 saves were judged, as asked." in output
