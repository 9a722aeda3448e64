"""Loggers are told of every judged subject, and none of them can end a run."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import fake_trainer
import pytest
from test_watch import command, in_process, inputs, judged, out, save, watch_once

from evalharness.errors import ConfigError
from evalharness.trackers.base import Entry
from evalharness.trackers.opened import Trackers

__all__ = ["inputs", "out"]  # fixtures


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    """A subject with one metric, one chance and one image."""
    from PIL import Image

    Image.new("RGB", (6, 4)).save(tmp_path / "happy.png")
    return Entry(
        subject="girl-000008",
        identity="abc",
        epoch=8,
        step=1200,
        order=2,
        metrics={"harmony/strength_0.8": 0.75, "probability_best/strength_0.8": 0.5},
        verdict="PROMOTE",
        reason="Promoted: all 3 checks passed",
        best="epoch 8 is best with probability 0.50",
        report=tmp_path / "report.html",
        images={"happy": tmp_path / "happy.png"},
    )


def test_axis_is_the_step_else_the_epoch_else_the_place(entry: Entry) -> None:
    from dataclasses import replace

    assert [one.at for one in (entry, replace(entry, step=None), replace(entry, step=None, epoch=None))] == [1200, 8, 2]
    assert replace(entry, step=0).at == 0


def test_watch_logs_each_save_once_when_it_was_judged(out: Path, inputs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for epoch in (1, 2):
        save(out, epoch)
        watch_once(out, inputs, run, "trackers=[jsonl]")
    lines = [json.loads(line) for line in (run / "tracker.jsonl").read_text().splitlines()]
    assert [(line["at"], line["entry"]["subject"], line["entry"]["epoch"]) for line in lines] == [
        (100, "girl-000001", 1),
        (200, "girl-000002", 2),
    ]
    told = lines[1]["entry"]
    assert told["metrics"]["faces/strength_0.5"] == 1.0
    assert told["verdict"] == "PROMOTE"
    assert "is best with probability" in told["best"]
    assert sorted(told["images"]) == ["angry", "happy", "sad"]
    assert all(Path(path).is_file() for path in (*told["images"].values(), told["report"]))


def test_run_logs_every_subject_into_the_chosen_file(out: Path, inputs: Path, tmp_path: Path) -> None:
    save(out, 1, 2)
    file = tmp_path / "logs" / "all.jsonl"
    more = (f"subjects=['{out}/*.safetensors']", f"trackers.jsonl.file='{file}'")
    in_process("run", *command(inputs, tmp_path / "run", *more))
    assert [json.loads(line)["entry"]["order"] for line in file.read_text().splitlines()] == [1, 2]


def test_nothing_is_logged_unasked(out: Path, inputs: Path, tmp_path: Path) -> None:
    save(out, 1)
    watch_once(out, inputs, tmp_path / "run")
    assert not list(tmp_path.rglob("*.jsonl"))
    assert not (tmp_path / "run" / "tensorboard").exists()


def test_failing_tracker_is_one_sentence_and_the_run_and_the_other_trackers_go_on(
    out: Path, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)  # importing it fails
    save(out, 1, 2)
    chosen = f"trackers={{wandb: {{}}, jsonl: {{file: '{fake_trainer.name(out, 1)}/x'}}, tensorboard: {{folders: x}}}}"
    assert watch_once(out, inputs, tmp_path / "run", chosen) == 0
    errors = capsys.readouterr().err
    assert errors.count("tracker 'wandb' is left out: its library is missing") == 1
    assert "pip install 'evalharness[wandb]'" in errors
    assert errors.count("tracker 'jsonl' is left out: ") == 1
    assert errors.count("tracker 'tensorboard' is left out: ") == 1
    assert len(judged(tmp_path / "run")) == 2


def test_unknown_tracker_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'wandb'"):
        Trackers({"wanb": {}}, tmp_path, "small", print)


def told(name: str, options: dict[str, Any], tmp_path: Path, *entries: Entry) -> list[str]:
    """What is said while a tracker logs the entries."""
    said: list[str] = []
    trackers = Trackers({name: options}, tmp_path / "run", "small", said.append)
    trackers.log(entries)
    trackers.close()
    return said


@pytest.mark.filterwarnings("default")  # of the library itself
def test_tensorboard_reads_back_what_was_logged(entry: Entry, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert told("tensorboard", {"folder": str(tmp_path / "logs")}, tmp_path, entry) == []
    found = EventAccumulator(str(tmp_path / "logs" / "evalharness-small"))
    found.Reload()
    scalar = found.Scalars("evalharness/harmony/strength_0.8")[0]
    assert (scalar.step, scalar.value) == (1200, 0.75)
    image = found.Images("evalharness/happy")[0]
    assert (image.width, image.height) == (6, 4)
    assert image.encoded_image_string == entry.images["happy"].read_bytes()
    text = found.Tensors("evalharness/verdict")[0].tensor_proto.string_val[0].decode()
    assert "**girl-000008: PROMOTE**" in text
    assert str(entry.report) in text


class FakeWandb(ModuleType):
    """The calls of wandb that the adapter makes, written down."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.settings: dict[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        self.axes: dict[str, str] = {}
        self.summary: dict[str, Any] = {}
        self.finished = False

    def init(self, **settings: Any) -> "FakeWandb":
        self.settings = settings
        return self

    def define_metric(self, name: str, step_metric: str) -> None:
        self.axes[name] = step_metric

    def log(self, row: dict[str, Any]) -> None:
        self.rows.append(row)

    def finish(self) -> None:
        self.finished = True

    def Image(self, path: str, caption: str) -> tuple[str, str]:  # noqa: N802
        return path, caption


def test_wandb_gets_rows_on_our_own_axis(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    assert told("wandb", {"project": "girls"}, tmp_path, entry) == []
    assert (fake.settings["project"], fake.settings["resume"], fake.settings["name"]) == ("girls", "allow", "run")
    assert fake.axes == {"evalharness/*": "evalharness/at"}
    (row,) = fake.rows
    assert row["evalharness/at"] == 1200
    assert row["evalharness/harmony/strength_0.8"] == 0.75
    assert row["evalharness/images/happy"] == (str(entry.images["happy"]), "happy")
    assert fake.summary["evalharness/girl-000008"]["verdict"] == "PROMOTE"
    assert fake.finished


class FakeClient:
    """The calls of MlflowClient that the adapter makes, written down."""

    calls: list[tuple[Any, ...]]

    def get_experiment_by_name(self, name: str) -> None:
        self.calls.append(("experiment?", name))

    def create_experiment(self, name: str) -> str:
        return f"id of {name}"

    def search_runs(self, places: list[str], filter_string: str, max_results: int) -> list[object]:
        self.calls.append(("search", places, filter_string, max_results))
        return []

    def create_run(self, place: str, tags: dict[str, str]) -> object:
        self.calls.append(("run", place, tags["mlflow.runName"]))
        return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

    def log_metric(self, run: str, name: str, value: float, step: int) -> None:
        self.calls.append(("metric", run, name, value, step))

    def log_artifact(self, run: str, path: str, folder: str) -> None:
        self.calls.append(("artifact", run, path, folder))

    def set_tag(self, run: str, key: str, text: str) -> None:
        self.calls.append(("tag", run, key, text))

    def set_terminated(self, run: str) -> None:
        self.calls.append(("end", run))


@pytest.mark.parametrize("joined", [False, True])
def test_mlflow_gets_metrics_by_step(
    joined: bool, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeClient.calls = calls = []
    tracking = ModuleType("mlflow.tracking")
    tracking.MlflowClient = FakeClient  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", ModuleType("mlflow"))
    monkeypatch.setitem(sys.modules, "mlflow.tracking", tracking)
    assert told("mlflow", {"run_id": "theirs"} if joined else {}, tmp_path, entry) == []
    run = "theirs" if joined else "r1"
    assert ("metric", run, "harmony/strength_0.8", 0.75, 1200) in calls
    assert ("artifact", run, str(entry.images["happy"]), "evalharness/girl-000008") in calls
    assert ("tag", run, "evalharness.verdict.girl-000008", "PROMOTE: Promoted: all 3 checks passed") in calls
    assert (("end", run) in calls) is not joined, "a training's run is not ended"
