"""Weights & Biases: one of its runs for one of ours, which goes on when ours does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalharness.digest import digest
from evalharness.trackers.base import Entry
from evalharness.trackers.choices import checked


class WeightsAndBiases:
    """Logs with wandb's own settings (WANDB_MODE, WANDB_ENTITY, ...); options: `project`, `id` of a run to join.

    Its own step only counts upwards, while epochs may be judged out of order: `evalharness/at` is the axis instead.
    """

    def __init__(self, run: Path, suite: str, options: Mapping[str, Any]) -> None:
        import wandb

        defaults = {"project": "evalharness", "id": digest(str(run.resolve()))[:16]}
        chosen = checked("wandb", options, defaults)
        self._wandb = wandb
        self._run = wandb.init(
            project=chosen["project"], id=chosen["id"], name=run.name, group=suite, resume="allow", dir=str(run)
        )
        self._run.define_metric("evalharness/*", step_metric="evalharness/at")

    def log(self, entry: Entry) -> None:
        """Metrics and images as one row, the verdict in the summary."""
        row: dict[str, Any] = {f"evalharness/{name}": value for name, value in entry.metrics.items()}
        row["evalharness/at"] = entry.at
        images = {caption: str(path) for caption, path in entry.images.items()}
        row |= {f"evalharness/images/{name}": self._wandb.Image(path, caption=name) for name, path in images.items()}
        self._run.log(row)
        told = {"verdict": entry.verdict, "reason": entry.reason, "report": str(entry.report)}
        self._run.summary.update({f"evalharness/{entry.subject}": told, "evalharness/best": entry.best})

    def close(self) -> None:
        """End wandb's run."""
        self._run.finish()
