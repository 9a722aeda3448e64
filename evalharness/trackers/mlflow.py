"""MLflow: one of its runs for one of ours, found again by a tag."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalharness.digest import digest
from evalharness.trackers.base import Entry
from evalharness.trackers.choices import checked

OURS = "evalharness.run"
LONGEST_TAG = 500
NOT_IN_NAMES = re.compile(r"[^\w./ -]")
"""What MLflow does not take in the name of a metric, a tag or an artifact's folder."""


class MLflow:
    """Logs with MLflow's own settings (MLFLOW_TRACKING_URI, ...); options: `experiment`, `run_id` of a run to join.

    The client is used, not the module's functions, so that a run that is active in this process is left alone.
    """

    def __init__(self, run: Path, suite: str, options: Mapping[str, Any]) -> None:
        from mlflow.tracking import MlflowClient

        chosen = checked("mlflow", options, {"experiment": "evalharness", "run_id": None})
        self._client = MlflowClient()
        self._joined = chosen["run_id"] is not None
        tag = digest(str(run.resolve()))[:16]
        self._id = chosen["run_id"] or self._our_run(chosen["experiment"], tag, {"name": run.name, "suite": suite})

    def log(self, entry: Entry) -> None:
        """Metrics by step, images as artifacts, the verdict as tags."""
        for name, value in entry.metrics.items():
            self._client.log_metric(self._id, NOT_IN_NAMES.sub("_", name), value, step=entry.at)
        subject = NOT_IN_NAMES.sub("_", entry.subject)
        for path in entry.images.values():
            self._client.log_artifact(self._id, str(path), f"evalharness/{subject}")
        told = {
            f"evalharness.verdict.{subject}": f"{entry.verdict}: {entry.reason}",
            "evalharness.best": entry.best,
            "evalharness.report": str(entry.report),
        }
        for key, text in told.items():
            self._client.set_tag(self._id, key, text[:LONGEST_TAG])

    def close(self) -> None:
        """Mark our run as finished; a training's run is left as it is."""
        if not self._joined:
            self._client.set_terminated(self._id)

    def _our_run(self, experiment: str, tag: str, facts: Mapping[str, str]) -> str:
        """The run that an earlier process began, or a new one."""
        found = self._client.get_experiment_by_name(experiment)
        place = found.experiment_id if found else self._client.create_experiment(experiment)
        earlier = self._client.search_runs([place], filter_string=f"tags.`{OURS}` = '{tag}'", max_results=1)
        if earlier:
            return str(earlier[0].info.run_id)
        tags = {OURS: tag, "mlflow.runName": facts["name"], "evalharness.suite": facts["suite"]}
        return str(self._client.create_run(place, tags=tags).info.run_id)
