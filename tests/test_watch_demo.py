"""Epochs of the demo, saved one by one beside a watch: a real pipeline judges each while the next is written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import fake_trainer

from evalharness.paths import resolve

PROMPTS = """suite.prompts=[
  {id: a, text: "sakichan, 1girl, front view, happy", expect: {emotion: happy, hair_side: right, faces: 1},
   axes: {view: front, hair: kept, emotion: happy}},
  {id: b, text: "sakichan, 1girl, from behind", expect: {view: behind, hair_side: left, faces: 0},
   axes: {view: behind, hair: kept, emotion: unseen}}]""".replace("\n", " ")


def test_epochs_of_the_demo_are_judged_while_they_are_saved(tmp_path: Path) -> None:
    out, source, run, best = (tmp_path / name for name in ("out", "source", "run", "best"))
    out.mkdir()
    source.mkdir()
    for path in resolve("demo:loras").glob("sakichan-*.safetensors"):
        shutil.copy(path, source)
    words = ["suite.seeds=[1]", "suite.settings.steps=4", PROMPTS, f"folder='{run}'", "--keep-best", str(best)]
    watch = [sys.executable, "-m", "evalharness.cli", "watch", str(out), "--poll", "0.1", "--until", "12", *words]
    training = subprocess.Popen(
        [sys.executable, fake_trainer.__file__, str(out), "12", "2", "0.1", str(run), str(source)]
    )
    done = subprocess.run([*watch, "--timeout", "200"], check=False, capture_output=True, text=True)
    training.communicate()

    assert done.returncode == 0, done.stderr
    judged = [verdict["subject"] for verdict in json.loads((run / "verdict.json").read_text())["verdicts"]]
    assert judged == [f"girl-{epoch:06}" for epoch in range(1, 13)]
    assert len(list(out.glob("*.safetensors"))) == 2, "the trainer deleted nothing: nothing was tested"
    assert len(list(run.glob("images/*/*.png"))) == 13 * 2
    leader = json.loads((run / "verdict.json").read_text())["selection"]["leader"]
    assert [path.stem for path in best.glob("*.safetensors")] == [leader]
    assert "12 saves were judged, as asked." in done.stdout
