"""Images that are none, and memory that is too small: never stored as fine, counted, and the run goes on."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from faulty import FINISHED, Command
from PIL import Image
from safetensors.numpy import load_file, save_file
from test_broken_models import checkpoint, real, weights

from evalharness.backends import loading


def diverged(tensors: dict[str, Any]) -> None:
    tensors["decoder.conv_out.weight"][:] = np.nan


def black(tensors: dict[str, Any]) -> None:
    tensors["decoder.conv_out.weight"][:] = 0
    tensors["decoder.conv_out.bias"][:] = -1


CASES = {
    "NaN": (diverged, "100% of the image's values are NaN or infinite"),
    "black": (black, "every pixel is (0, 0, 0)"),
}


@pytest.mark.parametrize(("change", "reason"), CASES.values(), ids=CASES)
def test_images_of_broken_weights_are_unscored_counted_and_not_stored(
    change: Callable[[dict[str, Any]], None], reason: str, command: Command, tmp_path: Path
) -> None:
    model, run = checkpoint(tmp_path), tmp_path / "run"
    tensors = load_file(weights(model, "vae"))
    change(tensors)
    save_file(tensors, weights(model, "vae"), metadata={"format": "pt"})
    lora = "subjects=['demo:loras/sakichan-000007.safetensors']"
    code, errors = command(run, *real(f"backend.model='{model}'", lora))

    assert (code, errors) == (4, ""), "nothing was measured, so nothing is decided"
    assert not list(run.rglob("*.png"))
    with sqlite3.connect(run / "run.sqlite") as database:
        scores = [one for (body,) in database.execute("select body from scores") for one in json.loads(body)]
    database.close()
    assert len(scores) == 2
    assert all(one["value"] is None and reason in one["reason"] for one in scores)
    summaries = json.loads((run / "verdict.json").read_text())["summaries"]
    assert [(one["estimate"]["scored"], one["estimate"]["unscored"]) for one in summaries] == [(0, 1), (0, 1)]


def pixels(run: Path) -> dict[str, np.ndarray]:
    return {path.name: np.asarray(Image.open(path), np.int16) for path in run.rglob("*.png")}


def test_run_goes_on_with_smaller_batches_when_the_device_runs_out_of_memory(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = real("subjects=['demo:loras/sakichan-000007.safetensors']", "suite.seeds=[1,2,3,4]", "backend.batch_size=4")
    assert command(tmp_path / "roomy", *words)[0] in FINISHED
    load, calls = loading.load_pipeline, []

    def small(*given: Any) -> Any:
        """The pipeline on a device that holds one image."""
        pipe = load(*given)
        draw = type(pipe).__call__

        class Small(type(pipe)):  # type: ignore[misc]
            def __call__(self, **call: Any) -> Any:
                calls.append(len(call["generator"]))
                if len(call["generator"]) > 1:
                    raise torch.cuda.OutOfMemoryError("CUDA out of memory")
                return draw(self, **call)

        pipe.__class__ = Small
        return pipe

    monkeypatch.setattr(loading, "load_pipeline", small)
    code, errors = command(tmp_path / "tight", *words)

    assert code in FINISHED, errors
    assert calls[:3] == [4, 2, 1], "half of what did not fit is tried"
    tight, roomy = pixels(tmp_path / "tight"), pixels(tmp_path / "roomy")
    assert tight.keys() == roomy.keys() and len(tight) == 8
    assert all(np.abs(tight[name] - roomy[name]).max() <= 1 for name in tight)
