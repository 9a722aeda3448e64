"""Labels of a run's own images: what each prompt asked, and perception and scorers as the run was told them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evalharness.config import RunConfig
from evalharness.labels import Label
from evalharness.record import RunRecord
from evalharness.store import Store
from evalharness.types import EMOTIONS

CHOSEN = ("suite", "perception", "scoring")
"""Overrides of these win over what the run was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedRun:
    """The run whose images were rated."""

    record: RunRecord

    def completed(self, labels: Sequence[Label]) -> tuple[Label, ...]:
        """The labels with what the prompts asked for, which a page's labels.csv leaves to the run's own record."""
        asked = {cell.key: cell.prompt.expect for cell in self.record.plan.cells}
        return tuple(
            replace(
                label,
                asked=label.asked or (expect.emotion if expect.emotion in EMOTIONS else None),
                archetype=label.archetype or expect.archetype,
            )
            if (expect := asked.get(label.cell or "")) is not None
            else label
            for label in labels
        )

    def judging(self, config: RunConfig, overrides: Sequence[str]) -> RunConfig:
        """The configuration with the run's perception, scoring and language, unless an override chose others."""
        ran = self.record.config
        config = config if any(text.startswith("report") for text in overrides) else replace(config, report=ran.report)
        if any(text.lstrip("+~").startswith(CHOSEN) for text in overrides):
            return config
        return replace(config, perception=ran.perception, scoring=ran.scoring)


def rated_run(folder: Path) -> RatedRun | None:
    """The run in a folder, or None where there is only a folder of images; raises StoreError for a damaged one."""
    if not (folder / "run.json").is_file():
        return None
    with Store(folder) as store:
        return RatedRun(record=store.read_json("run.json", RunRecord))
