"""What a run needs before its first image: the tools that the config names, and the plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from pathlib import Path
from typing import Any, Literal

from evalharness.backends.base import Maker
from evalharness.backends.optional import require_clips
from evalharness.config import RunConfig
from evalharness.digest import digest
from evalharness.errors import ConfigError, unknown
from evalharness.lookers import Lookers, processes
from evalharness.paths import resolve
from evalharness.perception.base import Perceiver, be_ready
from evalharness.plan import MakerFacts, Plan, list_files, make_plan, plan_existing
from evalharness.registry import find
from evalharness.scorers.base import AnyScorer
from evalharness.store import Store
from evalharness.subject import read_subjects
from evalharness.suite import Suite, read_suite
from evalharness.types import Cell, Failure, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What makes images, what looks at them, in how many processes beside this one, and what judges."""

    maker: Maker
    perceiver: Perceiver
    scorers: tuple[AnyScorer, ...]
    workers: int | Literal["auto"] = 0

    def lookers(self, cells: Sequence[Cell], store: Store, *, drawing: bool) -> Lookers:
        """Those who look at the cells' images that were not looked at yet, here or beside; to be closed."""
        unseen = store.unobserved(cells, digest(self.perceiver.fingerprint()))
        device = str(self.maker.fingerprint().get("device", "")) if drawing and self.workers == "auto" else ""
        return Lookers(self.perceiver, processes(self.workers, len(unseen), device or None))

    def ready(self, cells: Sequence[Cell], store: Store) -> None:
        """Raise PerceptionError, before the first image is made, for what looking at the cells needs and is not here.

        What was seen already needs nothing, and an image that failed may fail again.
        """
        failed = {key for key, one in store.images(store.tried(cells)).items() if isinstance(one, Failure)}
        unseen = store.unobserved(cells, digest(self.perceiver.fingerprint()))
        if any(cell.key not in failed for cell in unseen):
            be_ready(self.perceiver)


def suite_of(config: RunConfig) -> Suite:
    """The suite that the config composed; images that exist already are all judged, so that they have no budget."""
    suite = read_suite(config.suite)
    return suite if config.images is None else replace(suite, budget=None)


def open_tools(config: RunConfig, suite: Suite) -> Tools:
    """The maker, the perceiver and the scorers that the config names; nothing heavy is loaded yet."""
    backend, perception = config.backend, config.perception
    return Tools(
        maker=find("backend", backend.name)(**backend.arguments),
        perceiver=find("perception", perception.name)(**perception.options),
        scorers=open_scorers(config.scoring, suite.scorers),
        workers=perception.workers,
    )


def open_scorers(scoring: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> tuple[AnyScorer, ...]:
    """The scorers of these names, told what the config says; raises ConfigError for a scorer or option unknown."""
    for name, options in scoring.items():
        known = [key for key in signature(find("scorer", name)).parameters if key not in ("args", "kwargs", "options")]
        for key in options:
            if key not in known:
                raise ConfigError(unknown(f"option of scorer '{name}'", str(key), known))
    # stars are harmony in other units: they are told what harmony is
    return tuple(find("scorer", name)(**scoring.get("harmony" if name == "stars" else name, {})) for name in names)


def plan_run(config: RunConfig, suite: Suite, maker: Maker, subjects: Sequence[Subject] | None = None) -> Plan:
    """All cells: those to generate, or those that the files of `evalharness score` are.

    `subjects` are measured instead of the config's where they are given, and their files may be gone.
    """
    if config.images is not None:
        table = resolve(suite.files.csv) if suite.files.csv else None
        files = list_files(
            Path(config.images), suite.files.pattern, table, suite.axes, skip_unmatched=suite.files.skip_unmatched
        )
        return plan_existing(suite, files)[0]
    require_clips(maker, (one for template in suite.settings for one in template.settings((0, 0))))
    facts = MakerFacts(fingerprint=maker.fingerprint(), native_size=maker.native_size())
    if subjects is None:
        return make_plan(suite, read_subjects(config.subjects), facts)
    gone = (one.name for one in subjects if not all(lora.path.is_file() for lora in one.loras))
    return replace(make_plan(suite, subjects, facts), gone=tuple(gone))
